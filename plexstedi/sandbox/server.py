"""The sandbox server: serves the simulated services on loopback, with fault injection."""

from __future__ import annotations

import hashlib
import http
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from email.utils import format_datetime

from msgspec.structs import replace

from plexstedi.sandbox import control
from plexstedi.sandbox.behaviours import DEMO_DELAYS, Delays
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.faults import LATE_KINDS, MAX_REAL_SECONDS, Call, FaultKind, FaultRule
from plexstedi.sandbox.plex.oauth2 import TOKEN_PATH
from plexstedi.sandbox.plex.rest import PlexSettings, not_authenticated, plex_error
from plexstedi.sandbox.plex.sample_data import SampleData
from plexstedi.sandbox.plex.source_faults import executed_source, hostile_xml, without_rows
from plexstedi.sandbox.serving import StartResponse, WsgiApp, serving
from plexstedi.sandbox.stedi.api import BASE_PATH, StediSettings
from plexstedi.sandbox.stedi.send import stedi_error
from plexstedi.sandbox.web import ConnectionDropped, Environ, HttpError, Request, Response, request_from_environ
from plexstedi.sandbox.world import LoggedCall, Urls, World

ORIGINS = ("plex", "stedi", "documents")

LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>Company code</form></body></html>"


class Sandbox(World):
    """The simulated services over HTTP or as WSGI applications. Thread-safe: methods may be called while it serves."""

    def __init__(
        self,
        sample_data: SampleData,
        clock: SandboxClock,
        *,
        delays: Delays = DEMO_DELAYS,
        plex_settings: PlexSettings | None = None,
        stedi_settings: StediSettings | None = None,
        seed: int = 1,
    ) -> None:
        super().__init__(
            sample_data, clock, delays=delays, plex_settings=plex_settings, stedi_settings=stedi_settings, seed=seed
        )
        self._handlers: dict[str, Callable[[Request, FaultRule | None], Response]] = {
            "plex": self._respond_plex,
            "stedi": self._respond_stedi,
            "documents": lambda request, fault: self.documents.respond(request),
        }
        self._count = 0

    # Requests.

    def app(self, origin: str) -> WsgiApp:
        """The WSGI application of one origin: `plex`, `stedi` or `documents`."""
        if origin not in ORIGINS:
            raise KeyError(origin)

        def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
            request = request_from_environ(environ)
            if origin == "plex" and request.path.startswith(control.PREFIX):
                with self.lock:
                    response = control.respond(self, request)
                truncated = False
            else:
                response, truncated = self._call(origin, request)
            body = response.body
            response.headers.setdefault("Content-Length", str(len(body)))
            response.headers["Date"] = format_datetime(self.clock.now(), usegmt=True)
            phrase = http.HTTPStatus(response.status).phrase
            start_response(f"{response.status} {phrase}", list(response.headers.items()))
            return [body[: len(body) // 2] if truncated else body]

        return application

    def _call(self, origin: str, request: Request) -> tuple[Response, bool]:
        with self.lock:
            self._count += 1
            number = self._count
        source = executed_source(request) if origin == "plex" else None
        fault = self.faults.pick(origin, request.method, request.path, source)
        status: int | None = None
        try:
            self.faults.notify(Call("before", origin, request.method, request.path, number))
            response = self._with_fault(origin, request, fault)
            self.faults.notify(Call("after", origin, request.method, request.path, number))
            if fault is not None and fault.kind is FaultKind.DROP_AFTER:
                raise ConnectionDropped
            status = response.status
        finally:
            query = request.query if origin != "documents" else ()  # The query of a presigned URL is a secret.
            kind = fault.kind.value if fault is not None else None
            mark = hashlib.sha256(request.body).hexdigest()
            now = self.clock.now()
            logged = LoggedCall(number, now, origin, request.method, request.path, query, status, kind, mark, source)
            with self.lock:
                self.log.append(logged)
        if origin == "stedi":
            response.headers["x-amzn-RequestId"] = f"sandbox-{number:08}"
        return response, fault is not None and fault.kind is FaultKind.TRUNCATED

    def _with_fault(self, origin: str, request: Request, fault: FaultRule | None) -> Response:
        kind = fault.kind if fault is not None else None
        if fault is None or kind in LATE_KINDS:
            return self._process(origin, request, fault)
        match kind:
            case FaultKind.DROP_BEFORE:
                raise ConnectionDropped
            case FaultKind.DROP_LATER:
                self._process_later(origin, request, fault)
                raise ConnectionDropped
            case FaultKind.SLOW:
                return self._process_slowly(origin, request, fault)
            case FaultKind.UNAUTHENTICATED:
                return _error(origin, 401, "REQUEST_NOT_AUTHENTICATED", "UnauthorizedException", None)
            case FaultKind.FORBIDDEN:
                return _error(origin, 403, "ACCESS_DENIED", "AccessDeniedException", None)
            case FaultKind.EMPTY_BODY:
                return Response(200)
            case FaultKind.BROKEN_BODY:
                response = self._process(origin, request, fault)
                return replace(response, body=response.body[: len(response.body) // 2])
            case FaultKind.XML_BOMB | FaultKind.EXTERNAL_ENTITY | FaultKind.LONG_ATTRIBUTE:
                return hostile_xml(kind)
            case FaultKind.HTML:
                return Response(200, LOGIN_PAGE, {"Content-Type": "text/html; charset=utf-8"})
            case FaultKind.THROTTLED:
                return _error(origin, 429, "TOO_MANY_REQUESTS", "ThrottlingException", fault.retry_after)
            case FaultKind.ERROR_BEFORE:
                return _error(origin, 500, "REQUEST_PROCESSING_ERROR", "ServiceException", None)
            case FaultKind.ERROR_AFTER:
                self._process(origin, request, fault)
                return _error(origin, 500, "REQUEST_PROCESSING_ERROR", "ServiceException", None)
            case FaultKind.UNAVAILABLE:
                return _error(origin, 503, "UNAVAILABLE", "ServiceUnavailableException", fault.retry_after)
            case FaultKind.GATEWAY_TIMEOUT:
                return _error(origin, 504, "TIMEOUT", "GatewayTimeoutException", None)
            case _:
                return self._process(origin, request, fault)

    def _process(self, origin: str, request: Request, fault: FaultRule | None) -> Response:
        with self.lock:
            self.schedule.run_due(self.clock.now())
            try:
                return self._handlers[origin](request, fault)
            except HttpError as error:
                return error.response

    def _process_slowly(self, origin: str, request: Request, fault: FaultRule) -> Response:
        if origin == "stedi":
            self.stedi_api.keys.hold(request)
        time.sleep(min(fault.seconds, MAX_REAL_SECONDS))
        self.stedi_api.keys.release(request)
        return self._process(origin, request, fault)

    def _process_later(self, origin: str, request: Request, fault: FaultRule) -> None:
        if origin == "stedi":
            self.stedi_api.keys.hold(request)

        def process(at: datetime) -> None:
            self.stedi_api.keys.release(request)
            self._process(origin, request, fault)

        with self.lock:
            self.schedule.at(self.clock.now() + timedelta(seconds=fault.seconds), process, "late-call")

    def _respond_plex(self, request: Request, fault: FaultRule | None) -> Response:
        kind = fault.kind if fault is not None else None
        ignored = (fault.filter or ".") if fault is not None and kind is FaultKind.IGNORED_FILTER else ""
        default_tenant = kind is FaultKind.DEFAULT_TENANT
        by_account = self.soap.knows(request.path) or self.datasources.knows(request.path)
        if kind is FaultKind.ACCESS_DENIED and not by_account:
            not_authenticated()
        if request.path == TOKEN_PATH:
            return self.oauth2.token(request, without_token=kind is FaultKind.NO_ACCESS_TOKEN)
        stale = fault is not None and kind is FaultKind.STALE_READ
        self.plex.stale_for = timedelta(seconds=fault.seconds) if fault is not None and stale else None
        if self.soap.knows(request.path):
            return self.soap.respond(request, fault)
        if self.datasources.knows(request.path):
            return self.datasources.respond(request, fault)
        api = self.connect if self.connect.knows(request.path) else self.oauth2
        response = api.respond(request, default_tenant=default_tenant, ignored=ignored)
        return without_rows(response) if kind is FaultKind.NO_ROWS else response

    def _respond_stedi(self, request: Request, fault: FaultRule | None) -> Response:
        if fault is not None and fault.kind is FaultKind.TOKEN_REFUSED and request.one("pageToken") is not None:
            return stedi_error(400, "Invalid pageToken", "BadRequestException")
        return self.stedi_api.respond(request)

    # Serving.

    @contextmanager
    def serve(self, *, plex_port: int = 0, stedi_port: int = 0, documents_port: int = 0) -> Iterator[Urls]:
        """Serve all three origins on 127.0.0.1 (port 0: any free port). Raise OSError if a port is in use."""
        with ExitStack() as stack:
            plex_url = stack.enter_context(serving(self.app("plex"), plex_port))
            stedi_url = stack.enter_context(serving(self.app("stedi"), stedi_port)) + BASE_PATH
            documents_url = stack.enter_context(serving(self.app("documents"), documents_port))
            self.urls = Urls(plex_url, stedi_url, documents_url)
            yield self.urls


def _error(origin: str, status: int, plex_code: str, stedi_code: str, retry_after: int | None) -> Response:
    message = http.HTTPStatus(status).phrase
    response = stedi_error(status, message, stedi_code) if origin == "stedi" else plex_error(status, plex_code, message)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response
