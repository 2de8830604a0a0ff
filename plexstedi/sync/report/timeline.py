"""Events of the audit trail as text, for the timeline of an order. The trail itself stores kinds and values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from plexstedi.state.audit import Event, Fact
from plexstedi.state.document import Document
from plexstedi.state.inbox import Inbound
from plexstedi.state.subject import Subject, of_document, of_transaction

_PURPOSES = {"00": "original", "01": "cancellation", "04": "change", "05": "replacement", "07": "duplicate"}
_PURPOSES["15"] = "re-submission"
_DECIDED = {
    "applied": "applied",
    "held": "held for review",
    "waiting": "waiting: its order is unknown",
    "duplicate": "is a duplicate, no effect",
    "ignored": "ignored",
    "superseded": "older than the current state, kept and not applied",
    "stored": "is processed again",
}
_SYNTAX = {
    "accepted": "the supplier's system accepted its syntax (997)",
    "accepted_with_errors": "the supplier's system accepted it with errors (997)",
    "rejected": "the supplier's system rejected its syntax (997)",
}


class EventWords:
    """Texts for the events of one order, with readable names of its documents and acknowledgments."""

    def __init__(self, documents: Mapping[int, Document], acknowledgments: Mapping[str, Inbound]) -> None:
        self._documents = documents
        self._acknowledgments = acknowledgments

    def of(self, event: Event) -> str:
        """The text of one event, without its time; an unknown kind is shown with all its values."""
        wording = _WORDS.get(event.kind)
        if wording is None:
            return _unknown(event)
        return wording(self.subject(event.subject), event.detail)

    def subject(self, subject: Subject) -> str:
        """`document 12` as `850 original`, `transaction …` as set and type of the acknowledgment, with its part."""
        document = None if subject.document is None else self._documents.get(subject.document)
        if document is not None and subject == of_document(document.id):
            return f"{document.kind} {_PURPOSES.get(document.purpose, document.purpose)} (document {document.id})"
        received = None if subject.transaction is None else self._acknowledgments.get(subject.transaction)
        if received is None:
            return subject.text
        name = " ".join(filter(None, (received.set_id, received.type_code, f"({received.transaction_id[:8]}…)")))
        whole = of_transaction(received.transaction_id).text
        part = subject.text.removeprefix(whole).strip() if subject.text.startswith(whole) else ""
        return f"{name}, {part}" if part else name


_Wording = Callable[[str, Mapping[str, Fact]], str]


def _first_read(subject: str, detail: Mapping[str, Fact]) -> str:
    known = " (from before PlexStedi: marked as known to the supplier)" if detail.get("known") else ""
    return f"first read from Plex: {detail.get('phase')}{known}"


def _changed(subject: str, detail: Mapping[str, Fact]) -> str:
    return f"changed in Plex: revision {detail.get('revision')}, {detail.get('phase')}"


def _booked(detail: Mapping[str, Fact]) -> str:
    return "void" if detail.get("void") else "booked" if detail.get("booked") else "not booked"


def _invoice_first_read(subject: str, detail: Mapping[str, Fact]) -> str:
    known = (
        " (from before invoices were sent from here: marked as known to the customer)" if detail.get("known") else ""
    )
    traded = "" if detail.get("traded") else f", not traded by EDI: customer {detail.get('customer')} has no settings"
    return f"first read from Plex: {_booked(detail)}{known}{traded}"


def _frozen(subject: str, detail: Mapping[str, Fact]) -> str:
    words = f"{subject} made from revision {detail.get('revision')}"
    if detail.get("replay_of"):
        words += f", a replay of document {detail['replay_of']}"
    return words


def _accepted(subject: str, detail: Mapping[str, Fact]) -> str:
    control = detail.get("interchange_control")
    return f"Stedi took {subject}" + (f", interchange {control}" if control else "")


def _opened(subject: str, detail: Mapping[str, Fact]) -> str:
    return f"needs review: {_kind(detail.get('review'))}, {subject}: {_reasons(detail.get('reasons'))}"


def _withdrawn(subject: str, detail: Mapping[str, Fact]) -> str:
    return f"no longer needs review: {_kind(detail.get('review'))}, {subject}: {detail.get('why')}"


def _decided(subject: str, detail: Mapping[str, Fact]) -> str:
    state = str(detail.get("state"))
    why = detail.get("reason")
    return f"{subject} {_DECIDED.get(state, state)}" + (f": {why}" if why else "")


def _envelope(subject: str, detail: Mapping[str, Fact]) -> str:
    verdict, note = str(detail.get("verdict")).replace("_", " "), detail.get("note")
    text = f"{subject}: interchange {detail.get('interchange_control')} was {verdict} (TA1)"
    return f"{text}: {note}" if note else text


_WORDS: Mapping[str, _Wording] = {
    "order-seen": _first_read,
    "order-changed": _changed,
    "order-vanished": lambda subject, detail: "Plex no longer has the order",
    "order-not-traded": lambda subject, detail: f"not traded by EDI: supplier {detail.get('supplier')} has no settings",
    "order-onboarded": lambda subject, detail: f"supplier {detail.get('supplier')} is traded by EDI from now on",
    "order-traded": lambda subject, detail: f"given to supplier {detail.get('supplier')}, which is traded by EDI",
    "known-order-ignored": lambda subject, detail: "a change of an order from before PlexStedi was ignored",
    "invoice-seen": _invoice_first_read,
    "invoice-changed": lambda subject, detail: f"changed in Plex: revision {detail.get('revision')}, {_booked(detail)}",
    "invoice-onboarded": lambda subject, detail: (
        f"customer {detail.get('customer')} is traded by EDI from now on; this invoice is marked as known to the "
        "customer"
    ),
    "invoice-traded": lambda subject, detail: f"given to customer {detail.get('customer')}, which is traded by EDI",
    "document-frozen": _frozen,
    "attempt-begun": lambda subject, detail: f"sending {subject}, attempt {detail.get('attempt')}",
    "attempt-ended": lambda subject, detail: f"attempt {detail.get('attempt')} of {subject}: {detail.get('outcome')}",
    "document-accepted": _accepted,
    "document-delivered": lambda subject, detail: f"{subject} delivered to the supplier",
    "delivery-failed": lambda subject, detail: f"{subject} could not be delivered: {detail.get('message')}",
    "delivery-retried": lambda subject, detail: f"delivery of {subject} was tried again at Stedi",
    "functional-ack": lambda subject, detail: f"{subject}: {_SYNTAX.get(str(detail.get('status')), detail['status'])}",
    "interchange-ack": _envelope,
    "business-ack": lambda subject, detail: (
        f"{subject}: the supplier's acknowledgments result in {detail.get('status')}"
    ),
    "transaction-listed": lambda subject, detail: f"{subject} was received by Stedi",
    "transaction-known": lambda subject, detail: (
        f"the partnership of {subject} is known now"
        + (f", and it is ignored: {detail['left_alone']}" if detail.get("left_alone") else "")
    ),
    "transaction-stored": lambda subject, detail: f"{subject} fetched and kept as received ({detail.get('form')})",
    "transaction-decided": _decided,
    "review-opened": _opened,
    "review-withdrawn": _withdrawn,
    "write-planned": lambda subject, detail: "the Plex write was planned from the acknowledgment",
    "write-done": lambda subject, detail: "the acknowledgment was written to Plex and read back",
    "write-found-done": lambda subject, detail: "Plex already has the acknowledgment",
    "release-left-alone": lambda subject, detail: f"left unchanged in Plex: {detail.get('reason')}",
    "write-not-seen": lambda subject, detail: f"not yet visible in Plex: {detail.get('reason')}",
    "write-not-done": lambda subject, detail: f"not yet written to Plex: {detail.get('reason')}",
}


def _unknown(event: Event) -> str:
    values = ", ".join(f"{name.replace('_', ' ')} {_listed(value)}" for name, value in event.detail.items() if value)
    words = f"{event.kind.replace('-', ' ')}, {event.subject}"
    return f"{words}: {values}" if values else words


def _kind(kind: object) -> str:
    return str(kind).replace("-", " ")


def _reasons(reasons: Fact) -> str:
    if not isinstance(reasons, list):
        return str(reasons)
    return "; ".join(str(reason.get("message")) if isinstance(reason, Mapping) else str(reason) for reason in reasons)


def _listed(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return str(value)
