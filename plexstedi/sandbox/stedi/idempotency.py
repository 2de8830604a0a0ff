"""Stedi's idempotency keys: the response is replayed for 24 hours, other content is refused, then the key expires."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct, field

from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.stedi.send import bad_request, stedi_error
from plexstedi.sandbox.web import HttpError, Request, Response

KEY_REMEMBERED = timedelta(hours=24)
"""Lifetime of a key, from its first request."""


class _Remembered(Struct, frozen=True):
    fingerprint: str
    since: datetime
    response: Response


class IdempotencyBook(Struct):
    """The known keys with request and response. Rejections (4xx) are not stored."""

    clock: SandboxClock
    _keys: dict[str, _Remembered] = field(default_factory=dict)
    _in_flight: dict[str, str] = field(default_factory=dict)

    def hold(self, request: Request) -> None:
        """Mark this request's key as in flight: other requests with the key get 409 until `release`."""
        key = request.headers.get("idempotency-key")
        if key is not None:
            self._in_flight[key] = _fingerprint(request)

    def release(self, request: Request) -> None:
        self._in_flight.pop(request.headers.get("idempotency-key", ""), None)

    def once(self, key: str, request: Request, process: Callable[[], Response]) -> Response:
        """Process the request, or replay its response. Raise HttpError 409 (in flight) or 422 (other content)."""
        if not 1 <= len(key) <= 255:
            bad_request("Idempotency-Key must have 1 to 255 characters")
        fingerprint, now = _fingerprint(request), self.clock.now()
        remembered = self._keys.get(key)
        if remembered is not None and now - remembered.since >= KEY_REMEMBERED:
            del self._keys[key]
            remembered = None
        known = remembered.fingerprint if remembered is not None else self._in_flight.get(key)
        if known is not None and known != fingerprint:
            message = "request parameters do not match a previous request with the same idempotency key"
            raise HttpError(stedi_error(422, message, "UnprocessableEntityException"))
        if remembered is not None:
            response = remembered.response
            return Response(response.status, response.body, {**response.headers, "idempotent-replayed": "true"})
        if known is not None:
            message = "a request with the same idempotency key is still being processed"
            raise HttpError(stedi_error(409, message, "ResourceUnderChangeException", headers={"Retry-After": "1"}))
        response = process()
        self._keys[key] = _Remembered(
            fingerprint, now, Response(response.status, response.body, dict(response.headers))
        )
        return response


def _fingerprint(request: Request) -> str:
    return hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.body).hexdigest()
