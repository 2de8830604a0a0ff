"""The HTTP client for Plex and Stedi: checks each response and raises errors that name a fix.

Results of a call:

    ServiceResponse        2xx with JSON, or without a body
    RejectedCall           the request was rejected because of its content (4xx), with the service's error code
    ServiceRefused         key, tenant or grant refused (401, 403)
    ServiceUnavailable     a read without a usable response
    InconclusiveSend       a send without a conclusive response; `maybe_processed`: it may have been processed

Messages and logs hold no secrets: no query, no header, no presigned URL; a service's error texts are bounded.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

import httpx

from plexstedi.clock import Clock, SystemClock
from plexstedi.decimal_json import BrokenJsonError, Json, loads
from plexstedi.errors import (
    ConfigurationFault,
    CredentialsFault,
    Problem,
    ServiceRefused,
    ServiceUnavailable,
)
from plexstedi.http.deadline import Deadline
from plexstedi.http.error_body import read_error
from plexstedi.http.exchange import Exchange
from plexstedi.http.headers import http_date, looks_like_html, request_id
from plexstedi.http.network import is_loopback
from plexstedi.http.response import JSON, InconclusiveSend, Refusal, RejectedCall, ResponseForm, ServiceResponse
from plexstedi.http.response_body import ACCEPTED_CODINGS, LARGEST_RESPONSE, TOO_LARGE
from plexstedi.http.scrub import authorization_of, header_secrets, long_enough, scrub_for, scrub_items, without
from plexstedi.http.throttle import CallLog, MemoryCallLog, PerMinute
from plexstedi.http.transport import (
    CALL,
    KEPT_ITEMS,
    READ_JSON,
    TRANSPORT_ERRORS,
    Attempt,
    Call,
    Retrying,
    RetryPolicy,
    ServiceTime,
)

__all__ = [
    "LARGEST_RESPONSE",
    "TOO_LARGE",
    "Attempt",
    "CallLog",
    "Caller",
    "Deadline",
    "InconclusiveSend",
    "MemoryCallLog",
    "PerMinute",
    "Refusal",
    "RejectedCall",
    "RetryPolicy",
    "ServiceResponse",
    "is_loopback",
    "path_segment",
    "token_request",
]

_PRESIGNED = "(presigned document)"


def path_segment(text: str) -> str:
    """Quote text as one path segment, so that an id with a slash or question mark cannot reach another resource."""
    return quote(text, safe="")


def _address(url: str) -> httpx.URL | None:
    """A URL with a host; None for other text. URL parsers raise several kinds of errors for malformed text."""
    try:
        address = httpx.URL(url) if urlsplit(url).hostname else None
    except (ValueError, httpx.InvalidURL):
        return None
    return address if address is not None and address.host else None


def token_request(url: str, form: Mapping[str, str]) -> httpx.Request:
    """A form POST that requests a token. It may be repeated and is retried like a read."""
    request = httpx.Request("POST", url, data=dict(form), headers={"Accept": "application/json"})
    request.extensions[CALL] = Call(idempotent=True, shown_path=urlsplit(url).path, reads=True)
    request.extensions["timeout"] = httpx.Timeout(30.0, connect=10.0).as_dict()
    return request


class Caller:
    """Calls one service under `base_url`; every call is rate-limited, retried where safe, recorded and checked."""

    def __init__(
        self,
        service: str,
        base_url: str,
        *,
        refusal: Refusal,
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
        read_timeout: float = 60.0,
        connect_timeout: float = 10.0,
        limiter: PerMinute | None = None,
        retry: RetryPolicy | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        deadline: Deadline | None = None,
        transport: httpx.BaseTransport | None = None,
        on_attempt: Callable[[Attempt], None] | None = None,
        largest_response: int = LARGEST_RESPONSE,
        form: ResponseForm = JSON,
        legacy_tls: bool = False,
    ) -> None:
        """Timeouts in seconds; `largest_response` in bytes, decoded.

        Raise ConfigurationFault for a base_url that is not https (except loopback), CredentialsFault for a header value
        that cannot be sent.
        """
        self.service = service
        self.base_url = base_url.rstrip("/")
        self._refusal = refusal
        self._form = form
        parts = urlsplit(self.base_url)
        if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(base_url))):
            raise ConfigurationFault(
                [Problem("configuration", f"{service.lower()}.base_url", "must be an https address", "Correct it")]
            )
        self._headers = dict(headers or {})
        for name, value in self._headers.items():
            if not value.isascii() or not value.isprintable():
                raise CredentialsFault(
                    f"the value for the header {name} of {service} has characters that no key can have",
                    fix="Store the secret again, without line breaks or typographic characters.",
                )
        self._secrets = header_secrets(self._headers)
        self._clock = clock = clock or SystemClock()
        self._time = ServiceTime()

        def stack(limiter: PerMinute | None, auth: httpx.Auth | None, service_time: ServiceTime | None) -> Exchange:
            return Exchange(
                Retrying(
                    service=service,
                    clock=clock,
                    rng=rng or random.Random(),
                    retry=retry or RetryPolicy(),
                    limiter=limiter,
                    deadline=deadline,
                    transport=transport,
                    on_attempt=on_attempt,
                    service_time=service_time,
                    largest_response=largest_response,
                    legacy_tls=legacy_tls,
                ),
                auth=auth,
                headers={
                    "User-Agent": "plexstedi",
                    "Accept": "application/json",
                    "Accept-Encoding": ACCEPTED_CODINGS,
                },
                timeout=httpx.Timeout(read_timeout, connect=connect_timeout),
            )

        self._client = stack(limiter, auth, self._time)
        # Presigned URLs belong to another host: our key must not be sent there, and they are not rate-limited.
        self._bare_client = stack(None, None, None)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._bare_client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def service_now(self) -> datetime | None:
        """The service's current time, UTC, extrapolated from its last response; None before the first response."""
        return self._time.now(self._clock)

    def scrubbed(self, document: Json, *more: str) -> Json:
        """The document with our secrets and `more` removed, should the service have echoed one."""
        return without(document, (*self._secrets, *more))

    def _keeping(
        self, keep: Callable[[], Callable[[Json], object]], request: httpx.Request
    ) -> Callable[[Json, str], object]:
        return scrub_items(keep(), (*self._secrets, *long_enough(authorization_of(request))))

    def get(
        self,
        path: str,
        params: Sequence[tuple[str, str]] = (),
        *,
        keep: Callable[[], Callable[[Json], object]] | None = None,
    ) -> ServiceResponse:
        """GET. `path` begins with a slash; a name may occur several times in `params`.

        `keep`: read a list item by item, without holding all of it. For each attempt it gives a function that returns
        what to keep of an item; it must not raise. The result has `items` then, unless the body is not a list.
        """
        return self._call("GET", path, params=params, idempotent=True, reads=True, keep=keep)

    def search(self, path: str, *, body: bytes, headers: Mapping[str, str] | None = None) -> ServiceResponse:
        """Read by POST with JSON: changes nothing at the service, so it is retried like a GET."""
        return self._call("POST", path, body=body, headers=headers, idempotent=True, reads=True)

    def post(
        self, path: str, *, body: bytes, headers: Mapping[str, str] | None = None, idempotent: bool = False
    ) -> ServiceResponse:
        """POST JSON. `idempotent`: the same bytes may be sent again (a send under an idempotency key)."""
        return self._call("POST", path, body=body, headers=headers, idempotent=idempotent)

    def put(
        self, path: str, *, body: bytes, headers: Mapping[str, str] | None = None, idempotent: bool = False
    ) -> ServiceResponse:
        """PUT JSON. `idempotent` as for `post`."""
        return self._call("PUT", path, body=body, headers=headers, idempotent=idempotent)

    def patch(
        self, path: str, *, body: bytes, headers: Mapping[str, str] | None = None, idempotent: bool = False
    ) -> ServiceResponse:
        """PATCH with JSON. `idempotent` as for `post`."""
        return self._call("PATCH", path, body=body, headers=headers, idempotent=idempotent)

    def delete(self, path: str) -> ServiceResponse:
        """DELETE; repeated like a read."""
        return self._call("DELETE", path, idempotent=True)

    def download(self, url: str) -> bytes:
        """Download a presigned URL, without any of our headers.

        Raise RejectedCall (400, 401, 403, 404, 410: the URL has expired), or ServiceUnavailable, also for an HTML page.
        Neither message contains the URL.
        """
        call = Call(idempotent=True, shown_path=_PRESIGNED, wants_json=False, reads=True)
        address = _address(url)
        if address is None:
            raise ServiceUnavailable(
                f"{self.service} returned a document link that is not an address", fix="The next run tries again."
            )
        if address.scheme != "https" and not is_loopback(url):
            raise ServiceUnavailable(
                f"{self.service} returned a document link that is not https", fix="Contact the service's support."
            )
        try:
            response = self._bare_client.request("GET", address, extensions={CALL: call})
        except TRANSPORT_ERRORS:
            # The cause is dropped: its text may contain the URL.
            what = f"{self.service} returned a document link that cannot be read"
            raise ServiceUnavailable(what, fix="The next run tries again.") from None
        if response.is_success and looks_like_html(response):
            raise ServiceUnavailable(
                f"{self.service} did not return the document, but an HTML page",
                fix="Check for a proxy; the next run tries again.",
                code="no-document",
            )
        if response.is_success:
            content = response.content
            for secret in self._secrets:
                content = content.replace(secret.encode(), b"(secret)")
            return content
        if response.status_code in {400, 401, 403, 404, 410}:
            raise RejectedCall(
                f"{self.service} did not return the document: HTTP status {response.status_code}",
                fix="The address has expired; the next run requests a new one.",
                status=response.status_code,
            )
        raise ServiceUnavailable(
            f"{self.service} did not return the document: HTTP status {response.status_code}",
            fix="The next run tries again.",
        )

    def _call(
        self,
        method: str,
        path: str,
        *,
        idempotent: bool,
        reads: bool = False,
        params: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        keep: Callable[[], Callable[[Json], object]] | None = None,
    ) -> ServiceResponse:
        item_by_item = None if keep is None else partial(self._keeping, keep)
        call = Call(idempotent, path, self._form.is_json, reads, item_by_item, is_final=self._form.is_final)
        content_type = {} if body is None else {"Content-Type": "application/json"}
        try:
            try:
                response = self._client.request(
                    method,
                    self.base_url + path,
                    params=httpx.QueryParams(list(params)) if params else None,
                    content=body,
                    headers={**self._headers, **content_type, **(headers or {})},
                    extensions={CALL: call},
                )
            except TRANSPORT_ERRORS as error:
                raise ServiceUnavailable(
                    f"{self.service} cannot be called: {method} {path} ({type(error).__name__})",
                    fix="Check the base_url.",
                ) from error
            return self._answer(method, path, response)
        except RejectedCall as error:
            error.maybe_processed = call.maybe_processed
            raise
        except (ServiceUnavailable, ServiceRefused) as error:
            # A refused key does not decide what happened to an earlier attempt of this send without a response.
            if reads or (isinstance(error, ServiceRefused) and not call.maybe_processed):
                raise
            raise InconclusiveSend(
                error.message,
                fix=error.fix,
                maybe_processed=call.maybe_processed,
                status=call.status,
                retry_after=call.retry_after,
                code=error.code,
            ) from error

    def _answer(self, method: str, path: str, response: httpx.Response) -> ServiceResponse:
        """Convert the last response into a ServiceResponse, or raise the matching error (see the module's list)."""
        status = response.status_code
        authorization = authorization_of(response.request)
        secrets = (*self._secrets, *long_enough(authorization))
        if response.is_success or self._form.is_response(response):
            if response.content.strip() and self._form.is_json:
                self._check_json(method, path, response)
            return ServiceResponse(
                service=self.service,
                path=path,
                status=status,
                headers=response.headers,
                body=response.content,
                request_id=request_id(response.headers),
                date=http_date(response.headers.get("date")),
                document=response.extensions.get(READ_JSON),
                items=response.extensions.get(KEPT_ITEMS),
                scrub=scrub_for(response.content, secrets),
            )
        error_body = read_error(response, secrets=[key for key in (*self._secrets, authorization) if key])
        what = f"{self.service} refused {method} {path} with {status}{error_body.text}"
        if status in {401, 403}:
            raise ServiceRefused(f"{what}. Causes: {self._refusal.causes}", fix=self._refusal.fix)
        if status == 429:
            raise ServiceUnavailable(
                f"{self.service} throttles us ({method} {path}: 429{error_body.text})",
                fix="The next run continues. If it happens often, lower the calls per minute.",
                code="throttled",
            )
        if status < 400:
            raise ServiceUnavailable(
                f"{self.service} answered {method} {path} with a redirect ({status}), which is never followed",
                fix="Check the base_url: a redirect is usually a log-in page or an old address.",
            )
        # A 409 that persists after the retries: the service is still processing the same key or resource.
        if status >= 500 or status in {408, 409}:
            raise ServiceUnavailable(
                f"{self.service} failed on {method} {path}: {status}{error_body.text}",
                fix="The next run tries again. If it persists, check the service's status page.",
            )
        raise RejectedCall(
            what,
            fix=f"Correct what {self.service} objects to, or contact its support"
            + (f" (request {error_body.request_id})." if error_body.request_id else "."),
            status=status,
            details=error_body.details,
            service_code=error_body.code,
            service_message=error_body.message,
            date=http_date(response.headers.get("date")),
        )

    def _check_json(self, method: str, path: str, response: httpx.Response) -> None:
        if READ_JSON in response.extensions or KEPT_ITEMS in response.extensions:
            return
        try:
            loads(response.content)
        except BrokenJsonError:
            kind = "an HTML page" if looks_like_html(response) else "broken JSON"
            raise ServiceUnavailable(
                f"{self.service} answered {method} {path} with {kind} instead of a usable response",
                fix="Check the base_url, any proxy and the service's status page; the next run tries again.",
                code="no-json",
            ) from None
