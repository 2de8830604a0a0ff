"""Reads tables of settings into structs, and reports all that is wrong with them at once, each with its place.

A table is a `Settings` struct. `Meta` of msgspec limits a value; `Before` and `After` change or refuse it. pydantic can
do this, too, but to load it and to build its validators takes 40 % of the time of `status` (CHOICES.md 11).
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeAlias, Union, get_args, get_origin

from msgspec import NODEFAULT, Meta, Struct
from msgspec.structs import FieldInfo, fields

Reader: TypeAlias = Callable[[Any], Any]
"""Converts a value of the file to that of the setting. Raises InvalidSettings."""


class SettingFault(NamedTuple):
    """One thing that is wrong: its place below the table, message and fix."""

    path: tuple[str | int, ...]
    message: str
    fix: str
    known: tuple[str, ...] | None = None
    """Of an unknown key: the keys of its table."""


class InvalidSettings(ValueError):
    """All that is wrong with a table or value, in the order of the fields; unknown keys last."""

    def __init__(self, faults: Iterable[SettingFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.message for fault in self.faults))

    def below(self, step: str | int) -> list[SettingFault]:
        """The faults as seen from the table or list that has this value at `step`."""
        return [fault._replace(path=(step, *fault.path)) for fault in self.faults]

    def here(self) -> InvalidSettings:
        """The faults as those of the value itself."""
        return InvalidSettings(fault._replace(path=()) for fault in self.faults)


def refusal(message: str, fix: str) -> InvalidSettings:
    """The error for one value."""
    return InvalidSettings([SettingFault((), message, fix)])


def quoted(value: object) -> str:
    """A text as a message shows it: a long one, or another type, is only pointed at."""
    return f'"{value}"' if isinstance(value, str) and len(value) <= 40 else "this"


class Before(Struct, frozen=True):
    """Changes or refuses a value as it is in the file."""

    change: Reader


class After(Struct, frozen=True):
    """Changes or refuses a value of the right type, within its limits."""

    change: Reader


class Settings(Struct, frozen=True, kw_only=True):
    """Base of configuration tables: immutable; unknown keys are errors. A table's own checks are `__post_init__`."""

    @classmethod
    def of(cls, table: object) -> Self:
        """The settings of a table as read from the file. Raise InvalidSettings."""
        if not isinstance(table, Mapping):
            raise _no_table()
        known = _keys(cls)
        values: dict[str, Any] = {}
        faults: list[SettingFault] = []
        for key, (name, read, required) in known.items():
            if key in table:
                try:
                    values[name] = read(table[key])
                except InvalidSettings as error:
                    faults += error.below(key)
            elif required:
                fix = "Add it; it has no default because only you can choose it."
                faults.append(SettingFault((key,), "is missing", fix))
        unknown = (key for key in table if key not in known)
        faults += [SettingFault((key,), "is an unknown key", "", tuple(known)) for key in unknown]
        if faults:
            raise InvalidSettings(faults)
        return cls(**values)


class _Key(NamedTuple):
    name: str
    read: Reader
    required: bool


@cache
def _keys(table: type[Settings]) -> Mapping[str, _Key]:
    return {field.encode_name: _Key(field.name, reader_of(field.type), is_required(field)) for field in fields(table)}


def is_required(field: FieldInfo) -> bool:
    """Whether a key has no default."""
    return field.default is NODEFAULT and field.default_factory is NODEFAULT


@cache
def reader_of(kind: Any) -> Reader:
    """How values of a type are read."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:])
    if origin in (Union, types.UnionType):
        return _any_of(*(reader_of(each) for each in arguments if each is not types.NoneType))
    if origin is Literal:
        return _one_of({each: each for each in arguments})
    if origin is tuple:
        return _list_of(reader_of(arguments[0]))
    if origin is dict:
        return _table_of(*map(reader_of, arguments))
    if issubclass(kind, StrEnum):
        return _one_of({each.value: each for each in kind})
    return _PLAIN[kind] if kind in _PLAIN else _settings(kind)


def _settings(kind: type[Settings]) -> Reader:
    return kind.of


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise refusal("must be text", 'Put it in quotes: "…".')
    return value


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise refusal("must be true or false", "Write true or false, without quotes.")
    return value


def _int(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise refusal("must be a whole number", "Write it without quotes and without a fraction.")
    return value


def _decimal(value: object) -> Decimal:
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        raise refusal("must be a number", "Write a number like 2 or 2.5.")
    return Decimal(value)


def _datetime(value: object) -> datetime:
    if not isinstance(value, date):
        raise refusal("must be a time", "Write it in UTC like 2026-11-01T00:00:00Z, without quotes.")
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise refusal("has no time zone", "Write the time in UTC like 2026-11-01T00:00:00Z.")
    return value


_PLAIN: Mapping[type, Reader] = {str: _text, bool: _bool, int: _int, Decimal: _decimal, datetime: _datetime}


def _no_table() -> InvalidSettings:
    return refusal("must be a table", "Write it as [table] with keys, or as { key = value }.")


def _annotated(kind: Any, marks: tuple[Any, ...]) -> Reader:
    read = reader_of(kind)
    # The last mark is the outermost.
    before = [mark.change for mark in reversed(marks) if isinstance(mark, Before)]
    limits = [mark for mark in marks if isinstance(mark, Meta)]
    after = [mark.change for mark in marks if isinstance(mark, After)]

    def reader(value: Any) -> Any:
        changed = value
        for change in before:
            changed = change(changed)
        try:
            found = read(changed)
        except InvalidSettings as error:
            # A table that is made of the value has no places in the file.
            raise error if changed is value else error.here() from None
        for limit in limits:
            _must_be_within(limit, found, value)
        for change in after:
            found = change(found)
        return found

    return reader


def _must_be_within(limit: Meta, found: Any, written: object) -> None:
    beyond = None
    if limit.le is not None and found > limit.le:
        beyond = f"at most {limit.le}"
    elif limit.ge is not None and found < limit.ge:
        beyond = f"at least {limit.ge}"
    elif limit.gt is not None and found <= limit.gt:
        beyond = f"more than {limit.gt}"
    if beyond is not None:
        raise refusal(f"must be {beyond}, not {written}", "Choose a number in that range.")
    if limit.min_length is not None and len(found) < limit.min_length:
        if isinstance(found, tuple):
            raise refusal("must not be an empty list", "List at least one, or omit the key.")
        raise refusal("is too short or empty", "Fill it in, or omit the key.")
    if limit.max_length is not None and len(found) > limit.max_length:
        raise refusal("is too long", "Shorten it.")
    if limit.pattern is not None:
        # Few settings have one.
        import re

        if not re.fullmatch(limit.pattern, found):
            fix = "Copy it exactly as the portal shows it, without spaces."
            raise refusal(f"does not match {limit.pattern}", fix)


def _any_of(first: Reader, *others: Reader) -> Reader:
    """The first type that takes the value, or None."""

    def read(value: Any) -> Any:
        try:
            return None if value is None else first(value)
        except InvalidSettings as error:
            if not others:
                raise
            faults = [*error.here().faults]
        for each in others:
            try:
                return each(value)
            except InvalidSettings as error:
                faults += error.here().faults
        raise InvalidSettings(faults)

    return read


def _one_of(choices: Mapping[str, Any]) -> Reader:
    def read(value: object) -> Any:
        if not isinstance(value, str) or value not in choices:
            raise refusal(*_not_one_of(value, tuple(choices)))
        return choices[value]

    return read


def _not_one_of(value: object, choices: tuple[str, ...]) -> tuple[str, str]:
    from difflib import get_close_matches

    listed = ", ".join(f'"{choice}"' for choice in choices)
    shown = quoted(value)
    near = get_close_matches(str(value).casefold(), [choice.casefold() for choice in choices], n=1)
    if near:
        choice = next(choice for choice in choices if choice.casefold() == near[0])
        return f"{shown} is not among {listed}", f'Did you mean "{choice}"?'
    return f"{shown} is not among {listed}", f"Choose one of {listed}."


def _list_of(read: Reader) -> Reader:
    def read_list(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise refusal("must be a list", 'Write it in brackets: ["…", "…"].')
        found = []
        faults: list[SettingFault] = []
        for place, each in enumerate(value):
            try:
                found.append(read(each))
            except InvalidSettings as error:
                faults += error.below(place)
        if faults:
            raise InvalidSettings(faults)
        return tuple(found)

    return read_list


def _table_of(read_key: Reader, read: Reader) -> Reader:
    def read_table(value: object) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _no_table()
        found = {}
        faults: list[SettingFault] = []
        for key, each in value.items():
            name = key
            try:
                name = read_key(key)
            except InvalidSettings as error:
                faults += error.below(key)
            try:
                found[name] = read(each)
            except InvalidSettings as error:
                faults += error.below(key)
        if faults:
            raise InvalidSettings(faults)
        return found

    return read_table
