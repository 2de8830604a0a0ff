"""Reads a response body piece by piece, bounded in decoded size and by the attempt's time limit.

Compressed bytes are decompressed here in pieces, and the decompressed size counts: a small response may expand to
gigabytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

import httpx

from plexstedi.decimal_json import ListReader
from plexstedi.http.deadline import AttemptLimit

LARGEST_RESPONSE = 64 * 2**20
"""Default limit of a decoded response body, in bytes."""
TOO_LARGE = "too-large"
"""Error code for a response that exceeds the limit."""
ACCEPTED_CODINGS = "gzip, deflate"
READ_LIST = b"["
"""The content of a response whose body was read as a list while it arrived."""
_CHUNK_BYTES = 65_536
_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15
_TRANSFER_HEADERS = (b"content-encoding", b"content-length", b"transfer-encoding")


class BeyondLimitError(Exception):
    """The response is larger than the limit."""


def read_bounded(
    response: httpx.Response, limit: int, attempt_limit: AttemptLimit, reader: ListReader | None = None
) -> httpx.Response:
    """The response with its whole body, decoded; a list that `reader` has read is replaced by `READ_LIST`.

    Raise BeyondLimitError for more than `limit` bytes, httpx.ReadTimeout when the run's deadline has passed,
    Interrupted after a stop request, httpx.DecodingError for a body that does not match its Content-Encoding, and what
    httpx raises while reading.
    """
    try:
        pieces: Iterable[bytes]
        if response.is_stream_consumed:
            if len(response.content) > limit:
                raise BeyondLimitError
            if reader is None:
                return response
            pieces = [response.content]
        else:
            pieces = _decoded(response, limit, attempt_limit)
        body = b"".join(pieces) if reader is None else _read_list(pieces, reader)
    finally:
        response.close()
    return httpx.Response(
        response.status_code,
        headers=[(name, value) for name, value in response.headers.raw if name.lower() not in _TRANSFER_HEADERS],
        content=body,
        extensions=response.extensions,
    )


def _decoded(response: httpx.Response, limit: int, attempt_limit: AttemptLimit) -> Iterable[bytes]:
    codings = [each.strip().lower() for each in response.headers.get("content-encoding", "").split(",")]
    announced = response.headers.get("content-length", "")
    if codings == [""] and announced.isascii() and announced.isdigit() and int(announced[:18]) > limit:
        raise BeyondLimitError
    pieces: Iterable[bytes] = _within(_watched(response.iter_raw(), attempt_limit), limit)
    for coding in reversed([each for each in codings if each not in ("", "identity")]):
        pieces = _within(_unpacked(pieces, coding), limit)
    return pieces


def _read_list(pieces: Iterable[bytes], reader: ListReader) -> bytes:
    """Give the pieces to the reader; the body, or `READ_LIST` if it is a list."""
    for piece in pieces:
        reader.feed(piece)
    return READ_LIST if reader.is_list else reader.body


def _watched(pieces: Iterable[bytes], attempt_limit: AttemptLimit) -> Iterator[bytes]:
    for piece in pieces:
        if attempt_limit.is_over():
            raise httpx.ReadTimeout("the time limit of the run is reached")
        yield piece


def _within(pieces: Iterable[bytes], limit: int) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > limit:
            raise BeyondLimitError
        yield piece


def _unpacked(pieces: Iterable[bytes], coding: str) -> Iterator[bytes]:
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise httpx.DecodingError(f"the response is encoded as {coding[:20]!r}")
    unpacker = None
    try:
        for packed in pieces:
            if unpacker is None:
                unpacker = zlib.decompressobj(_GZIP if coding != "deflate" else _deflate_form(packed))
            left = packed
            while not unpacker.eof:
                piece = unpacker.decompress(left, _CHUNK_BYTES)
                left = unpacker.unconsumed_tail
                if piece:
                    yield piece
                if not left and len(piece) < _CHUNK_BYTES:
                    break
    except zlib.error as error:
        raise httpx.DecodingError(f"the response encoding does not match its header ({error})") from error
    if unpacker is not None and not unpacker.eof:
        raise httpx.DecodingError("the encoded response is truncated")


def _deflate_form(packed: bytes) -> int:
    """The zlib window bits of a `deflate` body: RFC 9110 means the zlib format, some servers send raw deflate."""
    return _ZLIB if packed[:1] and packed[0] & 0x0F == 8 else _RAW_DEFLATE
