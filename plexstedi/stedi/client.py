"""Client of Stedi's Core API: sends documents, reads the feeds, downloads documents. Knows nothing about orders."""

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
from plexstedi.stedi.other_keys import OtherKeys
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
    HTML). Methods that read one resource by id raise RejectedCall if Stedi rejects that request only.
    """

    def __init__(self, caller: Caller, other_keys: OtherKeys | None = None) -> None:
        self._caller = caller
        self._other_keys = other_keys

    def close(self) -> None:
        """Close the connections."""
        self._caller.close()

    @property
    def substitute(self) -> str | None:
        """The name of the secret that Stedi accepted after refusing the key in use; None if it refused none."""
        return None if self._other_keys is None else self._other_keys.accepted

    def service_now(self) -> datetime | None:
        """Stedi's current time, UTC, by the Date of its last response; None before the first response."""
        return self._caller.service_now()

    def generate_edi(self, partnership_id: str, body: bytes, key: str) -> SendOutcome:
        """Send one document (OpenAPI GenerateEdi): the bytes of `generate_edi_body`, under its idempotency key.

        Raise ServiceRefused (401, 403) or ServiceUnavailable (throttled, or no time left in the run) only if nothing
        can have been processed.
        """
        return self._send(f"/x12/partnerships/{path_segment(partnership_id)}/generate-edi", body, key)

    def create_transaction(self, partnership_id: str, setting_id: str, body: bytes, key: str) -> SendOutcome:
        """Send one document through a mapping (OpenAPI CreatePartnershipOutboundTransaction); raises as `generate_edi`.

        The response has no control numbers: `execution_transactions` returns them once the file is processed.
        """
        path = f"/partnerships/{path_segment(partnership_id)}/transactions/{path_segment(setting_id)}"
        return self._send(path, body, key)

    def execution(self, execution_id: str) -> Execution | None:
        """One file and its delivery (OpenAPI GetExecution); None for a 404. The only proof of delivery
        (stedi/README.md 3.1)."""
        response = self._found(f"/executions/{path_segment(execution_id)}")
        if response is None:
            return None
        execution = read_execution(response.json())
        if isinstance(execution, UnreadableEntry):
            raise _unexpected(response.path, execution.reason)
        return execution

    def execution_transactions(self, execution_id: str) -> tuple[StediTransaction, ...]:
        """The transactions of a file, with their control numbers; empty before processing, or for an unknown file."""
        path = f"/executions/{path_segment(execution_id)}/transactions"
        return self._all(path, read_transaction)

    def execution_faults(self, execution_id: str) -> tuple[ExecutionFault, ...]:
        """The faults of a file (OpenAPI ExecutionFault)."""
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
        """Files, newest first, by page (OpenAPI ListExecutions). Both ends of the time range are inclusive.

        `display_name` matches substrings of names and paths: compare `file_name` exactly afterwards.
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
        """The next page of the account's transactions, both directions, oldest first (OpenAPI ListPollingTransactions).

        Stedi withholds the newest 15 s. To read the feed to its end: store each page and `page.after(checkpoint)` in
        one database transaction, and stop when `page.last`.
        """
        return self._page("/polling/transactions", polling_params(checkpoint, page_size), read_transaction)

    def poll_executions(self, checkpoint: Checkpoint, page_size: int = LARGEST_PAGE) -> Page[Execution]:
        """The next page of all files, failed ones included; as `poll_transactions` (OpenAPI ListPollingExecutions)."""
        return self._page("/polling/executions", polling_params(checkpoint, page_size), read_execution)

    def transaction(self, transaction_id: str) -> StediTransaction | None:
        """One transaction as listed in the feed (OpenAPI GetTransaction); None for a 404."""
        response = self._found(f"/transactions/{path_segment(transaction_id)}")
        if response is None:
            return None
        transaction = read_transaction(self._caller.scrubbed(response.json()))
        if isinstance(transaction, UnreadableEntry):
            raise _unexpected(response.path, transaction.reason)
        return transaction

    def transaction_document(self, transaction_id: str, side: Side) -> bytes | None:
        """A transaction's EDI (inbound: input; outbound: output) or JSON; None if Stedi has no such document."""
        return self._document(f"/transactions/{path_segment(transaction_id)}/{side}-url")

    def execution_document(self, execution_id: str, side: Side | Literal["metadata"]) -> bytes | None:
        """The file as received, as sent, or its metadata; None if there is none (e.g. output of an inbound file)."""
        return self._document(f"/executions/{path_segment(execution_id)}/{side}-url")

    def retry_executions(self, execution_ids: Sequence[str]) -> None:
        """Retry these failed files at Stedi (OpenAPI RetryExecutions); each can be retried once.

        Raise RejectedCall, InconclusiveSend, ValueError (see `retry_body`).
        """
        self._caller.post("/executions/retry", body=retry_body(tuple(execution_ids)))

    def check_access(self) -> None:
        """Verify the key with the cheapest call that requires one."""
        self._get("/executions", [("pageSize", "1")])

    def check_feeds(self, since: datetime) -> None:
        """Read one item of each feed: a key may lack the permission for one of them. `since` as for `FromTime`."""
        self.poll_executions(FromTime(since), 1)
        self.poll_transactions(FromTime(since), 1)

    def preflight(
        self, partnership_id: str, needed: Sequence[NeededSetting], inbound: Sequence[str] = ACKNOWLEDGMENT_SETS
    ) -> Preflight:
        """Check Stedi's set-up for this partner, as far as its API allows. Never raises.

        `inbound`: the transaction sets that the partner returns.
        """
        return check_partnership(self._caller, partnership_id, needed, inbound)

    def _send(self, path: str, body: bytes, key: str) -> SendOutcome:
        if not 1 <= len(key) <= _LONGEST_KEY or not key.isascii() or not key.isprintable():
            raise ValueError(f"an idempotency key has 1 to {_LONGEST_KEY} printable ASCII characters")
        try:
            response = self._caller.post(path, body=body, headers={"Idempotency-Key": key}, idempotent=True)
        except RejectedCall as rejected:
            return _refused(rejected)
        except InconclusiveSend as error:
            return _inconclusive(error)
        try:
            control = read_generated(response.json())
        except ServiceUnavailable as broken:
            # 2xx without a readable body: the document was accepted, but its execution is not known.
            return Unknown(broken.message, maybe_processed=True)
        if control.file_execution_id is None:
            return Unknown("Stedi accepted the document but returned no execution for it", maybe_processed=True)
        return Accepted(
            file_execution_id=control.file_execution_id,
            interchange_control=control.interchange_control,
            group_control=control.group_control,
            edi=control.edi,
            replayed=response.headers.get("idempotent-replayed", "").lower() == "true",
            date=response.date,
        )

    def _document(self, path: str) -> bytes | None:
        # A presigned URL is valid for an hour; if it is refused nevertheless, request a new one once.
        for _ in range(2):
            response = self._found(path)
            if response is None:
                return None
            document = response.json()
            url = document.get("documentDownloadUrl") if isinstance(document, Mapping) else None
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
        """GET. A 4xx without an error body of Stedi comes from a proxy or a wrong URL: ServiceUnavailable."""
        try:
            return self._caller.get(path, params)
        except RejectedCall as rejected:
            if rejected.has_service_error:
                raise
            raise _unexpected(path, f"status {rejected.status} without an error message from Stedi") from rejected

    def _found(self, path: str) -> ServiceResponse | None:
        """GET; None for a 404."""
        try:
            return self._get(path)
        except RejectedCall as rejected:
            if rejected.status == 404:
                return None
            raise

    def _all(self, path: str, read: Callable[[Json], _Item | UnreadableEntry]) -> tuple[_Item, ...]:
        """All items of a listing below one record; empty if the record does not exist (404)."""
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
        document = self._get(path, params).json()
        items = document.get("items") if isinstance(document, Mapping) else None
        if not isinstance(document, Mapping) or not isinstance(items, list):
            raise _unexpected(path, "there is no list of items")
        values = [_read_entry(read, item) for item in items]
        return Page(
            items=tuple(value for value in values if not isinstance(value, UnreadableEntry)),
            unreadable=tuple(value for value in values if isinstance(value, UnreadableEntry)),
            next_token=next_token(document),
        )


def _read_entry(read: Callable[[Json], _Item | UnreadableEntry], item: Json) -> _Item | UnreadableEntry:
    """Read one entry of a page; an unexpected error makes it an UnreadableEntry, so that the others are still read."""
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
        # An earlier attempt had no response and may have been processed: this rejection is not conclusive.
        return Unknown(f"refused with {rejected.status} after an attempt without a response", maybe_processed=True)
    return Refused(
        rejected.status, rejected.service_code, rejected.service_message or rejected.message, rejected.details
    )


def _inconclusive(error: InconclusiveSend) -> SendOutcome:
    if error.status == 409:
        return InFlight(error.retry_after)
    # Nothing was processed and every other send would fail in the same way: this ends the stage, not one document.
    if error.code in {"throttled", "time-limit"} and not error.maybe_processed:
        raise error
    return Unknown(error.message, error.maybe_processed)


def _unexpected(path: str, reason: str) -> ServiceUnavailable:
    return ServiceUnavailable(
        f"Stedi's response to {path} cannot be understood: {reason}",
        fix="The next run tries again. If it persists, check stedi.base_url, and contact Stedi support.",
    )
