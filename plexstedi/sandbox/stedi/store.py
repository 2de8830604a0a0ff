"""The state of the simulated Stedi: partnerships, control numbers, outbound and inbound files."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from plexstedi.decimal_json import Json, dumps
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.plex.sample_data import TradingPartner
from plexstedi.sandbox.schedule import Schedule
from plexstedi.sandbox.stedi.documents import DocumentStore
from plexstedi.sandbox.stedi.guide_names import layout
from plexstedi.sandbox.stedi.guide_x12 import to_guide_json
from plexstedi.sandbox.stedi.records import (
    LOCAL,
    DeliveryReport,
    Direction,
    Execution,
    GeneratedDocument,
    Outgoing,
    Partnership,
    Setting,
    Transaction,
)
from plexstedi.sandbox.stedi.x12 import (
    Delimiters,
    Envelope,
    Group,
    Interchange,
    Party,
    Segment,
    X12Error,
    as_text,
    read_file,
    render,
    render_set,
    write,
)

ATTEMPTS = 3
ATTEMPT_EVERY = timedelta(minutes=6)
"""Time between the three delivery attempts."""


def _as_bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


class StediStore:
    """The data and processing behind the simulated API."""

    def __init__(
        self,
        clock: SandboxClock,
        schedule: Schedule,
        documents: DocumentStore,
        partners: Sequence[TradingPartner],
        *,
        seed: int,
        delivery_delay: timedelta,
    ) -> None:
        self.clock, self.schedule, self.files = clock, schedule, documents
        self.delivery_delay = delivery_delay
        self._random = random.Random(seed)
        self.partnerships = {partner.partnership_id: self._partnership(partner) for partner in partners}
        self.executions: dict[str, Execution] = {}
        self.transactions: dict[str, Transaction] = {}
        self.finished: list[Execution] = []
        self.processed: list[Transaction] = []
        self.documents: list[GeneratedDocument] = []
        self.mailbox: dict[tuple[str, str], GeneratedDocument] = {}
        self.on_delivered: Callable[[GeneratedDocument, Partnership, datetime], None] = lambda *_: None

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def ulid(self) -> str:
        return "01J" + "".join(self._random.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=23))

    def _partnership(self, partner: TradingPartner) -> Partnership:
        settings = {
            setting_id: Setting(setting_id, set_id, "OUTBOUND", self.ulid()) for set_id, setting_id in partner.settings
        }
        for set_id in ("855", "865", "997") if "850" in dict(partner.settings) else ("997",):
            setting_id = f"{partner.release}-{set_id}"
            settings[setting_id] = Setting(setting_id, set_id, "INBOUND", self.ulid())
        return Partnership(partner.partnership_id, partner, self.ulid(), settings)

    # Outbound.

    def send(self, outgoing: Outgoing) -> tuple[Execution, GeneratedDocument]:
        """Generate the file and queue its delivery. Raises X12Error only before anything was changed."""
        partnership, now = outgoing.partnership, self.clock.now()
        release = partnership.partner.release
        interchange_number = partnership.interchange_number + 1
        groups = tuple(
            Group(
                partnership.group_number + index,
                group.setting.set_id,
                tuple((f"{count:04}", body) for count, body in enumerate(group.bodies, start=1)),
            )
            for index, group in enumerate(outgoing.groups, start=1)
        )
        first = outgoing.groups[0]
        sender = Party(LOCAL.qualifier, LOCAL.id, first.local_application or LOCAL.application)
        remote = partnership.remote
        receiver = Party(remote.qualifier, remote.id, first.partner_application or remote.application)
        envelope = Envelope(
            sender, receiver, now, interchange_number, outgoing.usage, release, outgoing.acknowledgment_requested
        )
        edi = write(Interchange(envelope, groups), outgoing.delimiters)
        partnership.interchange_number = interchange_number
        partnership.group_number += len(groups)
        execution = self._new_execution("OUTBOUND", partnership, outgoing.filename, outgoing.usage, release, now)
        execution.interchange_number, execution.sender, execution.receiver = interchange_number, sender, receiver
        transactions = [item for group in outgoing.groups for item in group.transactions]
        whole: Json = transactions[0] if len(transactions) == 1 else transactions
        self.files.put(f"{execution.id}-input", "application/json", dumps(whole).encode())
        self.files.put(f"{execution.id}-output", "application/edi-x12", edi.encode())
        for group, written in zip(outgoing.groups, groups, strict=True):
            for (number, body), content in zip(written.sets, group.transactions, strict=True):
                each = self._add_transaction(execution, group.setting, written, number, body)
                self.files.put(f"{each.id}-input", "application/json", dumps(content).encode())
                single = Interchange(envelope, (Group(written.number, written.set_id, ((number, body),)),))
                self.files.put(f"{each.id}-output", "application/edi-x12", write(single, outgoing.delimiters).encode())
        document = GeneratedDocument(
            execution.id, partnership.id, tuple(group.setting.id for group in outgoing.groups), execution.filename,
            outgoing.idempotency_key, tuple(transactions), edi, outgoing.usage, interchange_number,
            tuple(group.number for group in groups), now,
        )  # fmt: skip
        self.documents.append(document)
        self.schedule.at(now + self.delivery_delay, lambda at: self._attempt(execution, document, 1, at), "delivery")
        return execution, document

    def _new_execution(
        self,
        direction: Direction,
        partnership: Partnership | None,
        filename: str | None,
        usage: str,
        release: str,
        at: datetime,
    ) -> Execution:
        execution_id, number = self.new_id(), len(self.executions)
        name = filename or execution_id
        execution = Execution(
            execution_id, number, direction, partnership, name, at, at, "IN_PROGRESS", usage, release, 0
        )
        self.executions[execution_id] = execution
        return execution

    def _add_transaction(
        self,
        execution: Execution,
        setting: Setting | None,
        group: Group,
        number: str,
        body: Sequence[Segment],
        interchange: int | None = None,
    ) -> Transaction:
        order = next((row[3] for row in body if row[0] in ("BEG", "BCH", "BAK", "BCA") and len(row) > 3), None)
        each = Transaction(
            self.new_id(), execution, group.set_id, number, group.number,
            setting.id if setting else None, setting.guide_id if setting else None, order,
            execution.interchange_number if interchange is None else interchange,
        )  # fmt: skip
        execution.transactions.append(each)
        self.transactions[each.id] = each
        return each

    def _attempt(self, execution: Execution, document: GeneratedDocument, attempt: int, at: datetime) -> None:
        partnership = execution.partnership
        assert partnership is not None
        delivered = attempt > partnership.failing_attempts
        message = (
            "Delivered to sftp://sandbox/outbound/" if delivered else "Connection refused by sftp://sandbox/outbound/"
        )
        report = DeliveryReport(self.new_id(), attempt, at, delivered, message + execution.filename)
        execution.reports.append(report)
        execution.updated = at
        if delivered:
            self._deliver(execution, document, at)
        elif attempt < ATTEMPTS:
            self.schedule.at(
                at + ATTEMPT_EVERY, lambda later: self._attempt(execution, document, attempt + 1, later), "delivery"
            )
        else:
            document.failed = True
            self._fail(execution, "DELIVERY_FAILURE", report.message, at)

    def _deliver(self, execution: Execution, document: GeneratedDocument, at: datetime) -> None:
        partnership = execution.partnership
        assert partnership is not None
        former = self.mailbox.get((partnership.id, execution.filename))
        document.overwrote = former.execution_id if former is not None and former is not document else None
        document.delivered, document.failed = at, False
        self.mailbox[(partnership.id, execution.filename)] = document
        self._finish(execution, "COMPLETED", at)
        for each in execution.transactions:
            each.processed_at = at
            self.processed.append(each)
        self.on_delivered(document, partnership, at)

    def _finish(self, execution: Execution, status: str, at: datetime) -> None:
        execution.status, execution.updated, execution.finished_at = status, at, at
        self.finished.append(execution)

    def _fail(self, execution: Execution, code: str, message: str, at: datetime) -> None:
        execution.fault_code, execution.fault_message, execution.fault_id = code, message, self.new_id()
        self._finish(execution, "FAILED", at)

    def retry(self, execution: Execution) -> Execution | None:
        """Retry a failed file once: a child execution delivers (or reads) it again. None if it cannot be retried."""
        if execution.status not in ("FAILED", "IGNORED"):
            return None
        now = self.clock.now()
        document = next((each for each in self.documents if each.execution_id == execution.id), None)
        if document is None:
            content = self.files.contents[f"{execution.id}-input"][1]
            child = self.receive(content, partnership=execution.partnership, filename=execution.filename)
        else:
            child = self._new_execution(
                "OUTBOUND", execution.partnership, execution.filename, execution.usage, execution.release, now
            )
            child.interchange_number = execution.interchange_number
            child.sender, child.receiver = execution.sender, execution.receiver
            for name in ("input", "output"):
                self.files.contents[f"{child.id}-{name}"] = self.files.contents[f"{execution.id}-{name}"]
            child.transactions = execution.transactions
            for each in child.transactions:
                each.execution = child
            document.execution_id = child.id
            retried = document
            self.schedule.at(now + self.delivery_delay, lambda at: self._attempt(child, retried, 1, at), "delivery")
        child.parent, execution.child = execution.id, child.id
        execution.status, execution.updated = "RETRIED", now
        return child

    # Inbound.

    def receive(
        self,
        content: str | bytes,
        *,
        partnership: Partnership | None = None,
        filename: str | None = None,
        output: Mapping[str, Json] | None = None,
        at: datetime | None = None,
    ) -> Execution:
        """Receive a file from a partner: it is read, translated and listed, or FAILED as a whole.

        `output` replaces the translation of a file with one transaction (for a differing guide, or broken JSON).
        """
        now = at or self.clock.now()
        try:
            interchanges = read_file(as_text(content))
            partnership = partnership or self._find(interchanges[0][0].envelope.sender)
            translated = [self._translate(interchange, output) for interchange, _ in interchanges]
        except X12Error as error:
            return self.receive_failed(content, partnership, "FAILED_TO_TRANSLATE", str(error), filename, now)
        if partnership is None:
            code = "FAILED_TO_FIND_PARTNERSHIP"
            return self.receive_failed(content, None, code, "no partnership matches", filename, now)
        envelope = interchanges[0][0].envelope
        execution = self._new_execution("INBOUND", partnership, filename, envelope.usage, envelope.release, now)
        execution.interchange_number = envelope.interchange_number
        execution.sender, execution.receiver = envelope.sender, envelope.receiver
        self.files.put(f"{execution.id}-input", "application/edi-x12", _as_bytes(content))
        self._finish(execution, "COMPLETED", now)
        for (interchange, marks), sets in zip(interchanges, translated, strict=True):
            self._list_sets(execution, partnership, interchange, marks, sets, now)
        return execution

    def _list_sets(
        self,
        execution: Execution,
        partnership: Partnership,
        interchange: Interchange,
        marks: Delimiters,
        sets: Sequence[tuple[Group, str, tuple[Segment, ...], Json]],
        now: datetime,
    ) -> None:
        """List each set as ST to SE, without its envelope; the whole file belongs to the execution."""
        envelope = interchange.envelope
        for group, number, body, content in sets:
            setting = next(
                (
                    each
                    for each in partnership.settings.values()
                    if each.set_id == group.set_id and each.direction == "INBOUND"
                ),
                None,
            )
            each = self._add_transaction(execution, setting, group, number, body, envelope.interchange_number)
            own = render_set(group.set_id, number, body, marks)
            self.files.put(f"{each.id}-input", "application/edi-x12", own.encode())
            self.files.put(f"{each.id}-output", "application/json", dumps(content).encode())
            each.processed_at = now
            self.processed.append(each)
        for row in interchange.acknowledgments:
            self._receive_ta1(execution, envelope, row, marks, now)

    def _receive_ta1(
        self, execution: Execution, envelope: Envelope, row: Segment, marks: Delimiters, now: datetime
    ) -> None:
        """List a TA1; it needs no setting and is in no functional group."""
        each = self._add_transaction(execution, None, Group(0, "TA1", ()), "0", (), envelope.interchange_number)
        alone = Interchange(envelope, (), (row,))
        names = ("interchange_control_number_01", "interchange_date_02", "interchange_time_03",
                 "interchange_acknowledgment_code_04", "interchange_note_code_05")  # fmt: skip
        content: Json = {"interchange_acknowledgment_TA1": dict(zip(names, row[1:], strict=False))}
        self.files.put(f"{each.id}-input", "application/edi-x12", render(alone, marks).encode())
        self.files.put(f"{each.id}-output", "application/json", dumps(content).encode())
        each.processed_at = now
        self.processed.append(each)

    def receive_failed(
        self,
        content: str | bytes,
        partnership: Partnership | None,
        code: str,
        message: str,
        filename: str | None = None,
        at: datetime | None = None,
    ) -> Execution:
        """Receive a file that Stedi cannot process: an execution with a fault and without transactions."""
        now = at or self.clock.now()
        execution = self._new_execution("INBOUND", partnership, filename, "P", "", now)
        self.files.put(f"{execution.id}-input", "application/edi-x12", _as_bytes(content))
        if partnership is not None:
            execution.sender, execution.receiver = partnership.remote, LOCAL
        self._fail(execution, code, message, now)
        return execution

    def _find(self, sender: Party) -> Partnership | None:
        for each in self.partnerships.values():
            if (each.partner.isa_qualifier, each.partner.isa_id) == (sender.qualifier, sender.id):
                return each
        return None

    def _translate(
        self, interchange: Interchange, output: Mapping[str, Json] | None
    ) -> list[tuple[Group, str, tuple[Segment, ...], Json]]:
        release = interchange.envelope.release
        found: list[tuple[Group, str, tuple[Segment, ...], Json]] = []
        for group in interchange.groups:
            for number, body in group.sets:
                content: Json
                if output is not None:
                    content = output
                else:
                    try:
                        form = layout(group.set_id, release)
                    except KeyError:
                        header = {"transaction_set_identifier_code_01": group.set_id}
                        content = {"heading": {"transaction_set_header_ST": header}}
                    else:
                        content = to_guide_json(group.set_id, number, body, form)
                found.append((group, number, body, content))
        return found

    def compose(self, partnership: Partnership, set_id: str, body: Sequence[Segment], usage: str, at: datetime) -> str:
        """A file with one transaction set of the partner, with the partner's control numbers."""
        partnership.their_number += 1
        number = partnership.their_number
        envelope = Envelope(partnership.remote, LOCAL, at, number, usage, partnership.partner.release)
        return write(Interchange(envelope, (Group(number, set_id, (("0001", tuple(body)),)),)))
