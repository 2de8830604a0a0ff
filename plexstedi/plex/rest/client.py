"""Reads Plex's REST collections: lists and single resources as rows, in either dialect.

Every list is checked: it must be a JSON list of the right collection (a 404 means a wrong path version, not "no data"),
and the filter must have been applied, since Plex silently ignores unknown parameters (plex/README.md 4.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Generic, TypeVar, cast
from urllib.parse import parse_qsl, urljoin, urlsplit

from msgspec import Struct

from plexstedi.decimal_json import Json, dumps
from plexstedi.errors import PlexStediError, RequestRejected, ServiceRefused, ServiceUnavailable
from plexstedi.http.caller import Caller, path_segment
from plexstedi.http.response import ServiceResponse
from plexstedi.plex.port import MasterDataStore, NoMasterData, UnreadableRecord, Window
from plexstedi.plex.rest.dialect import Dialect
from plexstedi.plex.rest.rows import Row, RowFault, filter_time

Params = Sequence[tuple[str, str]]
UNREADABLE = "unreadable"
"""Error code for a record that exists but cannot be read."""
QUERY_REFUSED = "question-refused"
"""Error code for a query that Plex rejects (400, 422)."""
_Read = TypeVar("_Read")
_MAX_PAGES = 10_000
_VERSION = re.compile(r"/v(\d{1,3})(?:-[a-z0-9]+)?/")
_GRACE = timedelta(seconds=1)
"""Filters have a resolution of whole seconds, rows have fractions."""


class _NoObject(Struct, frozen=True):
    """An item of a list that is not a record."""

    row: Row


class _Checked(Struct, Generic[_Read], frozen=True):
    """What was read of a row, and whether the row lies in the window that was requested."""

    value: _Read
    has_time: bool = False
    unreadable: RowFault | None = None
    odd: tuple[Row, Exception] | None = None
    outside: str | None = None


class Rest:
    """The collections of one tenant."""

    def __init__(self, caller: Caller, dialect: Dialect, kept: MasterDataStore | None = None) -> None:
        """`kept`: the master data of earlier runs."""
        self.caller = caller
        self.dialect = dialect
        self._kept: MasterDataStore = NoMasterData() if kept is None else kept
        self._odd: list[UnreadableRecord] = []

    def skip_row(self, row: Row, error: Exception) -> None:
        """Record a row that cannot be read and does not identify an order or invoice that could be held instead."""
        unforeseen = None if isinstance(error, RowFault) else error
        self._odd.append(UnreadableRecord(row.table, row.key(), row.what, str(error), unforeseen))

    def unreadable_records(self) -> tuple[UnreadableRecord, ...]:
        """The rows skipped since the last call of this method, each once."""
        found = {(odd.table, odd.key): odd for odd in self._odd}
        self._odd.clear()
        return tuple(found.values())

    def each(self, rows: Iterable[Row], read: Callable[[Row], _Read]) -> Iterator[_Read]:
        """The result of `read` for each row; rows that it cannot read are skipped and recorded."""
        for row in rows:
            try:
                value = read(row)
            except PlexStediError:
                raise
            except Exception as error:
                self.skip_row(row, error)
            else:
                yield value

    def all_of(self, resource: str, params: Params = (), **ids: str) -> tuple[Row, ...]:
        """All rows of a collection, over all its pages.

        Raise ServiceRefused if the collection does not exist (404) or the query is rejected, ServiceUnavailable if the
        response is not a list of records.
        """
        return self._found(resource, self.all_or_none(resource, params, **ids))

    def read_all(self, resource: str, read: Callable[[Row], _Read], params: Params = ()) -> tuple[_Read, ...]:
        """As `all_of`, but only what `read` returns for each row is kept: a long list never is in memory as a whole.

        `read` is called while the list arrives, which may yet turn out to be broken: it must not raise or act.
        """
        return self._found(resource, self._all(resource, self.path(resource), params, read))

    def all_or_none(self, resource: str, params: Params = (), **ids: str) -> tuple[Row, ...] | None:
        """As `all_of`, but None for a 404: for tables that a tenant may lack, or lists below a record."""
        return self._all(resource, self.path(resource, **ids), params, _itself)

    def _all(self, resource: str, path: str, params: Params, read: Callable[[Row], _Read]) -> tuple[_Read, ...] | None:
        try:
            return tuple(self._pages(resource, path, params, read))
        except RequestRejected as error:
            if error.status != 404:
                raise self._query_rejected(resource, error) from error
            return None

    def _found(self, resource: str, rows: tuple[_Read, ...] | None) -> tuple[_Read, ...]:
        if rows is None:
            raise self.no_such_path(resource)
        return rows

    def kept_rows(self, resource: str, key: str = "") -> tuple[Row, ...] | None:
        """The rows that an earlier run kept; None if there are none, or they are too old."""
        rows = self._kept.get(resource, key)
        return tuple(self.row_of(resource, row) for row in rows) if isinstance(rows, list) else None

    def keep_rows(self, resource: str, rows: Iterable[Row], key: str = "") -> None:
        """Keep these rows for later runs."""
        self._kept.put(resource, key, [row.document for row in rows])

    def one(self, resource: str, **ids: str) -> Row | None:
        """A single record; None for a 404."""
        try:
            response = self.caller.get(self.path(resource, **ids))
        except RequestRejected as error:
            if error.status != 404:
                raise self._query_rejected(resource, error) from error
            return None
        document = response.json()
        if isinstance(document, Mapping) and isinstance(document.get("data"), Mapping):
            document = document["data"]
        return self._row(resource, response, document)

    def search(self, resource: str, body: Json) -> ServiceResponse:
        """The response to a query by POST. Raise ServiceRefused if its path does not exist (404)."""
        try:
            return self.caller.search(self.path(resource), body=dumps(body).encode())
        except RequestRejected as error:
            if error.status != 404:
                raise
            raise self.no_such_path(resource) from error

    def in_window(self, resource: str, window: Window, *, by: str, field: str, extra: Params = ()) -> tuple[Row, ...]:
        """Rows whose `field` lies in the window, by the filters `by`_begin and `by`_end.

        Raise ServiceRefused for a row outside the window: the filter was ignored and this is the whole table.
        """
        return self.read_window(resource, window, _itself, by=by, field=field, extra=extra)

    def read_window(
        self,
        resource: str,
        window: Window,
        read: Callable[[Row], _Read],
        *,
        by: str,
        field: str,
        extra: Params = (),
    ) -> tuple[_Read, ...]:
        """As `in_window`, but only what `read` returns for each row is kept (see `read_all`)."""
        begin, end = self.dialect.filter(f"{by}_begin"), self.dialect.filter(f"{by}_end")
        if begin is None or end is None:
            return ()
        # Filters have whole seconds: round the end up, so that a row in its last fraction of a second is not missed.
        until = window.end if window.end.microsecond == 0 else window.end.replace(microsecond=0) + _GRACE

        def checked(row: Row) -> _Checked[_Read]:
            try:
                moment = _moment(row, field)
            except RowFault as error:
                return _Checked(read(row), unreadable=error)
            except Exception as error:
                # An unexpected error in one row: record it and continue. Reading its order or invoice raises it again.
                return _Checked(read(row), odd=(row, error))
            if moment is not None and not window.begin - _GRACE <= moment <= until + _GRACE:
                return _Checked(read(row), outside=f"{row.what} has {field} {moment:%Y-%m-%dT%H:%M:%SZ}")
            return _Checked(read(row), has_time=moment is not None)

        rows = self.read_all(resource, checked, [(begin, filter_time(window.begin)), (end, filter_time(until)), *extra])
        for each in rows:
            if each.odd is not None:
                self.skip_row(*each.odd)
            if each.outside is not None:
                raise self.ignored(resource, f"{by}_begin", begin, each.outside)
        unreadable = [each.unreadable for each in rows if each.unreadable is not None]
        if unreadable and len(rows) > 1 and not any(each.has_time for each in rows):
            # If no row has a readable time, the interface uses another format: fail instead of skipping all rows.
            with readable(resource):
                raise unreadable[-1]
        return tuple(each.value for each in rows)

    def by_ids(
        self, resource: str, *, by: str, ids: Collection[str], field: str, extra: Params = ()
    ) -> list[tuple[str | None, Row]]:
        """Rows whose `field` is one of the ids, each with that id, in as few calls as the dialect allows.

        A row whose `field` cannot be read is paired with None: it belongs to one of the ids. Raise ServiceRefused for a
        row with another id: the filter was ignored.
        """
        name = self.dialect.filters[by]
        found: list[tuple[str | None, Row]] = []
        for some in in_groups(sorted(set(ids)), self.dialect.ids_per_call):
            spelled = {each.lower(): each for each in some}
            for row in self.all_of(resource, [*((name, each) for each in some), *extra]):
                try:
                    key = row.needed(field)
                except RowFault:
                    found.append((None, row))
                    continue
                if key.lower() not in spelled:
                    raise self.ignored(resource, by, name, f"{row.what} has {field} {key}")
                found.append((spelled[key.lower()], row))
        return found

    def path(self, resource: str, **ids: str) -> str:
        """The path of a resource with URL-quoted ids."""
        return self.dialect.path(resource, **{name: path_segment(value) for name, value in ids.items()})

    def rows(self, resource: str, response: ServiceResponse) -> tuple[Row, ...]:
        """The rows of a response, which must be a list or an object with a list in `data`."""
        return tuple(self._rows(resource, response, _itself))

    def _rows(self, resource: str, response: ServiceResponse, read: Callable[[Row], _Read]) -> Iterator[_Read]:
        """What `read` returns for each row; rows that are no objects are skipped."""
        items = response.items
        if items is None:
            document = response.json()
            listed = document.get("data") if isinstance(document, Mapping) else document
            if isinstance(listed, str) or not isinstance(listed, Sequence):
                raise self._not_a_list(response)
            items = [self._item(resource, item, read) for item in listed]
        if items and all(isinstance(item, _NoObject) for item in items):
            raise self._not_a_list(response)
        for item in items:
            if isinstance(item, _NoObject):
                self.skip_row(item.row, RowFault(f"{resource}: no object"))
            else:
                yield cast("_Read", item)

    def _item(self, resource: str, item: Json, read: Callable[[Row], _Read]) -> _Read | _NoObject:
        if not isinstance(item, Mapping):
            return _NoObject(Row({"value": item}, self.dialect.names(resource), resource))
        return read(self.row_of(resource, item))

    def _pages(self, resource: str, path: str, params: Params, read: Callable[[Row], _Read]) -> Iterator[_Read]:
        seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        page: tuple[str, tuple[tuple[str, str], ...]] | None = (path, tuple(params))

        def keep() -> Callable[[Json], object]:
            return lambda item: self._item(resource, item, read)

        while page is not None:
            if page in seen or len(seen) >= _MAX_PAGES:
                raise ServiceUnavailable(
                    f"Plex's pages of {path} do not end",
                    fix="The next run tries again; if it persists, contact Plex support.",
                )
            seen.add(page)
            response = self.caller.get(page[0], page[1], keep=keep)
            yield from self._rows(resource, response, read)
            page = self._next(path, response)

    def _next(self, path: str, response: ServiceResponse) -> tuple[str, tuple[tuple[str, str], ...]] | None:
        """Path and parameters of the next page. A link to another host is refused: our key must not be sent there."""
        document = response.json() if response.items is None else None
        link = document.get("next") if isinstance(document, Mapping) else None
        if not link:
            return None
        base = urlsplit(self.caller.base_url)
        try:
            target = urlsplit(urljoin(self.caller.base_url + path, link)) if isinstance(link, str) else None
        except ValueError:
            target = None
        if target is None or (target.scheme, target.netloc) != (base.scheme, base.netloc):
            raise ServiceRefused(
                f"Plex's list {path} continues on another host, where our key must not be sent",
                fix="Set plex.base_url to the host under which Plex names its own pages.",
            )
        if not target.path.startswith(base.path.rstrip("/") + "/"):
            raise ServiceUnavailable(f"Plex's list {path} continues outside the base_url", fix="Check plex.base_url.")
        query = tuple(parse_qsl(target.query, keep_blank_values=True))
        return target.path[len(base.path.rstrip("/")) :], query

    def row_of(self, resource: str, document: Json) -> Row:
        """A row of a document that was read before. Raise RowFault if it is not an object."""
        row = Row(document, self.dialect.names(resource), resource)
        row.what = _named(resource, row)
        return row

    def _row(self, resource: str, response: ServiceResponse, item: Json) -> Row:
        try:
            return self.row_of(resource, item)
        except RowFault:
            raise self._not_a_list(response) from None

    @staticmethod
    def _not_a_list(response: ServiceResponse) -> ServiceUnavailable:
        return ServiceUnavailable(
            f"Plex answered {response.path} with something other than a list of records",
            fix="Check plex.base_url and [plex.paths]; the next run tries again.",
        )

    @staticmethod
    def _query_rejected(resource: str, error: RequestRejected) -> ServiceRefused:
        return ServiceRefused(
            error.message,
            fix=f"Compare [plex.paths] {resource} and [plex.filters] with Plex's developer portal.",
            code=QUERY_REFUSED,
        )

    def no_such_path(self, resource: str) -> ServiceRefused:
        """The fault for a 404 on a collection: a wrong path or version (plex/README.md 4.4)."""
        return ServiceRefused(
            f"Plex has no {self.dialect.paths[resource]} (404). For a collection this means another version of the "
            "interface, not an empty list",
            fix=f"Set [plex.paths] {resource} to the path that Plex's developer portal lists for this tenant"
            f"{_example(self.dialect.paths[resource])}, or check plex.base_url.",
            code="wrong-path",
        )

    def ignored(self, resource: str, by: str, name: str, row: str) -> ServiceRefused:
        """The fault for a row that does not match the filter: Plex ignored the filter."""
        return ServiceRefused(
            f"Plex ignored the filter {name} of {self.dialect.paths[resource]}: {row}, outside the requested range",
            fix=f"Set [plex.filters] {by} (and the related keys) to the name used by this version of the interface.",
            code="ignored-filter",
        )


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Convert a RowFault, where no single record can be held for it, into ServiceUnavailable."""
    try:
        yield
    except RowFault as error:
        raise ServiceUnavailable(
            f"Plex's {what} cannot be read: {error}",
            fix="Set [plex.fields] if this tenant uses another field name; else contact Plex support.",
            code=UNREADABLE,
        ) from error


def _example(path: str) -> str:
    """The same path in the next version, as an example of one: Plex moves collections one by one."""
    found = _VERSION.search(path)
    return "" if found is None else f" (such as {path[: found.start()]}/v{int(found[1]) + 1}/{path[found.end() :]})"


def _itself(row: Row) -> Row:
    return row


def _moment(row: Row, field: str) -> datetime | None:
    return row.time(field)


def in_groups(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The items in slices of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _named(resource: str, row: Row) -> str:
    naming = ("invoiceNumber", "poNumber", "lineItemNumber", "code", "name", "id")
    number = next((value for field in naming if (value := row.raw(field))), None)
    return f"{resource.rstrip('s')} {number}" if isinstance(number, str | int) else resource
