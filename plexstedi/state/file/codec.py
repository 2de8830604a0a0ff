"""Values as stored in columns: times as sortable ISO text, payloads compressed, models as JSON."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Generic, TypeVar, cast

from msgspec import Struct
from msgspec.structs import asdict

from plexstedi.edi.model import Frozen, from_json, to_json
from plexstedi.edi.reasons import Reason
from plexstedi.state.file.dictionaries import DICTIONARIES, NEWEST
from plexstedi.state.file.digits import end_of_taken, put_back, take_out

Model = TypeVar("Model", bound=Frozen)
Record = TypeVar("Record", bound=Struct)
_WIDTH = len("2026-11-23T07:00:00.000000Z")


def instant(moment: datetime) -> str:
    """An aware time as fixed-width UTC text, which sorts chronologically."""
    # Not strftime: it writes the year 26 as `26`, which cannot be read back.
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def maybe_instant(moment: datetime | None) -> str | None:
    """As `instant`; None stays None."""
    return None if moment is None else instant(moment)


def moment(text: str) -> datetime:
    """Inverse of `instant`. Raise ValueError for any other text."""
    # Called hundreds of times per run: `strptime` takes twenty times as long.
    if len(text) != _WIDTH or text[-1] != "Z":
        raise ValueError(f"{text!r} is not a time of this file")
    return datetime.fromisoformat(text)


def maybe_moment(text: str | None) -> datetime | None:
    """As `moment`; None stays None."""
    return None if text is None else moment(text)


def pack(payload: bytes | str, beside: bytes = b"") -> bytes:
    """Compress a payload. `beside`: a content much like it that is kept with it; `unpack` needs the same."""
    text = payload.encode() if isinstance(payload, str) else payload
    taken, rest = take_out(text, beside)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, _MEMORY, zdict=NEWEST + beside)
    head = _OWN | len(DICTIONARIES) - 1 | (_BESIDE if beside else 0) | (_DIGITS if taken else 0)
    return b"".join((bytes((head,)), taken, packer.compress(rest), packer.flush(), _checksum(text)))


def unpack(packed: bytes, beside: bytes = b"") -> bytes:
    """Inverse of `pack`, as bytes. Raise zlib.error if it is damaged."""
    if not packed or not packed[0] & _OWN:
        return _unpack_zlib(packed, beside)
    head, checksum = packed[0], packed[-4:]
    try:
        dictionary = DICTIONARIES[head & _NUMBER] + (beside if head & _BESIDE else b"")
        begin = end_of_taken(packed) if head & _DIGITS else 1
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS, zdict=dictionary)
        text = unpacker.decompress(packed[begin:-4])
        if begin > 1:
            text = put_back(packed, begin, text)
    except (IndexError, ValueError) as error:
        raise zlib.error("the content is damaged") from error
    if not unpacker.eof or unpacker.unused_data or _checksum(text) != checksum:
        raise zlib.error("the content is damaged, or cut off, or something follows it")
    return text


_MEMORY = 7
"""As many bytes as with the highest level (9) in a third of the time: its tables are large enough for the system to map
and unmap them for each content."""

_OWN, _BESIDE, _DIGITS, _NUMBER = 0x80, 0x40, 0x20, 0x1F
"""The first byte of a content; zlib's own has no 0x80. Then what `take_out` took, the rest deflated, its Adler-32."""


def _checksum(text: bytes) -> bytes:
    return zlib.adler32(text).to_bytes(4, "big")


def _unpack_zlib(packed: bytes, beside: bytes) -> bytes:
    """A content as version 7 of the schema and earlier ones had it."""
    if len(packed) < _MARK.stop or not packed[1] & _HAS_DICTIONARY:
        return zlib.decompress(packed)
    mark = int.from_bytes(packed[_MARK], "big")
    dictionary = _BY_MARK.get(mark)
    if dictionary is None:
        together = (known + beside for known in DICTIONARIES)
        dictionary = next((each for each in together if zlib.adler32(each) == mark), b"")
    unpacker = zlib.decompressobj(zdict=dictionary)
    payload = unpacker.decompress(packed)
    if not unpacker.eof or unpacker.unused_data:
        raise zlib.error("the content is cut off, or something follows it")
    return payload


_HAS_DICTIONARY = 0x20
_MARK = slice(2, 6)
"""RFC 1950: the flag in the second byte, and the Adler-32 of the dictionary."""
_BY_MARK = {zlib.adler32(known): known for known in DICTIONARIES}


class Columns(Generic[Record]):
    """The columns of a table that are the fields of a struct, in their order."""

    def __init__(
        self,
        record: type[Record],
        convert: Mapping[str, Callable[[Any], object]],
        *,
        names: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`convert`: how a field is made of what is stored; `names`: columns that have another name than the field."""
        fields = record.__struct_fields__
        self._record = record
        self._convert = [(fields.index(field), make) for field, make in convert.items()]
        self.listed = ", ".join(names.get(field, field) for field in fields)
        """For `SELECT`."""

    def record_of(self, row: Sequence[Any]) -> Record:
        """The record of a row with these columns."""
        # By position: a run reads thousands of rows, and sqlite3 looks for a name among all names.
        values = list(row)
        for place, make in self._convert:
            values[place] = make(values[place])
        return self._record(*values)


def hash_bytes(text: str) -> bytes:
    """A hash of hexadecimal digits as bytes. Any other text stays as it is: it equals no hash."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return text.encode()


def pack_beside(packed: bytes, beside: bytes | None) -> bytes:
    """A compressed content compressed again, beside another compressed one. If it is damaged, it stays as it is."""
    try:
        return packed if beside is None else pack(unpack(packed), unpack(beside))
    except zlib.error:
        return packed


def pack_model(model: Frozen, beside: bytes = b"") -> bytes:
    """A model as compressed JSON; `beside` as in `pack`."""
    return pack(to_json(model), beside)


def unpack_model(kind: type[Model], packed: bytes, beside: bytes = b"") -> Model:
    """Inverse of `pack_model`. Equal contents give one and the same model: models are immutable."""
    if len(packed) > _MOST_KEPT:
        # Two hundred of thousands of lines each would fill the memory.
        return from_json(kind, unpack(packed, beside))
    return cast(Model, _unpacked_model(kind, packed, beside))


_MOST_KEPT = 4096
"""Packed bytes of a model that is kept after it was read; an order of ten lines has about 1500."""


@lru_cache(maxsize=256)
def _unpacked_model(kind: type[Frozen], packed: bytes, beside: bytes) -> Frozen:
    # By content, not by row: while one order is decided, its rows are read several times, and may change.
    return from_json(kind, unpack(packed, beside))


def reasons_text(reasons: Sequence[Reason]) -> str:
    """Reasons as JSON text."""
    return json.dumps([asdict(reason) for reason in reasons], sort_keys=True)


def reasons_of(text: str) -> tuple[Reason, ...]:
    """Inverse of `reasons_text`."""
    return from_json(tuple[Reason, ...], text)


def listed(states: Iterable[StrEnum]) -> str:
    """States as an SQL list: `('sending', 'in_doubt')`."""
    return "(" + ", ".join(f"'{state}'" for state in states) + ")"
