"""The tenant's standard objects, read once a day, with their custom fields, read once per run (plex/README.md 7.B)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from plexstedi.plex.rest.client import Rest, readable
from plexstedi.plex.rest.rows import Row
from plexstedi.plex.settings import Level
from plexstedi.plex.writeback.custom_fields import StandardObject, choose_object


class StandardObjects:
    """Finds the standard object of a level. `named` is `[plex.acknowledgments.objects]`."""

    def __init__(self, rest: Rest, named: Mapping[Level, str]) -> None:
        self._rest = rest
        self._named = named
        self._objects: tuple[StandardObject, ...] | None = None

    def choose(self, level: Level, fields: Collection[str] = ()) -> StandardObject:
        """The object of this level that holds these custom fields. Raise ServiceRefused if there is no unique one."""
        if self._objects is None:
            self._objects = self._read()
        return choose_object(self._objects, level, fields, self._named.get(level))

    def _read(self) -> tuple[StandardObject, ...]:
        defined: dict[str, set[str]] = {}
        texts: dict[str, set[str]] = {}
        with readable("custom field definitions"):
            for row in self._rest.all_of("field_definitions"):
                name, field = row.needed("standardObjectName"), row.needed("fieldName")
                defined.setdefault(name.casefold(), set()).add(field.casefold())
                kind = (row.text("fieldTypeName") or "").casefold()
                if kind and "date" not in kind and "time" not in kind:
                    texts.setdefault(name.casefold(), set()).add(field.casefold())
            return tuple(
                StandardObject(
                    name=name,
                    label=row.text("standardObjectLabel") or "",
                    table=row.text("tableName") or "",
                    fields=frozenset(defined.get(name.casefold(), ())),
                    texts=frozenset(texts.get(name.casefold(), ())),
                )
                for row in self._rest.kept_rows("standard_objects") or self._read_objects()
                if (name := row.needed("standardObjectName"))
            )

    def _read_objects(self) -> tuple[Row, ...]:
        rows = self._rest.all_of("standard_objects")
        self._rest.keep_rows("standard_objects", rows)
        return rows
