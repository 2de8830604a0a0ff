"""Executions and transactions in the API's JSON format (OpenAPI ExecutionSummary, TransactionSummary and others)."""

from __future__ import annotations

from datetime import datetime

from plexstedi.decimal_json import Json
from plexstedi.sandbox.stedi.documents import DocumentStore
from plexstedi.sandbox.stedi.guide_names import FUNCTIONAL_GROUPS
from plexstedi.sandbox.stedi.records import LOCAL_PROFILE, DeliveryReport, Execution, Partnership, Transaction
from plexstedi.sandbox.stedi.x12 import Party

MODES = {"P": "production", "T": "test", "I": "other"}
"""`mode` by ISA15."""


def moment(value: datetime) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"


def profile_of(partnership: Partnership) -> str:
    return partnership.partner.code.lower()


def execution_json(execution: Execution) -> dict[str, Json]:
    """ExecutionSummary."""
    row: dict[str, Json] = {
        "executionId": execution.id,
        "createdAt": moment(execution.created),
        "updatedAt": moment(execution.updated),
        "status": execution.status,
        "direction": execution.direction,
        "mode": MODES[execution.usage],
        "transactionCount": len(execution.transactions),
        "faultCount": 1 if execution.fault_code else 0,
        "fileType": "EDI/X12",
        "retryable": execution.status == "FAILED",
        "source": {
            "dirname": "/outbound" if execution.direction == "OUTBOUND" else "/inbound",
            "name": execution.filename,
        },
    }
    if execution.fault_code is not None:
        row["faultCode"], row["faultMessage"] = execution.fault_code, execution.fault_message or ""
    if execution.parent is not None:
        row["parentExecutionId"] = execution.parent
    if execution.child is not None:
        row["childExecutionId"] = execution.child
    if execution.partnership is not None:
        row["partnershipId"] = execution.partnership.id
        row["connectionType"], row["connectionId"] = "REMOTE_FTP", execution.partnership.connection_id
    return row


def execution_detail_json(execution: Execution, files: DocumentStore, base_url: str) -> dict[str, Json]:
    """GetExecutionResponseContent: the summary with artifacts and delivery reports."""
    row = execution_json(execution)
    inbound = execution.direction == "INBOUND"
    artifacts: list[Json] = [
        _artifact(files, base_url, "executions", execution.id, "input", edi=inbound, model="execution")
    ]
    if not inbound:
        artifacts.append(_artifact(files, base_url, "executions", execution.id, "output", edi=True, model="execution"))
    reports: list[Json] = [_report_json(execution, report) for report in execution.reports]
    return {**row, "artifacts": artifacts, "deliveryReports": reports}


def _report_json(execution: Execution, report: DeliveryReport) -> Json:
    partnership = execution.partnership
    assert partnership is not None
    return {
        "id": report.id,
        "executionId": execution.id,
        "partnershipId": partnership.id,
        "connectionType": "REMOTE_FTP",
        "connectionId": partnership.connection_id,
        "attempt": report.attempt,
        "filename": execution.filename,
        "status": "DELIVERED" if report.delivered else "FAILED",
        "message": report.message,
        "createdAt": moment(report.at),
    }


def fault_json(execution: Execution) -> dict[str, Json]:
    """ExecutionFault."""
    return {
        "id": execution.fault_id or "",
        "executionId": execution.id,
        "createdAt": moment(execution.updated),
        "faultCode": execution.fault_code or "UNKNOWN_ERROR",
        "faultMessage": execution.fault_message or "",
    }


def _artifact(
    files: DocumentStore, base_url: str, kind: str, record_id: str, usage: str, *, edi: bool, model: str
) -> Json:
    return {
        "artifactType": "application/edi-x12" if edi else "application/json",
        "usage": usage,
        "sizeBytes": files.size(f"{record_id}-{usage}"),
        "url": f"{base_url}/{kind}/{record_id}/{usage}",
        "model": model,
    }


def transaction_json(each: Transaction, files: DocumentStore, base_url: str) -> dict[str, Json]:
    """TransactionSummary."""
    execution = each.execution
    partnership = execution.partnership
    assert partnership is not None
    assert each.processed_at is not None
    inbound = execution.direction == "INBOUND"
    ours, theirs = LOCAL_PROFILE, profile_of(partnership)
    row: dict[str, Json] = {
        "transactionId": each.id,
        "fileExecutionId": execution.id,
        "direction": execution.direction,
        "mode": MODES[execution.usage],
        "status": "succeeded",
        "processedAt": moment(each.processed_at),
        "artifacts": [
            _artifact(files, base_url, "transactions", each.id, "input", edi=inbound, model="transaction"),
            _artifact(files, base_url, "transactions", each.id, "output", edi=not inbound, model="transaction"),
        ],
        "partnership": {
            "partnershipId": partnership.id,
            "partnershipType": "x12",
            "sender": {"profileId": theirs if inbound else ours},
            "receiver": {"profileId": ours if inbound else theirs},
        },
        "x12": {
            "metadata": {
                "interchange": {"acknowledgmentRequestedCode": "0", "controlNumber": each.interchange_number},
                "functionalGroup": {
                    "controlNumber": each.group_number,
                    "release": execution.release,
                    "date": f"{execution.created:%Y-%m-%d}",
                    "time": f"{execution.created:%H:%M:%S}",
                    "functionalIdentifierCode": FUNCTIONAL_GROUPS.get(each.set_id, "XX"),
                },
                "transaction": {"controlNumber": each.control_number, "transactionSetIdentifier": each.set_id},
                "sender": _party_json(execution.sender),
                "receiver": _party_json(execution.receiver),
            },
            "transactionSetting": {
                key: value
                for key, value in (("guideId", each.guide_id), ("transactionSettingId", each.setting_id))
                if value is not None
            },
        },
    }
    if each.order_number:
        # Stedi's examples name the element PRF-01 even for an 850; only the value and element 324 are reliable.
        row["businessIdentifiers"] = [
            {"elementId": "324", "element": "PRF-01", "name": "Purchase Order Number", "value": each.order_number}
        ]
    return row


def _party_json(party: Party) -> Json:
    return {"applicationCode": party.application, "isa": {"qualifier": party.qualifier, "id": party.id}}


def partnership_json(partnership: Partnership, now: datetime) -> dict[str, Json]:
    """One row of the partnership list (older SDK model)."""
    return {
        "partnershipId": partnership.id,
        "localProfileId": LOCAL_PROFILE,
        "partnerProfileId": profile_of(partnership),
        "connectionCount": 1,
        "createdAt": moment(now),
        "updatedAt": moment(now),
    }


def partnership_detail_json(partnership: Partnership, now: datetime) -> dict[str, Json]:
    """A partnership with its settings (older SDK model)."""
    partner = partnership.partner
    return {
        "partnershipId": partnership.id,
        "localProfileId": LOCAL_PROFILE,
        "partnerProfileId": profile_of(partnership),
        "partnerProfile": {
            "profileId": profile_of(partnership),
            "profileType": "partner",
            "interchangeQualifier": partner.isa_qualifier,
            "interchangeId": partner.isa_id,
        },
        "interchangeUsageIndicator": "P",
        "outboundTransactions": [
            row for row in settings_json(partnership) if "outboundX12TransactionSettingsId" in row
        ],
        "inboundTransactions": [row for row in settings_json(partnership) if "inboundX12TransactionSettingsId" in row],
        "createdAt": moment(now),
        "updatedAt": moment(now),
    }


def settings_json(partnership: Partnership) -> list[dict[str, Json]]:
    rows: list[dict[str, Json]] = []
    for setting in partnership.settings.values():
        row: dict[str, Json] = {
            "release": partnership.partner.release,
            "transactionSetIdentifier": setting.set_id,
            "guideId": setting.guide_id,
        }
        if setting.direction == "OUTBOUND":
            row["outboundX12TransactionSettingsId"] = setting.id
            row["connection"] = {"connectionType": "remote-ftp", "connectionId": partnership.connection_id}
        else:
            row["inboundX12TransactionSettingsId"] = setting.id
        rows.append(row)
    return rows


def connections_json(partnership: Partnership) -> dict[str, Json]:
    connection: dict[str, Json] = {
        "connectionId": partnership.connection_id,
        "name": f"{profile_of(partnership)} SFTP",
        "status": "Available",
        "enabled": True,
        "host": "sftp.supplier.example",
        "port": 22,
        "protocol": "SFTP",
        "outboundSubdirectory": "outbound",
        "inboundSubdirectory": "inbound",
    }
    return {"remoteFtp": [connection], "stediFtp": [], "as2": [], "buckets": []}
