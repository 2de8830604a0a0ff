"""Reading Plex's REST collections: lists and single resources as rows, in either dialect.

What is checked of every list: it is a list; it is the right collection (a 404 there is a wrong version, not "no
data"); and the filter was honoured, since Plex ignores a parameter it does not know without a word
(plex/README.md 4.2).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import parse_qsl, urljoin, urlsplit

from plexstedi.decimal_json import Json
from plexstedi.errors import PlexStediError, RequestRejected, ServiceRefused, ServiceUnavailable
from plexstedi.http.caller import Caller, path_segment
from plexstedi.http.response import ServiceResponse
from plexstedi.plex.port import UnreadableRecord, Window
from plexstedi.plex.rest.dialect import Dialect
from plexstedi.plex.rest.rows import Row, RowFault, filter_time

Params = Sequence[tuple[str, str]]
UNREADABLE = "unreadable"
"""Code of the fault of a record that is there and cannot be read."""
QUERY_REFUSED = "question-refused"
"""Code of the refusal of a question that Plex does not understand."""
_Read = TypeVar("_Read")
_MOST_PAGES = 10_000
_GRACE = timedelta(seconds=1)
"""A filter knows whole seconds, a row its fractions."""


class Rest:
    """The collections of one tenant."""

    def __init__(self, caller: Caller, dialect: Dialect) -> None:
        self.caller = caller
        self.dialect = dialect
        self._odd: list[UnreadableRecord] = []

    def skip_row(self, row: Row, error: Exception) -> None:
        """Note a row that cannot be read, and that belongs to nothing that could be held instead."""
        unforeseen = None if isinstance(error, RowFault) else error
        self._odd.append(UnreadableRecord(row.table, row.key(), row.what, str(error), unforeseen))

    def unreadable_records(self) -> tuple[UnreadableRecord, ...]:
        """The rows that were left out since this was asked last, each once."""
        found = {(odd.table, odd.key): odd for odd in self._odd}
        self._odd.clear()
        return tuple(found.values())

    def each(self, rows: Iterable[Row], read: Callable[[Row], _Read]) -> Iterator[_Read]:
        """What `read` makes of each row; rows that it cannot read are left out."""
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

        Raise ServiceRefused if the collection is not there or the question is not understood, ServiceUnavailable if
        the answer is no list of records.
        """
        rows = self.all_or_none(resource, params, **ids)
        if rows is None:
            raise self.no_such_path(resource)
        return rows

    def all_or_none(self, resource: str, params: Params = (), **ids: str) -> tuple[Row, ...] | None:
        """The same, None if Plex answers 404: for tables that a tenant may be without, or lists below a record."""
        path = self.path(resource, **ids)
        try:
            return tuple(self._pages(resource, path, params))
        except RequestRejected as error:
            if error.status != 404:
                raise self._query_rejected(resource, error) from error
            return None

    def one(self, resource: str, **ids: str) -> Row | None:
        """A single record; None if Plex answers 404."""
        try:
            answer = self.caller.get(self.path(resource, **ids))
        except RequestRejected as error:
            if error.status != 404:
                raise self._query_rejected(resource, error) from error
            return None
        document = answer.json()
        if isinstance(document, Mapping) and isinstance(document.get("data"), Mapping):
            document = document["data"]
        return self._row(resource, answer, document)

    def in_window(self, resource: str, window: Window, *, by: str, field: str, extra: Params = ()) -> tuple[Row, ...]:
        """Rows whose `field` lies in the window, by the filters `by`_begin and `by`_end.

        Raise ServiceRefused for a row outside: the filter was ignored, and the answer is the whole table.
        """
        begin, end = self.dialect.filter(f"{by}_begin"), self.dialect.filter(f"{by}_end")
        if begin is None or end is None:
            return ()
        # The end is rounded up, so that a row in its last fraction of a second is not missed.
        until = window.end if window.end.microsecond == 0 else window.end.replace(microsecond=0) + _GRACE
        rows = self.all_of(resource, [(begin, filter_time(window.begin)), (end, filter_time(until)), *extra])
        unreadable: RowFault | None = None
        told = False
        for row in rows:
            try:
                moment = _moment(row, field)
            except RowFault as error:
                unreadable = error
                continue
            except Exception as error:
                # Whoever reads this row meets it again; what it raises is no reason to pass over the others.
                self.skip_row(row, error)
                continue
            told = told or moment is not None
            if moment is not None and not window.begin - _GRACE <= moment <= until + _GRACE:
                raise self.ignored(
                    resource, f"{by}_begin", begin, f"{row.what} has {field} {moment:%Y-%m-%dT%H:%M:%SZ}"
                )
        if unreadable is not None and len(rows) > 1 and not told:
            # Of several rows none tells its time: it is the interface that writes it in another way.
            with readable(resource):
                raise unreadable
        return rows

    def by_ids(
        self, resource: str, *, by: str, ids: Collection[str], field: str, extra: Params = ()
    ) -> list[tuple[str | None, Row]]:
        """Rows whose `field` is among the ids, each with that id, asked for in as few calls as the dialect allows.

        A row whose `field` cannot be read comes with None: it belongs to one of the ids. Raise ServiceRefused for a row
        of another id: the filter was ignored.
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
        """The path of a resource, its ids quoted."""
        return self.dialect.path(resource, **{name: path_segment(value) for name, value in ids.items()})

    def rows(self, resource: str, answer: ServiceResponse) -> tuple[Row, ...]:
        """The rows of an answer that must be a list (or hold one in `data`)."""
        document = answer.json()
        items = document.get("data") if isinstance(document, Mapping) else document
        if isinstance(items, str) or not isinstance(items, Sequence):
            raise self._not_a_list(answer)
        objects = [item for item in items if isinstance(item, Mapping)]
        if items and not objects:
            raise self._not_a_list(answer)
        for item in items:
            if not isinstance(item, Mapping):
                self.skip_row(
                    Row({"value": item}, self.dialect.names(resource), resource), RowFault(f"{resource}: no object")
                )
        return tuple(self._row(resource, answer, item) for item in objects)

    def _pages(self, resource: str, path: str, params: Params) -> Iterator[Row]:
        seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        page: tuple[str, tuple[tuple[str, str], ...]] | None = (path, tuple(params))
        while page is not None:
            if page in seen or len(seen) >= _MOST_PAGES:
                raise ServiceUnavailable(
                    f"Plex's pages of {path} do not end",
                    fix="The next run tries again; if it persists, contact Plex support.",
                )
            seen.add(page)
            answer = self.caller.get(page[0], page[1])
            yield from self.rows(resource, answer)
            page = self._next(path, answer)

    def _next(self, path: str, answer: ServiceResponse) -> tuple[str, tuple[tuple[str, str], ...]] | None:
        """Path and parameters of the next page; the key must not follow a link to somewhere else."""
        document = answer.json()
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

    def _row(self, resource: str, answer: ServiceResponse, item: Json) -> Row:
        try:
            row = Row(item, self.dialect.names(resource), resource)
        except RowFault:
            raise self._not_a_list(answer) from None
        row.what = _named(resource, row)
        return row

    @staticmethod
    def _not_a_list(answer: ServiceResponse) -> ServiceUnavailable:
        return ServiceUnavailable(
            f"Plex answered {answer.path} with something other than a list of records",
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
        """What a 404 on a collection means (plex/README.md 4.4)."""
        return ServiceRefused(
            f"Plex has no {self.dialect.paths[resource]} (404). For a collection this means another version of the "
            "interface, not an empty list",
            fix=f"Set [plex.paths] {resource} to the path that Plex's developer portal lists for this tenant, or "
            "check plex.base_url.",
            code="wrong-path",
        )

    def ignored(self, resource: str, by: str, name: str, row: str) -> ServiceRefused:
        """What a row outside of what was asked means."""
        return ServiceRefused(
            f"Plex ignored the filter {name} of {self.dialect.paths[resource]}: {row}, outside the requested range",
            fix=f"Set [plex.filters] {by} (and the related keys) to the name used by this version of the interface.",
            code="ignored-filter",
        )


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Turn a row that cannot be read, where nothing else depends on it, into ServiceUnavailable."""
    try:
        yield
    except RowFault as error:
        raise ServiceUnavailable(
            f"Plex's {what} cannot be read: {error}",
            fix="Set [plex.fields] if this tenant uses another field name; else contact Plex support.",
            code=UNREADABLE,
        ) from error


def _moment(row: Row, field: str) -> datetime | None:
    return row.time(field)


def in_groups(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The items in runs of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _named(resource: str, row: Row) -> str:
    naming = ("invoiceNumber", "poNumber", "lineItemNumber", "code", "name", "id")
    number = next((value for field in naming if (value := row.raw(field))), None)
    return f"{resource.rstrip('s')} {number}" if isinstance(number, str | int) else resource
