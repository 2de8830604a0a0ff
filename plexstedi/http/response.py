"""The result types of a call: a response, a rejection, or a send without a conclusive response."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import httpx
from msgspec import Struct

from plexstedi.decimal_json import BrokenJsonError, Json, loads
from plexstedi.errors import (
    RequestRejected,
    ServiceUnavailable,
)


def _never(response: httpx.Response) -> bool:
    return False


class ResponseForm(Struct, frozen=True):
    """The form of a service's responses."""

    is_json: bool = True
    is_response: Callable[[httpx.Response], bool] = _never
    """Whether a response other than 2xx is to be returned like one: a SOAP fault comes with 500."""
    is_final: Callable[[httpx.Response], bool] = _never
    """Whether such a response would be the same again: the call is not repeated."""


JSON = ResponseForm()


class InconclusiveSend(ServiceUnavailable):
    """A send without a conclusive response.

    `maybe_processed`: some attempt may have been processed; False: none was (never connected, or throttled).
    `status` and `retry_after` (seconds) come from the last response, if there was one (409: still being processed).
    """

    def __init__(
        self,
        message: str,
        *,
        fix: str,
        maybe_processed: bool,
        status: int | None = None,
        retry_after: float | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, fix=fix, code=code)
        self.maybe_processed = maybe_processed
        self.status = status
        self.retry_after = retry_after


class RejectedCall(RequestRejected):
    """A request rejected because of its content (4xx), with the service's error code and message.

    `service_code` is the service's own code (RESOURCE_NOT_FOUND, validation_failed); `date` the response's Date.
    `maybe_processed`: an attempt before the rejected one had no response and may have been processed.
    """

    def __init__(
        self,
        message: str,
        *,
        fix: str,
        status: int,
        details: Sequence[str] = (),
        service_code: str | None = None,
        service_message: str = "",
        date: datetime | None = None,
    ) -> None:
        super().__init__(message, fix=fix, status=status, details=details)
        self.service_code = service_code
        self.service_message = service_message
        self.date = date
        self.maybe_processed = False

    @property
    def has_service_error(self) -> bool:
        """Whether the body holds an error of the service itself (stedi/README.md 2.1), not a page of a proxy."""
        return bool(self.service_message or self.service_code)


class Refusal(Struct, frozen=True):
    """Possible causes of a 401 or 403 at this service, and the fix to report."""

    causes: str
    fix: str


@dataclass(frozen=True)
class ServiceResponse:
    """A 2xx response."""

    service: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    request_id: str | None
    date: datetime | None
    """The service's time by the Date header, UTC."""
    document: Json = None
    """The body as JSON, if it was parsed already."""
    items: Sequence[object] | None = None
    """For a call with `keep`: what it kept of each item, if the body is a list; there is no `document` then."""
    scrub: Callable[[Json], Json] = field(default=lambda document: document, repr=False)
    """Removes our secrets, should the service have echoed one."""

    def json(self) -> Json:
        """The body as JSON, with our secrets removed. Raise ServiceUnavailable if there is no readable JSON."""
        try:
            return self.scrub(loads(self.body) if self.document is None else self.document)
        except (BrokenJsonError, RecursionError) as error:
            raise ServiceUnavailable(
                f"{self.service} answered {self.path} with {self.status} and no readable JSON",
                fix="Check the base_url, any proxy, and the service's status page.",
            ) from error
