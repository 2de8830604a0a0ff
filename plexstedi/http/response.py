"""What a service answered or refused, and that it could not be heard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from plexstedi.decimal_json import BrokenJsonError, Json, loads
from plexstedi.errors import (
    RequestRejected,
    ServiceUnavailable,
)


class InconclusiveSend(ServiceUnavailable):
    """A send that has no conclusive answer.

    `maybe_processed`: some attempt may have been carried out; if False, none was (never connected, or throttled).
    `status` and `retry_after` (seconds) are of the last answer, if there was one (409: still being carried out).
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
    """A request refused for its content, with what the service said of it.

    `service_code` is the service's own word (RESOURCE_NOT_FOUND, validation_failed); `date` the answer's Date.
    `maybe_processed`: an attempt before the one that was refused had no answer, and may have been carried out.
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
        """Whether the service said so in its own words (stedi/README.md 2.1), and not a page of some proxy."""
        return bool(self.service_message or self.service_code)


@dataclass(frozen=True)
class Refusal:
    """What a 401 or 403 can mean at this service, and what to do about it."""

    causes: str
    fix: str


@dataclass(frozen=True)
class ServiceResponse:
    """A 2xx answer."""

    service: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    request_id: str | None
    date: datetime | None
    """Time of the service by its Date header, UTC."""
    document: Json = None
    """The body as JSON, where it was read already."""
    scrub: Callable[[Json], Json] = field(default=lambda document: document, repr=False)
    """Takes our secrets out, should the service have echoed one."""

    def json(self) -> Json:
        """The body, without any secret of ours. Raise ServiceUnavailable if there is none."""
        try:
            return self.scrub(loads(self.body) if self.document is None else self.document)
        except (BrokenJsonError, RecursionError) as error:
            raise ServiceUnavailable(
                f"{self.service} answered {self.path} with {self.status} and no readable JSON",
                fix="Check the base_url, any proxy, and the service's status page.",
            ) from error
