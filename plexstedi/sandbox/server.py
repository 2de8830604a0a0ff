"""The sandbox: a strict Plex and Stedi on loopback, with suppliers that answer and a clock that can be moved."""

from __future__ import annotations

import hashlib
import http
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

from plexstedi.decimal_json import Json
from plexstedi.sandbox import control
from plexstedi.sandbox.behaviours import DEMO_DELAYS, Character, Delays
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.faults import LATE_KINDS, MAX_REAL_SECONDS, Call, FaultBook, FaultKind, FaultRule, Hook
from plexstedi.sandbox.plex.connect import PlexConnect
from plexstedi.sandbox.plex.datasources import PREFIX as DATASOURCES
from plexstedi.sandbox.plex.datasources import PlexDataSources
from plexstedi.sandbox.plex.made_up import MadeUp
from plexstedi.sandbox.plex.oauth2 import TOKEN_PATH, PlexOAuth2
from plexstedi.sandbox.plex.rest import PlexService, PlexSettings, plex_error
from plexstedi.sandbox.plex.store import PlexStore
from plexstedi.sandbox.schedule import Schedule
from plexstedi.sandbox.serving import StartResponse, WsgiApp, serving
from plexstedi.sandbox.stedi.api import BASE_PATH, StediApi, StediSettings
from plexstedi.sandbox.stedi.documents import DocumentStore
from plexstedi.sandbox.stedi.records import GeneratedDocument, Partnership
from plexstedi.sandbox.stedi.send import stedi_error
from plexstedi.sandbox.stedi.store import StediStore
from plexstedi.sandbox.suppliers.engine import SupplierDesk
from plexstedi.sandbox.web import ConnectionDropped, Environ, HttpError, Request, Response, request_from_environ

ORIGINS = ("plex", "stedi", "documents")

LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>Company code</form></body></html>"


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the sandbox can be reached. `stedi` ends in the API's version, as the real one does."""

    plex_url: str = "http://127.0.0.1:8801"
    stedi_url: str = f"http://127.0.0.1:8802{BASE_PATH}"
    documents_url: str = "http://127.0.0.1:8803"

    @property
    def token_url(self) -> str:
        return self.plex_url + TOKEN_PATH

    @property
    def datasource_url(self) -> str:
        return self.plex_url + DATASOURCES


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One call, as the log keeps it: no header, no body. `status` is None where the connection was cut."""

    number: int
    at: datetime
    origin: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    status: int | None
    fault: str | None
    body_sha256: str
    """Tells calls to one path apart, and does not show what they said."""


class Sandbox:
    """Everything made up, in one place: serve it over HTTP, or call its WSGI applications directly.

    `plex` and `other_plex` are the tenants' stores, `stedi` is Stedi's, `suppliers` the order desks. All methods
    may be called while it serves.
    """

    def __init__(
        self,
        made_up: MadeUp,
        clock: SandboxClock,
        *,
        delays: Delays = DEMO_DELAYS,
        plex_settings: PlexSettings | None = None,
        stedi_settings: StediSettings | None = None,
        seed: int = 1,
    ) -> None:
        self.made_up, self.clock = made_up, clock
        self.urls = Urls()
        self.lock = threading.RLock()
        self.schedule = Schedule()
        self.faults = FaultBook()
        self.log: list[LoggedCall] = []
        self.plex_settings = plex_settings or PlexSettings()
        self.stedi_settings = stedi_settings or StediSettings()
        self._service = PlexService(clock, made_up, self.plex_settings)
        self.connect = PlexConnect(self._service)
        self.datasources = PlexDataSources(self._service)
        self.oauth2 = PlexOAuth2(self._service, lambda: self.urls.plex_url)
        self.documents = DocumentStore(clock, lambda: self.urls.documents_url, f"sandbox-{seed}".encode())
        partners = [*made_up.partners, *made_up.customers]
        delay = self.stedi_settings.delivery_delay
        self.stedi = StediStore(clock, self.schedule, self.documents, partners, seed=seed, delivery_delay=delay)
        self.stedi_api = StediApi(self.stedi, self.stedi_settings, lambda: self.urls.stedi_url)
        self.suppliers = SupplierDesk(self.stedi, self.schedule, delays)
        self.suppliers.shipped = self._shipped
        self._handlers: dict[str, Callable[[Request, FaultRule | None], Response]] = {
            "plex": self._answer_plex,
            "stedi": self._answer_stedi,
            "documents": lambda request, fault: self.documents.answer(request),
        }
        self._count = 0

    @property
    def plex(self) -> PlexStore:
        """The tenant that a right configuration means."""
        return self._service.store

    @property
    def other_plex(self) -> PlexStore:
        """The company behind the key's default tenant."""
        return self._service.other

    # What a test or the demo does.

    def advance(self, by: timedelta) -> None:
        """Move the clock and let happen what falls due."""
        self.clock.advance(by)
        self.settle()

    def settle(self) -> None:
        """Let everything happen whose time has come."""
        with self.lock:
            self.schedule.run_due(self.clock.now())

    def answer_now(self) -> int:
        """Deliver and answer everything that is still waiting, whatever its delay; return the number of answers."""
        with self.lock:
            now = self.clock.now()
            self.schedule.run_due(now)
            self.schedule.run_now(now, "delivery")
            return self.suppliers.answer_now(now)

    def generated(self) -> list[GeneratedDocument]:
        """Every EDI file generated for us, oldest first."""
        self.settle()
        return list(self.stedi.documents)

    def fail_deliveries(self, supplier_code: str, attempts: int = 3) -> None:
        """Let that many delivery attempts of each file to this supplier fail (0: none). Raise KeyError."""
        self._partnership_of(supplier_code).failing_attempts = attempts

    def use_guide(self, supplier_code: str, set_id: str, schema: Json) -> None:
        """Let Stedi check this supplier's documents against a guide's JSON Schema. Raise KeyError."""
        for setting in self._partnership_of(supplier_code).settings.values():
            if setting.set_id == set_id and setting.direction == "OUTBOUND":
                setting.guide_schema = schema
                return
        raise KeyError(set_id)

    def _shipped(self, number: str, line: str) -> Decimal:
        """What a supplier has shipped of a line: what came in at the made-up Plex."""
        return sum(
            (
                receipt.quantity
                for receipt in self.plex.tenant.receipts
                if receipt.order.number == number and str(receipt.line.number) == line.split("-")[0]
            ),
            Decimal(0),
        )

    def set_character(self, supplier_code: str, character: Character) -> None:
        self.suppliers.set_character(supplier_code, character)

    def _partnership_of(self, supplier_code: str) -> Partnership:
        for each in self.stedi.partnerships.values():
            if each.partner.code == supplier_code:
                return each
        raise KeyError(supplier_code)

    def inject(self, rule: FaultRule) -> None:
        """Let calls go wrong from now on."""
        self.faults.add(rule)

    def on_call(self, hook: Hook) -> None:
        """Call `hook` before and after the processing of every call (not of control calls)."""
        self.faults.on_call(hook)

    # Answering.

    def app(self, origin: str) -> WsgiApp:
        """The WSGI application of one origin: `plex`, `stedi` or `documents`."""
        if origin not in ORIGINS:
            raise KeyError(origin)

        def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
            request = request_from_environ(environ)
            if origin == "plex" and request.path.startswith(control.PREFIX):
                with self.lock:
                    response = control.answer(self, request)
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
        fault = self.faults.pick(origin, request.method, request.path)
        status: int | None = None
        try:
            self.faults.tell(Call("before", origin, request.method, request.path, number))
            response = self._with_fault(origin, request, fault)
            self.faults.tell(Call("after", origin, request.method, request.path, number))
            if fault is not None and fault.kind is FaultKind.DROP_AFTER:
                raise ConnectionDropped
            status = response.status
        finally:
            query = request.query if origin != "documents" else ()  # a presigned query is a secret
            kind = fault.kind.value if fault is not None else None
            mark = hashlib.sha256(request.body).hexdigest()
            now = self.clock.now()
            logged = LoggedCall(number, now, origin, request.method, request.path, query, status, kind, mark)
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

    def _answer_plex(self, request: Request, fault: FaultRule | None) -> Response:
        kind = fault.kind if fault is not None else None
        ignored = (fault.filter or ".") if fault is not None and kind is FaultKind.IGNORED_FILTER else ""
        default_tenant = kind is FaultKind.DEFAULT_TENANT
        if request.path == TOKEN_PATH:
            return self.oauth2.token(request, without_token=kind is FaultKind.NO_ACCESS_TOKEN)
        stale = fault is not None and kind is FaultKind.STALE_READ
        self.plex.stale_for = timedelta(seconds=fault.seconds) if fault is not None and stale else None
        if self.datasources.knows(request.path):
            return self.datasources.answer(request)
        if self.connect.knows(request.path):
            return self.connect.answer(request, default_tenant=default_tenant, ignored=ignored)
        return self.oauth2.answer(request, default_tenant=default_tenant, ignored=ignored)

    def _answer_stedi(self, request: Request, fault: FaultRule | None) -> Response:
        if fault is not None and fault.kind is FaultKind.TOKEN_REFUSED and request.one("pageToken") is not None:
            return stedi_error(400, "Invalid pageToken", "BadRequestException")
        return self.stedi_api.answer(request)

    # Serving.

    @contextmanager
    def serve(self, *, plex_port: int = 0, stedi_port: int = 0, documents_port: int = 0) -> Iterator[Urls]:
        """Serve all three origins on 127.0.0.1 (port 0: any free one). Raise OSError when a port is taken."""
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
