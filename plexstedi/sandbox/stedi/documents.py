"""The third origin: stored documents at presigned URLs, which reject an Authorization header."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from msgspec import Struct, field

from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.web import HttpError, Request, Response

VALID_FOR = timedelta(minutes=60)
"""Validity of a presigned URL, by the sandbox's clock."""

_STAMP = "%Y%m%dT%H%M%SZ"


class DocumentStore(Struct):
    """Stored bytes by artifact id."""

    clock: SandboxClock
    base_url: Callable[[], str]
    secret: bytes
    contents: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def put(self, artifact_id: str, content_type: str, content: bytes) -> None:
        self.contents[artifact_id] = (content_type, content)

    def size(self, artifact_id: str) -> int:
        return len(self.contents[artifact_id][1])

    def presign(self, artifact_id: str) -> str:
        """A URL that returns the document for `VALID_FOR`."""
        signed_at = self.clock.now().strftime(_STAMP)
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Date": signed_at,
            "X-Amz-Expires": str(int(VALID_FOR.total_seconds())),
            "X-Amz-Signature": self._sign(artifact_id, signed_at),
        }
        return f"{self.base_url()}/artifacts/{artifact_id}?{urlencode(query)}"

    def _sign(self, artifact_id: str, signed_at: str) -> str:
        return hmac.new(self.secret, f"{artifact_id}\n{signed_at}".encode(), hashlib.sha256).hexdigest()

    def respond(self, request: Request) -> Response:
        """Handle a download. Raise HttpError: 400 with any Authorization, 403 if unknown, wrongly signed or expired."""
        if "authorization" in request.headers:
            raise HttpError(_xml(400, "InvalidArgument", "Only one auth mechanism allowed"))
        artifact_id = request.path.removeprefix("/artifacts/")
        signed_at, signature = request.one("X-Amz-Date"), request.one("X-Amz-Signature")
        if request.method != "GET" or signed_at is None or signature is None or artifact_id not in self.contents:
            raise HttpError(_xml(403, "AccessDenied", "Access Denied"))
        if not hmac.compare_digest(signature, self._sign(artifact_id, signed_at)):
            raise HttpError(_xml(403, "SignatureDoesNotMatch", "The request signature does not match"))
        if self.clock.now() > datetime.strptime(signed_at, _STAMP).replace(tzinfo=UTC) + VALID_FOR:
            raise HttpError(_xml(403, "AccessDenied", "Request has expired"))
        content_type, content = self.contents[artifact_id]
        return Response(200, content, {"Content-Type": content_type})


def _xml(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(status, body.encode(), {"Content-Type": "application/xml"})
