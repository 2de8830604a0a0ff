"""Common objects as JSON, with one shape in every command (DESIGN.md section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexstedi.cli.result.values import Day, JsonShape, Number, Time

if TYPE_CHECKING:
    from plexstedi.credentials.secrets import ListedSecret
    from plexstedi.edi.inbound.outcome import UnmatchedLine
    from plexstedi.edi.reasons import Reason
    from plexstedi.edi.writeback.plan import WriteEntry
    from plexstedi.state.document import Document
    from plexstedi.state.reviews import Review
    from plexstedi.sync.ingest.ingest import PlannedChange
    from plexstedi.sync.people.replay import Replay
    from plexstedi.sync.people.review import Consequence, ReviewLine
    from plexstedi.sync.report.check import Finding
    from plexstedi.sync.report.check_guides import Trial
    from plexstedi.sync.submit.submit import Preview


class ReasonJson(JsonShape):
    """Why something is held, or needs review."""

    code: str
    where: str
    message: str
    fix: str

    @classmethod
    def of(cls, reason: Reason) -> ReasonJson:
        return cls(code=reason.code, where=reason.where, message=reason.message, fix=reason.fix)


class ReviewJson(JsonShape):
    """A review item."""

    id: int
    kind: str
    state: str
    order: str | None
    """The number of its order or invoice."""
    supplier: str | None
    line: int | None
    document: int | None
    transaction: str | None
    since: Time
    closed_at: Time | None
    closed_by: str | None
    closing_reason: str | None
    reasons: list[ReasonJson]

    @classmethod
    def of(cls, review: Review) -> ReviewJson:
        return cls(
            id=review.id,
            kind=review.kind.value,
            state=review.state,
            order=review.order_number,
            supplier=review.supplier,
            line=review.line,
            document=review.subject.document,
            transaction=review.subject.transaction,
            since=review.opened_at,
            closed_at=review.closed_at,
            closed_by=review.closed_by,
            closing_reason=review.closing_reason,
            reasons=[ReasonJson.of(reason) for reason in review.reasons],
        )


class DocumentJson(JsonShape):
    """An outbound document: 850, 860 or 810."""

    id: int
    kind: str
    revision: int
    state: str
    delivery: str
    functional_ack: str
    business_ack: str
    purpose: str
    change_sequence: int
    replay_of: int | None
    file_name: str
    idempotency_key: str
    file_execution_id: str | None
    interchange_control_number: int | None
    group_control_number: int | None
    error: str | None
    dropped: list[str]

    @classmethod
    def of(cls, document: Document) -> DocumentJson:
        return cls(
            id=document.id,
            kind=document.kind,
            revision=document.revision,
            state=document.state.value,
            delivery=document.delivery.value,
            functional_ack=document.functional_ack.value,
            business_ack=document.business_ack.value,
            purpose=document.purpose,
            change_sequence=document.change_sequence,
            replay_of=document.replay_of,
            file_name=document.file_name,
            idempotency_key=document.idempotency_key,
            file_execution_id=document.file_execution_id,
            interchange_control_number=document.interchange_control,
            group_control_number=document.group_control,
            error=document.error,
            dropped=list(document.dropped),
        )


class PreviewJson(JsonShape):
    """A document that would be sent: `submit --dry-run`."""

    order: str
    release: str | None
    supplier: str
    kind: str
    purpose: str
    revision: int
    change_sequence: int
    idempotency_key: str
    file_name: str
    partnership_id: str
    transaction_setting_id: str
    request: str
    """The request body for Stedi."""
    x12: str
    dropped: list[str]

    @classmethod
    def of(cls, preview: Preview) -> PreviewJson:
        document = preview.document
        return cls(
            order=document.order_number,
            release=document.order_release,
            supplier=document.supplier,
            kind=document.kind,
            purpose=document.purpose,
            revision=document.revision,
            change_sequence=document.change_sequence,
            idempotency_key=document.idempotency_key,
            file_name=document.file_name,
            partnership_id=document.partnership,
            transaction_setting_id=document.transaction_setting,
            request=document.body.decode(),
            x12=document.x12,
            dropped=list(document.dropped),
        )


class ReplayJson(JsonShape):
    """A document that is sent again; `document` and `state` are null in a preview."""

    order: str
    release: str | None
    supplier: str
    kind: str
    purpose: str
    revision: int
    replay_of: int
    idempotency_key: str
    file_name: str
    content: str
    """`same` as sent before, `rebuilt` with the settings of today and different, or `not-comparable`."""
    differences: list[str]
    x12: str
    document: int | None
    state: str | None

    @classmethod
    def of(cls, replay: Replay, sent: Document | None = None) -> ReplayJson:
        return cls(
            order=replay.new.order_number,
            release=replay.new.order_release,
            supplier=replay.new.supplier,
            kind=replay.new.kind,
            purpose=replay.new.purpose,
            revision=replay.new.revision,
            replay_of=replay.last.id,
            idempotency_key=replay.new.idempotency_key,
            file_name=replay.new.file_name,
            content=replay.comparison.change.value,
            differences=list(replay.comparison.differences),
            x12=replay.new.x12,
            document=None if sent is None else sent.id,
            state=None if sent is None else sent.state.value,
        )


class LineJson(JsonShape):
    """An order line, ordered against confirmed, in the unit sent; dates are those of the last schedule."""

    line: int
    ordered: Number
    unit: str
    confirmed: Number
    backordered: Number
    ship_date: Day | None
    delivery_date: Day | None
    state: str


class ReviewLineJson(LineJson):
    """A line as one acknowledgment states it, next to what was ordered."""

    open: Number
    """Ordered less received."""
    rejected: Number
    price: Number | None
    """As ordered, per unit sent."""
    acknowledged_price: Number | None
    due: list[Day]
    """The dates ordered."""
    code: str | None
    """ACK01 as sent."""
    if_accepted: str | None
    reasons: list[ReasonJson]

    @classmethod
    def of(cls, line: ReviewLine) -> ReviewLineJson:
        ordered, stated = line.ordered, line.acknowledged
        return cls(
            line=stated.line,
            ordered=stated.ordered,
            unit=stated.unit,
            confirmed=stated.confirmed,
            backordered=stated.backordered,
            ship_date=stated.ship_date,
            delivery_date=stated.delivery_date,
            state=stated.state.value,
            open=stated.open,
            rejected=stated.rejected,
            price=None if ordered is None else ordered.price,
            acknowledged_price=stated.price,
            due=[] if ordered is None else [schedule.due for schedule in ordered.schedules if schedule.due],
            code=stated.code,
            if_accepted=None if stated.if_accepted is None else stated.if_accepted.value,
            reasons=[ReasonJson.of(reason) for reason in stated.reasons],
        )


class UnmatchedLineJson(JsonShape):
    """An acknowledged line that matches no single order line."""

    place: str
    assigned_id: str | None
    candidates: list[int]
    reason: ReasonJson

    @classmethod
    def of(cls, line: UnmatchedLine) -> UnmatchedLineJson:
        return cls(
            place=line.place,
            assigned_id=line.assigned_id,
            candidates=list(line.candidates),
            reason=ReasonJson.of(line.reason),
        )


class FieldJson(JsonShape):
    """The new value of one Plex field, and the reason."""

    level: str
    record: str
    line: int | None
    release: int | None
    field: str
    after: str | None
    why: str


class PlannedFieldJson(FieldJson):
    """A value that a decision would write."""

    @classmethod
    def of(cls, entry: WriteEntry) -> PlannedFieldJson:
        return cls(
            level=entry.level,
            record=entry.record_id,
            line=entry.line,
            release=entry.release_number,
            field=entry.field,
            after=entry.value,
            why=entry.why,
        )


class WriteJson(FieldJson):
    """A value that was or would be written to Plex: `before` is the former value."""

    order: str
    transaction: str
    before: str | None

    @classmethod
    def of(cls, planned: PlannedChange) -> WriteJson:
        change = planned.change
        return cls(
            level=change.level,
            record=change.record_id,
            line=change.line,
            release=change.release_number,
            field=change.field,
            after=change.after,
            why=change.why,
            order=planned.order,
            transaction=planned.transaction,
            before=change.before,
        )


class ConsequenceJson(JsonShape):
    """The effect of accept or reject."""

    words: str
    possible: bool
    writes: list[PlannedFieldJson]

    @classmethod
    def of(cls, consequence: Consequence) -> ConsequenceJson:
        return cls(
            words=consequence.words,
            possible=consequence.possible,
            writes=[PlannedFieldJson.of(entry) for entry in consequence.writes],
        )


class FindingJson(JsonShape):
    """One finding of `check`."""

    area: str
    subject: str
    verdict: str
    message: str
    fix: str

    @classmethod
    def of(cls, finding: Finding) -> FindingJson:
        return cls(
            area=finding.area.value,
            subject=finding.subject,
            verdict=finding.verdict.value,
            message=finding.message,
            fix=finding.fix,
        )


class TrialJson(JsonShape):
    """An order of the state file, tested as a document."""

    order: str
    release: str | None
    kind: str
    result: str
    """`would-send` or `held`."""
    reasons: list[ReasonJson]
    segments: list[str]
    dropped: list[str]
    adjusted: list[str]

    @classmethod
    def of(cls, trial: Trial) -> TrialJson:
        return cls(
            order=trial.order,
            release=trial.release,
            kind=trial.kind,
            result="would-send" if trial.would_go else "held",
            reasons=[ReasonJson.of(reason) for reason in trial.reasons],
            segments=list(trial.segments),
            dropped=[str(dropped) for dropped in trial.dropped],
            adjusted=list(trial.adjusted),
        )


class CredentialJson(JsonShape):
    """A secret, without its value."""

    name: str
    source: str | None
    set_at: Time | None
    problem: str | None

    @classmethod
    def of(cls, entry: ListedSecret) -> CredentialJson:
        return cls(
            name=entry.name.value,
            source=None if entry.source is None else str(entry.source),
            set_at=entry.set_at,
            problem=None if entry.problem is None else entry.problem.message,
        )
