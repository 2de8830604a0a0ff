"""The simulated services: Plex, Stedi, suppliers, and their shared clock."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from plexstedi.decimal_json import Json
from plexstedi.sandbox.behaviours import DEMO_DELAYS, Character, Delays
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.faults import FaultBook, FaultRule, Hook
from plexstedi.sandbox.plex.connect import PlexConnect
from plexstedi.sandbox.plex.datasources import PREFIX as DATASOURCES
from plexstedi.sandbox.plex.datasources import PlexDataSources
from plexstedi.sandbox.plex.oauth2 import TOKEN_PATH, PlexOAuth2
from plexstedi.sandbox.plex.rest import PlexService, PlexSettings
from plexstedi.sandbox.plex.sample_data import SampleData
from plexstedi.sandbox.plex.soap import SOAP_PATH, PlexSoap
from plexstedi.sandbox.plex.store import PlexStore
from plexstedi.sandbox.schedule import Schedule
from plexstedi.sandbox.stedi.api import BASE_PATH, StediApi, StediSettings
from plexstedi.sandbox.stedi.api_keys import KEYS_PATH
from plexstedi.sandbox.stedi.documents import DocumentStore
from plexstedi.sandbox.stedi.records import GeneratedDocument, Partnership
from plexstedi.sandbox.stedi.store import StediStore
from plexstedi.sandbox.suppliers.engine import SupplierDesk


class Urls(Struct, frozen=True):
    """The sandbox's URLs. `stedi` ends in the API version, like the real one."""

    plex_url: str = "http://127.0.0.1:8801"
    stedi_url: str = f"http://127.0.0.1:8802{BASE_PATH}"
    documents_url: str = "http://127.0.0.1:8803"

    @property
    def token_url(self) -> str:
        return self.plex_url + TOKEN_PATH

    @property
    def soap_url(self) -> str:
        return self.plex_url + SOAP_PATH

    @property
    def api_keys_url(self) -> str:
        return self.stedi_url.removesuffix(BASE_PATH) + KEYS_PATH

    @property
    def datasource_url(self) -> str:
        return self.plex_url + DATASOURCES


class LoggedCall(Struct, frozen=True):
    """One logged call, without headers and body. `status` is None if the connection was closed."""

    number: int
    at: datetime
    origin: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    status: int | None
    fault: str | None
    body_sha256: str
    """Hash of the body: distinguishes calls to one path without storing their content."""
    source: int | None = None
    """The number of the data source that was executed, over JSON or SOAP."""


class World:
    """All simulated services and their state.

    `plex` and `other_plex` are the tenants' stores, `stedi` is Stedi's, `suppliers` the suppliers' order desks. Thread-
    safe: all methods may be called while it is served.
    """

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
        self.sample_data, self.clock = sample_data, clock
        self.urls = Urls()
        self.lock = threading.RLock()
        self.schedule = Schedule()
        self.faults = FaultBook()
        self.log: list[LoggedCall] = []
        self.plex_settings = plex_settings or PlexSettings()
        self.stedi_settings = stedi_settings or StediSettings()
        self._service = PlexService(clock, sample_data, self.plex_settings)
        self.connect = PlexConnect(self._service)
        self.datasources = PlexDataSources(self._service)
        self.soap = PlexSoap(self.datasources)
        self.oauth2 = PlexOAuth2(self._service, lambda: self.urls.plex_url)
        self.documents = DocumentStore(clock, lambda: self.urls.documents_url, f"sandbox-{seed}".encode())
        partners = [*sample_data.partners, *sample_data.customers]
        delay = self.stedi_settings.delivery_delay
        self.stedi = StediStore(clock, self.schedule, self.documents, partners, seed=seed, delivery_delay=delay)
        self.stedi_api = StediApi(self.stedi, self.stedi_settings, lambda: self.urls.stedi_url)
        self.suppliers = SupplierDesk(self.stedi, self.schedule, delays)
        self.suppliers.shipped = self._shipped

    @property
    def plex(self) -> PlexStore:
        """The tenant that a correct configuration names."""
        return self._service.store

    @property
    def other_plex(self) -> PlexStore:
        """The company behind the key's default tenant."""
        return self._service.other

    # Actions of tests and the demo.

    def advance(self, by: timedelta) -> None:
        """Advance the clock and run all actions that become due."""
        self.clock.advance(by)
        self.run_due()

    def run_due(self) -> None:
        """Run all actions that are due."""
        with self.lock:
            self.schedule.run_due(self.clock.now())

    def reply_now(self) -> int:
        """Run all pending deliveries and acknowledgments regardless of delays; return the number of acknowledgments."""
        with self.lock:
            now = self.clock.now()
            self.schedule.run_due(now)
            self.schedule.run_now(now, "delivery")
            return self.suppliers.reply_now(now)

    def generated(self) -> list[GeneratedDocument]:
        """All EDI files that Stedi generated for us, oldest first."""
        self.run_due()
        return list(self.stedi.documents)

    def fail_deliveries(self, supplier_code: str, attempts: int = 3) -> None:
        """Make this many delivery attempts of each file to the supplier fail (0: none). Raise KeyError."""
        self._partnership_of(supplier_code).failing_attempts = attempts

    def use_guide(self, supplier_code: str, set_id: str, schema: Json) -> None:
        """Make Stedi validate this supplier's documents against a guide's JSON Schema. Raise KeyError."""
        for setting in self._partnership_of(supplier_code).settings.values():
            if setting.set_id == set_id and setting.direction == "OUTBOUND":
                setting.guide_schema = schema
                return
        raise KeyError(set_id)

    def _shipped(self, number: str, line: str) -> Decimal:
        """The quantity of a line that the supplier has shipped: its receipts in the simulated Plex."""
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
        """Inject a fault into calls from now on."""
        self.faults.add(rule)

    def on_call(self, hook: Hook) -> None:
        """Call `hook` before and after the processing of every call (not of control calls)."""
        self.faults.on_call(hook)
