"""Talking to Stedi: sending, reading the feeds, fetching documents. Decides nothing about orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeVar

from plexstedi.decimal_json import Json
from plexstedi.errors import ServiceUnavailable
from plexstedi.http.caller import Caller, path_segment
from plexstedi.http.response import InconclusiveSend, RejectedCall, ServiceResponse
from plexstedi.stedi.models import (
    Execution,
    ExecutionFault,
    StediTransaction,
    UnreadableEntry,
    read_execution,
    read_fault,
    read_generated,
    read_transaction,
)
from plexstedi.stedi.outcome import Accepted, InFlight, Refused, SendOutcome, SlotTaken, Unknown
from plexstedi.stedi.paging import (
    LARGEST_PAGE,
    Checkpoint,
    FromTime,
    Page,
    instant,
    listing_params,
    next_token,
    polling_params,
)
from plexstedi.stedi.preflight import ACKNOWLEDGMENT_SETS, NeededSetting, Preflight, check_partnership
from plexstedi.stedi.requests import retry_body

Side = Literal["input", "output"]
_Item = TypeVar("_Item")
_LONGEST_KEY = 255


class StediClient:
    """Stedi's Core API for one account.

    Every method may raise ServiceRefused (401, 403: key or account) and ServiceUnavailable (network, throttling, 5xx,
    HTML); methods that ask for one thing by its id raise RejectedCall where Stedi refuses that request alone.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def close(self) -> None:
        """Close the connections."""
        self._caller.close()

    def service_now(self) -> datetime | None:
        """Stedi's own time, UTC, by the Date of its last answer; None while it has not answered."""
        return self._caller.service_now()

    def generate_edi(self, partnership_id: str, body: bytes, key: str) -> SendOutcome:
        """Send one document (OpenAPI GenerateEdi): the bytes of `generate_edi_body`, under its idempotency key.

        Raise ServiceRefused (401, 403), or ServiceUnavailable (throttled, or out of the run's time), only where nothing
        can have been processed.
        """
        return self._send(f"/x12/partnerships/{path_segment(partnership_id)}/generate-edi", body, key)

    def create_transaction(self, partnership_id: str, setting_id: str, body: bytes, key: str) -> SendOutcome:
        """Send one document through a mapping (OpenAPI CreatePartnershipOutboundTransaction); raises as above.

        The answer holds no control numbers: `execution_transactions` does, once it is processed.
        """
        path = f"/partnerships/{path_segment(partnership_id)}/transactions/{path_segment(setting_id)}"
        return self._send(path, body, key)

    def execution(self, execution_id: str) -> Execution | None:
        """One file and its delivery; None if Stedi does not know it. The only proof of delivery
        (stedi/README.md 3.1)."""
        answer = self._found(f"/executions/{path_segment(execution_id)}")
        if answer is None:
            return None
        execution = read_execution(answer.json())
        if isinstance(execution, UnreadableEntry):
            raise _unexpected(answer.path, execution.reason)
        return execution

    def execution_transactions(self, execution_id: str) -> tuple[StediTransaction, ...]:
        """The transactions of a file, with their control numbers; empty while it is not processed or not known."""
        path = f"/executions/{path_segment(execution_id)}/transactions"
        return self._all(path, read_transaction)

    def execution_faults(self, execution_id: str) -> tuple[ExecutionFault, ...]:
        """What went wrong with a file."""
        return self._all(f"/executions/{path_segment(execution_id)}/faults", read_fault)

    def executions(
        self,
        *,
        partnership_id: str | None = None,
        begin: datetime | None = None,
        end: datetime | None = None,
        direction: str | None = None,
        display_name: str | None = None,
    ) -> Iterator[Page[Execution]]:
        """Files, newest first, page by page (OpenAPI ListExecutions). Both ends of the time range are inclusive.

        `display_name` matches parts of names and paths: compare `file_name` exactly afterwards.
        """
        filters = {
            "direction": direction,
            "partnershipId": partnership_id,
            "from": None if begin is None else instant(begin),
            "to": None if end is None else instant(end),
            "displayName": display_name,
        }
        yield from self._pages("/executions", filters, read_execution)

    def poll_transactions(self, checkpoint: Checkpoint, page_size: int = LARGEST_PAGE) -> Page[StediTransaction]:
        """The next page of all transactions of the account, in and out, oldest first; the newest 15 s are withheld.

        To drain the feed: store a page with `page.after(checkpoint)` in one transaction, stop when `page.last`.
        """
        return self._page("/polling/transactions", polling_params(checkpoint, page_size), read_transaction)

    def poll_executions(self, checkpoint: Checkpoint, page_size: int = LARGEST_PAGE) -> Page[Execution]:
        """The next page of all files, by the same rules as `poll_transactions`. Also holds files that failed."""
        return self._page("/polling/executions", polling_params(checkpoint, page_size), read_execution)

    def transaction(self, transaction_id: str) -> StediTransaction | None:
        """One transaction as the feed lists it (OpenAPI GetTransaction); None if Stedi does not know it."""
        answer = self._found(f"/transactions/{path_segment(transaction_id)}")
        if answer is None:
            return None
        transaction = read_transaction(self._caller.scrubbed(answer.json()))
        if isinstance(transaction, UnreadableEntry):
            raise _unexpected(answer.path, transaction.reason)
        return transaction

    def transaction_document(self, transaction_id: str, side: Side) -> bytes | None:
        """The EDI (inbound: input; outbound: output) or JSON of a transaction; None if Stedi has no such document."""
        return self._document(f"/transactions/{path_segment(transaction_id)}/{side}-url")

    def execution_document(self, execution_id: str, side: Side | Literal["metadata"]) -> bytes | None:
        """The file as received, as sent, or its metadata; None if there is none (output of an inbound file)."""
        return self._document(f"/executions/{path_segment(execution_id)}/{side}-url")

    def retry_executions(self, execution_ids: Sequence[str]) -> None:
        """Let Stedi try these failed files again; each can be retried once. Raise RejectedCall, InconclusiveSend, ValueError."""
        self._caller.post("/executions/retry", body=retry_body(tuple(execution_ids)))

    def check_access(self) -> None:
        """The cheapest call that needs a valid key."""
        self._get("/executions", [("pageSize", "1")])

    def check_feeds(self, since: datetime) -> None:
        """Ask both feeds for an item: a key may lack the right to one of them. `since` as for `FromTime`."""
        self.poll_executions(FromTime(since), 1)
        self.poll_transactions(FromTime(since), 1)

    def preflight(
        self, partnership_id: str, needed: Sequence[NeededSetting], inbound: Sequence[str] = ACKNOWLEDGMENT_SETS
    ) -> Preflight:
        """Whether Stedi is set up for this partner, as far as it lets itself be asked. Never raises.

        `inbound`: the transaction sets that the partner answers with.
        """
        return check_partnership(self._caller, partnership_id, needed, inbound)

    def _send(self, path: str, body: bytes, key: str) -> SendOutcome:
        if not 1 <= len(key) <= _LONGEST_KEY or not key.isascii() or not key.isprintable():
            raise ValueError(f"an idempotency key has 1 to {_LONGEST_KEY} printable ASCII characters")
        try:
            answer = self._caller.post(path, body=body, headers={"Idempotency-Key": key}, idempotent=True)
        except RejectedCall as rejected:
            return _refused(rejected)
        except InconclusiveSend as unheard:
            return _inconclusive(unheard)
        try:
            control = read_generated(answer.json())
        except ServiceUnavailable as broken:
            return Unknown(broken.message, maybe_processed=True)
        if control.file_execution_id is None:
            return Unknown("Stedi accepted the document but returned no execution for it", maybe_processed=True)
        return Accepted(
            file_execution_id=control.file_execution_id,
            interchange_control=control.interchange_control,
            group_control=control.group_control,
            edi=control.edi,
            replayed=answer.headers.get("idempotent-replayed", "").lower() == "true",
            date=answer.date,
        )

    def _document(self, path: str) -> bytes | None:
        # A presigned address lives for an hour; one that is refused all the same is replaced once.
        for _ in range(2):
            answer = self._found(path)
            if answer is None:
                return None
            told = answer.json()
            url = told.get("documentDownloadUrl") if isinstance(told, Mapping) else None
            if not isinstance(url, str) or not url:
                return None
            try:
                return self._caller.download(url)
            except RejectedCall:
                continue
        raise ServiceUnavailable(
            f"Stedi gave an address for {path.removesuffix('-url')} that its storage refuses",
            fix="The next run tries again. If it persists, check that no proxy changes requests, and contact Stedi "
            "support.",
        )

    def _get(self, path: str, params: Sequence[tuple[str, str]] = ()) -> ServiceResponse:
        """An answer. A refusal that is not in Stedi's words comes from a proxy or a wrong address."""
        try:
            return self._caller.get(path, params)
        except RejectedCall as rejected:
            if rejected.has_service_error:
                raise
            raise _unexpected(path, f"status {rejected.status} without an error message from Stedi") from rejected

    def _found(self, path: str) -> ServiceResponse | None:
        """The answer, None for a 404."""
        try:
            return self._get(path)
        except RejectedCall as rejected:
            if rejected.status == 404:
                return None
            raise

    def _all(self, path: str, read: Callable[[Json], _Item | UnreadableEntry]) -> tuple[_Item, ...]:
        """All items of a listing that belongs to one record; none if the record is not there (404)."""
        found: list[_Item] = []
        try:
            for page in self._pages(path, {}, read):
                if page.unreadable:
                    raise _unexpected(path, page.unreadable[0].reason)
                found += page.items
        except RejectedCall as rejected:
            if rejected.status != 404:
                raise
        return tuple(found)

    def _pages(
        self, path: str, filters: Mapping[str, str | None], read: Callable[[Json], _Item | UnreadableEntry]
    ) -> Iterator[Page[_Item]]:
        token: str | None = None
        while True:
            page = self._page(path, listing_params(filters, LARGEST_PAGE, token), read)
            yield page
            if page.last:
                return
            if page.next_token == token:
                raise _unexpected(path, "the same page token came twice")
            token = page.next_token

    def _page(
        self, path: str, params: Sequence[tuple[str, str]], read: Callable[[Json], _Item | UnreadableEntry]
    ) -> Page[_Item]:
        told = self._get(path, params).json()
        items = told.get("items") if isinstance(told, Mapping) else None
        if not isinstance(told, Mapping) or not isinstance(items, list):
            raise _unexpected(path, "there is no list of items")
        values = [_read_entry(read, item) for item in items]
        return Page(
            items=tuple(value for value in values if not isinstance(value, UnreadableEntry)),
            unreadable=tuple(value for value in values if isinstance(value, UnreadableEntry)),
            next_token=next_token(told),
        )


def _read_entry(read: Callable[[Json], _Item | UnreadableEntry], item: Json) -> _Item | UnreadableEntry:
    """One entry of a page; one that raises what nobody foresaw keeps no other from being read."""
    try:
        return read(item)
    except Exception as error:
        return UnreadableEntry(f"{type(error).__name__}: {error}", item, error)


def _refused(rejected: RejectedCall) -> SendOutcome:
    if not rejected.has_service_error:
        return Unknown(f"{rejected.message}, without an error message from Stedi", maybe_processed=False)
    if rejected.status == 422:
        return SlotTaken(rejected.service_message or rejected.message)
    if rejected.maybe_processed:
        # The attempt before it had no answer and may have been carried out: this refusal concludes nothing.
        return Unknown(f"refused with {rejected.status} after an attempt without a response", maybe_processed=True)
    return Refused(
        rejected.status, rejected.service_code, rejected.service_message or rejected.message, rejected.details
    )


def _inconclusive(unheard: InconclusiveSend) -> SendOutcome:
    if unheard.status == 409:
        return InFlight(unheard.retry_after)
    if unheard.code in {"throttled", "time-limit"} and not unheard.maybe_processed:
        raise unheard
    return Unknown(unheard.message, unheard.maybe_processed)


def _unexpected(path: str, reason: str) -> ServiceUnavailable:
    return ServiceUnavailable(
        f"Stedi's response to {path} cannot be understood: {reason}",
        fix="The next run tries again. If it persists, check stedi.base_url, and contact Stedi support.",
    )
