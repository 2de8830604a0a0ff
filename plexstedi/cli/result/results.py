"""The JSON object of every command, published by `plexstedi schema COMMAND` (DESIGN.md section 4).

A key that is set late has a default: a fault may end the command before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, TypeAdapter

from plexstedi.cli.result.error import ErrorJson
from plexstedi.cli.result.overview import (
    CustomerNotTradedJson,
    DocumentCountsJson,
    HealthJson,
    LateJson,
    SupplierJson,
    SupplierNotTradedJson,
    TimesJson,
    UnwrittenJson,
)
from plexstedi.cli.result.plants import PlantJson
from plexstedi.cli.result.records import (
    AcknowledgmentJson,
    ChainedEventJson,
    InvoiceJson,
    InvoiceLineJson,
    OrderJson,
    OrderLineJson,
    WordedEventJson,
)
from plexstedi.cli.result.things import (
    ConsequenceJson,
    CredentialJson,
    DocumentJson,
    FindingJson,
    PlannedFieldJson,
    PreviewJson,
    ReplayJson,
    ReviewJson,
    ReviewLineJson,
    TrialJson,
    UnmatchedLineJson,
    WriteJson,
)
from plexstedi.cli.result.values import JsonShape, Number

if TYPE_CHECKING:
    from plexstedi.sync.people.review_bulk import ItemDecision, Proposal


class CountsJson(JsonShape):
    """`attention` and `in_doubt` are current totals; the others count what this run did."""

    orders_seen: int
    orders_changed: int
    documents_queued: int
    documents_sent: int
    documents_delivered: int
    documents_held: int
    documents_rejected: int
    documents_failed: int
    in_doubt: int
    acks_received: int
    acks_applied: int
    acks_held: int
    writes_made: int
    attention: int


class Result(JsonShape):
    """Common keys of every command's object."""

    schema_: Literal[1] = Field(alias="schema")
    command: str
    dry_run: bool
    exit_code: int
    counts: CountsJson
    warnings: list[str]
    audit_head: str | None = None
    """The latest hash of the audit trail."""
    error: ErrorJson | None = None
    """Only if a fault ended the command."""


class SessionResult(Result):
    """A command that works on the state file."""

    news: list[str] = Field(default_factory=list)
    """Review items opened in this run, as text."""


class DueJson(JsonShape):
    """A document that is due."""

    order: str
    supplier: str
    kind: str
    purpose: str


class PollResult(SessionResult):
    """`poll`."""

    due: list[DueJson] = Field(default_factory=list)
    not_traded: list[SupplierNotTradedJson | CustomerNotTradedJson] = Field(default_factory=list)


class SubmitResult(SessionResult):
    """`submit`; `documents` in a dry run."""

    documents: list[PreviewJson] = Field(default_factory=list)


class IngestAcksResult(SessionResult):
    """`ingest-acks`."""

    writes: list[WriteJson] = Field(default_factory=list)


class RunResult(SessionResult):
    """`run`."""

    not_traded: list[SupplierNotTradedJson | CustomerNotTradedJson] = Field(default_factory=list)


class TransactionJson(JsonShape):
    """An acknowledgment that was processed again."""

    id: str
    state: str
    writes_planned: int


class ReplayResult(SessionResult):
    """`replay`: of documents, or with `--ack` of one transaction."""

    replays: list[ReplayJson] = Field(default_factory=list)
    transaction: TransactionJson | None = None


class ReviewListResult(Result):
    """`review list`."""

    reviews: list[ReviewJson] = Field(default_factory=list)


class VersionJson(JsonShape):
    """One version of a document."""

    title: str
    x12: str | None


class ReviewShowResult(SessionResult):
    """`review show`."""

    review: ReviewJson | None = None
    accept: ConsequenceJson | None = None
    reject: ConsequenceJson | None = None
    lines: list[ReviewLineJson] = Field(default_factory=list)
    unmatched: list[UnmatchedLineJson] = Field(default_factory=list)
    document: DocumentJson | None = None
    x12: str | None = None
    versions: list[VersionJson] = Field(default_factory=list)
    differences: list[str] = Field(default_factory=list)


class ReviewDecisionJson(JsonShape):
    """One item of a decision. `days_late` and `percent_off`: how far its lines are from the order, where they tell."""

    id: int
    result: str
    """`accepted`, `rejected`, `would-accept`, `would-reject`, `closed-before` or `failed`."""
    review: ReviewJson | None
    days_late: int | None
    percent_off: Number | None
    effect: str | None
    writes: list[PlannedFieldJson]
    """Values that the next run writes to Plex because of it."""
    error: ErrorJson | None

    @classmethod
    def of(cls, proposal: Proposal, item: ItemDecision) -> ReviewDecisionJson:
        candidate, found = proposal.candidate, proposal.consequence
        return cls(
            id=item.number,
            result=item.result.value,
            review=None if item.review is None else ReviewJson.of(item.review),
            days_late=None if candidate is None else candidate.days_late,
            percent_off=None if candidate is None else candidate.percent_off,
            effect=None if found is None else found.words,
            writes=[] if found is None else [PlannedFieldJson.of(entry) for entry in found.writes],
            error=None if item.fault is None else ErrorJson.of(item.fault),
        )


class ReviewDecideResult(SessionResult):
    """`review accept` and `review reject`; `asked` are review items that follow from it."""

    review: ReviewJson | None = None
    """Only for a single item."""
    asked: list[str] = Field(default_factory=list)
    items: list[ReviewDecisionJson] = Field(default_factory=list)
    """Every item, if there were several or filters."""


class FoundJson(JsonShape):
    """An order or invoice for which Stedi has files that the state file lacks."""

    files: list[str]
    in_sync: bool
    what: str


class FoundOrderJson(FoundJson):
    """An order, or a release of one."""

    order: str
    release: str | None
    supplier: str | None


class FoundInvoiceJson(FoundJson):
    """An invoice."""

    invoice: str
    customer: str | None


class RecoverResult(SessionResult):
    """`recover`."""

    streams: list[FoundOrderJson | FoundInvoiceJson] = Field(default_factory=list)


class ChannelJson(JsonShape):
    """One tested alert channel; `fault` is null if it worked."""

    channel: str
    fault: str | None


class NotifyResult(Result):
    """`notify --test`."""

    alerts: list[ChannelJson] = Field(default_factory=list)


class AuditExportResult(Result):
    """`audit export`."""

    events: list[ChainedEventJson] = Field(default_factory=list)


class AuditVerifyResult(Result):
    """`audit verify`; `broken_at` is the first event that fails verification."""

    verified: bool | None = None
    events: int | None = None
    broken_at: int | None = None


class CheckResult(Result):
    """`check`; `orders` with `--supplier`."""

    findings: list[FindingJson] = Field(default_factory=list)
    orders: list[TrialJson] = Field(default_factory=list)


class CredentialsSetResult(Result):
    """`credentials set`."""

    name: str | None = None
    stored_in: str | None = None


class CredentialsListResult(Result):
    """`credentials list`."""

    credentials: list[CredentialJson] = Field(default_factory=list)


class CredentialsDeleteResult(Result):
    """`credentials delete`."""

    name: str | None = None


class CredentialsRotateResult(SessionResult):
    """`credentials rotate`."""

    rotated: str | None = None
    """None: nothing was replaced: the commands were printed, or a new key was passed to `alerts.rotate_command`."""
    commands: list[str] | None = None


class InitResult(Result):
    """`init`. `accepted`: secrets tried and accepted; `tenant`: of the Plex key; `suppliers`: those with tables."""

    file: str | None = None
    tenant: str | None = None
    accepted: list[str] = Field(default_factory=list)
    suppliers: list[str] = Field(default_factory=list)


class DemoResult(Result):
    """`demo`."""

    runs: int | None = None
    made_up_minutes: int | None = None


class SandboxResult(Result):
    """`sandbox`: a configuration that connects to it, and the environment variables that it needs."""

    config: str | None = None
    environment: dict[str, str] = Field(default_factory=dict)
    directory: str | None = None


class StatusResult(Result):
    """`status`: the overview."""

    orders: dict[str, int] = Field(default_factory=dict)
    documents: DocumentCountsJson | None = None
    lines: dict[str, int] = Field(default_factory=dict)
    suppliers: list[SupplierJson] = Field(default_factory=list)
    waiting: list[ReviewJson] = Field(default_factory=list)
    late: list[LateJson] = Field(default_factory=list)
    unwritten: list[UnwrittenJson] = Field(default_factory=list)
    not_traded: list[SupplierNotTradedJson | CustomerNotTradedJson] = Field(default_factory=list)
    transactions_not_read: dict[str, int] = Field(default_factory=dict)
    times: TimesJson | None = None
    health: HealthJson | None = None
    html: str | None = None


class PlantsStatusResult(Result):
    """`status` with several `--config`: the plants, the worst first."""

    plants: list[PlantJson]
    html: str | None = None


class OrderStatusResult(Result):
    """`status NUMBER` of an order."""

    order: OrderJson
    documents: list[DocumentJson]
    lines: list[OrderLineJson]
    answers: list[AcknowledgmentJson]
    events: list[WordedEventJson]
    html: str | None = None


class InvoiceStatusResult(Result):
    """`status NUMBER` of an invoice."""

    invoice: InvoiceJson
    documents: list[DocumentJson]
    lines: list[InvoiceLineJson]
    events: list[WordedEventJson]
    html: str | None = None


RESULTS: dict[str, Any] = {
    "run": RunResult,
    "poll": PollResult,
    "submit": SubmitResult,
    "ingest-acks": IngestAcksResult,
    "replay": ReplayResult,
    "review list": ReviewListResult,
    "review show": ReviewShowResult,
    "review accept": ReviewDecideResult,
    "review reject": ReviewDecideResult,
    "status": StatusResult | PlantsStatusResult | OrderStatusResult | InvoiceStatusResult,
    "recover": RecoverResult,
    "notify": NotifyResult,
    "audit export": AuditExportResult,
    "audit verify": AuditVerifyResult,
    "check": CheckResult,
    "credentials set": CredentialsSetResult,
    "credentials list": CredentialsListResult,
    "credentials delete": CredentialsDeleteResult,
    "credentials rotate": CredentialsRotateResult,
    "init": InitResult,
    "demo": DemoResult,
    "sandbox": SandboxResult,
}
"""Every command that takes `--json`, and the model of its object."""


def json_schema(command: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a command's object. Raise KeyError for a command without one."""
    schema = TypeAdapter(RESULTS[command]).json_schema(mode="serialization")
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, **schema, "title": f"plexstedi {command} --json"}
