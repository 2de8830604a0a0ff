"""Build a session from configuration and secrets: the one place that connects clients, state and limits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from plexstedi.clock import Clock, StopRequest
from plexstedi.config.datasource_tables import ACCOUNT_APIS, default_id, default_limit
from plexstedi.config.datasources import COMPANY, READ, RECORD_VALUES, WRITE
from plexstedi.config.load import AckLevel, Config, PlexApi, WriteBack
from plexstedi.config.values import timezone_problem
from plexstedi.credentials.secrets import Secrets
from plexstedi.decimal_json import Json
from plexstedi.errors import Interrupted
from plexstedi.http.caller import Attempt, Deadline, MemoryCallLog
from plexstedi.plex.build import connect_to_plex
from plexstedi.plex.port import PlexPort
from plexstedi.plex.settings import AcknowledgmentRecords, Api, DataSourceMap, Level, PlexSettings, StatusNames
from plexstedi.plex.tenant import verify_tenant
from plexstedi.secret_names import SecretName
from plexstedi.state.cursors import Cursors, Fact
from plexstedi.state.store import Store, expect_state
from plexstedi.stedi.build import connect_to_stedi
from plexstedi.stedi.client import StediClient
from plexstedi.stedi.other_keys import NamedKey, OtherKeys
from plexstedi.sync.counts import CallCounts
from plexstedi.sync.session import PROGRAM, Session
from plexstedi.sync.timezones import history

_WINDOW = timedelta(seconds=60)
_SLICE_SECONDS = 0.25
_MASTER_DATA_AGE = timedelta(days=1)
_TRIAL_SECONDS = 60.0


@dataclass(frozen=True)
class InterruptibleClock:
    """A clock whose waits end when a signal requests a stop."""

    clock: Clock
    stop: StopRequest

    def now(self) -> datetime:
        """As the underlying clock."""
        return self.clock.now()

    def monotonic(self) -> float:
        """As the underlying clock."""
        return self.clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait in slices. Raise Interrupted once a stop is requested: no work is in progress while waiting."""
        left = seconds
        while left > 0:
            if self.stop.signal is not None:
                raise Interrupted(f"stopped by {self.stop.signal} while waiting", fix="The next run continues.")
            step = min(left, _SLICE_SECONDS)
            self.clock.sleep(step)
            left -= step


@dataclass
class StoredCalls:
    """Times of the last minute's calls to Plex, so that the rate limit holds across consecutive runs.

    Stored once, when the run ends: after a killed run the next may get a 429, which it waits out.
    """

    cursors: Cursors
    _made: MemoryCallLog = field(default_factory=MemoryCallLog)

    def load(self, service: str, since: datetime) -> Sequence[datetime]:
        """Times of earlier runs and of this one."""
        text = self.cursors.get(Fact.PLEX_CALLS) or ""
        earlier = [datetime.fromisoformat(part) for part in text.split()]
        return [at for at in earlier if at >= since] + list(self._made.load(service, since))

    def record(self, service: str, at: datetime) -> None:
        """Record one call."""
        self._made.record(service, at)

    def keep(self, service: str, now: datetime) -> None:
        """Store the last minute's calls for the next run."""
        times = self.load(service, now - _WINDOW)
        self.cursors.put(Fact.PLEX_CALLS, " ".join(at.isoformat() for at in times[-200:]) or None)


@dataclass(frozen=True)
class KeptMasterData:
    """Master data of Plex in the state, as read by earlier runs of the last day."""

    store: Store
    clock: Clock

    def get(self, kind: str, key: str) -> Json:
        """As `PlexRows.get`."""
        return self.store.plex_rows.get(kind, key, self.clock.now() - _MASTER_DATA_AGE)

    def put(self, kind: str, key: str, content: Json) -> None:
        """As `PlexRows.put`, in a transaction of its own."""
        with self.store.transaction():
            self.store.plex_rows.put(kind, key, content, self.clock.now())


@dataclass
class Surroundings:
    """Parameters for opening a session."""

    config: Config
    secrets: Secrets
    state_path: Path
    clock: Clock
    stop: StopRequest = field(default_factory=StopRequest)
    overrides: frozenset[str] = frozenset()
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None
    time_limit_seconds: float | None = None


@dataclass
class OpenSession:
    """A session with what must be closed after it."""

    session: Session
    calls: StoredCalls

    def disconnect(self) -> None:
        """Close the connections and store the last minute's calls for the next run."""
        session = self.session
        try:
            if not session.dry_run and session.store.database.path is not None:
                self.calls.keep("Plex", session.clock.now())
        finally:
            session.close_services()

    def close(self) -> None:
        """Close the state and the connections."""
        try:
            self.disconnect()
        finally:
            self.session.store.close()


def open_session(around: Surroundings, *, dry_run: bool, actor: str = PROGRAM, recover: bool = False) -> OpenSession:
    """Open state and limits; services are connected at first use.

    A dry run works on a private in-memory copy. Raise StateUnusable, ConfigurationFault (another tenant's state).
    """
    clock = InterruptibleClock(around.clock, around.stop)
    # An unexpectedly missing state file must not be created silently: that could resend every order.
    if not recover:
        expect_state(around.state_path)
    store = Store.open_copy(around.state_path) if dry_run else Store.open(around.state_path, clock.now())
    try:
        config = around.config
        store.cursors.belongs_to(config.tenant, config.stedi.usage_indicator)
        limit = around.time_limit_seconds or config.run.time_limit_minutes * 60.0
        deadline = Deadline(
            clock.monotonic() + limit, around.stop, partial(_no_transaction, store, threading.get_ident())
        )
        calls = StoredCalls(store.cursors)
        counts = CallCounts()

        def on_attempt(attempt: Attempt) -> None:
            counts.add(attempt.service, attempt.outcome)

        def plex() -> PlexPort:
            former = [name for name, _ in history(store.cursors)]
            kept = KeptMasterData(store, clock)
            return open_plex(
                config,
                around.secrets,
                clock,
                deadline=deadline,
                calls=calls,
                former=former,
                kept=kept,
                on_attempt=on_attempt,
            )

        def stedi() -> StediClient:
            return open_stedi(config, around.secrets, clock, deadline=deadline, on_attempt=on_attempt)

        session = Session(
            config=config,
            store=store,
            clock=clock,
            open_plex=plex,
            open_stedi=stedi,
            deadline=deadline,
            actor=actor,
            dry_run=dry_run,
            overrides=around.overrides,
            stop=around.stop,
            progress=around.progress,
            calls=counts,
        )
    except BaseException:
        store.close()
        raise
    return OpenSession(session, calls)


def _no_transaction(store: Store, thread: int) -> None:
    """A call may take as long as the run: an open transaction would block other writers and could be lost."""
    # Only the thread that opened the state writes it; the calls of other threads were begun outside a transaction.
    if threading.get_ident() == thread:
        assert not store.database.in_transaction, "a service is called while a transaction is open"


def open_stedi(
    config: Config,
    secrets: Secrets,
    clock: Clock,
    *,
    deadline: Deadline | None,
    key: SecretName = SecretName.STEDI_API_KEY,
    on_attempt: Callable[[Attempt], None] | None = None,
) -> StediClient:
    """A Stedi client with one of the two keys. Raise CredentialsFault if it is not set."""
    # When the next key is tried and rejected, do not advise to overwrite the key in use.
    in_use = key is SecretName.STEDI_API_KEY
    kept = "" if in_use else f"; {SecretName.STEDI_API_KEY} is unchanged and stays in use"

    def others() -> list[NamedKey]:
        names = (SecretName.STEDI_API_KEY_NEXT, SecretName.STEDI_API_KEY_PREVIOUS)
        return [NamedKey(name, secrets.get(name)) for name in names if secrets.source(name) is not None]

    return connect_to_stedi(
        config.stedi.base_url,
        secrets.get(key),
        renewal=secrets.how_to_store(key) + kept,
        other_keys=OtherKeys(others) if in_use else None,
        clock=clock,
        read_timeout=float(config.stedi.read_timeout_seconds),
        deadline=deadline,
        on_attempt=on_attempt,
        largest_response=config.run.max_response_mb * 2**20,
    )


def try_stedi_key(config: Config, secrets: Secrets, clock: Clock, key: SecretName) -> None:
    """Make one real call with a key. Raise ServiceRefused, ServiceUnavailable, CredentialsFault."""
    stedi = open_stedi(config, secrets, clock, deadline=Deadline(clock.monotonic() + _TRIAL_SECONDS), key=key)
    try:
        stedi.check_access()
    finally:
        stedi.close()


def open_plex(
    config: Config,
    secrets: Secrets,
    clock: Clock,
    *,
    deadline: Deadline | None,
    calls: StoredCalls | None,
    former: Sequence[str] = (),
    kept: KeptMasterData | None = None,
    on_attempt: Callable[[Attempt], None] | None = None,
) -> PlexPort:
    """A Plex client in the configured dialect; `former` as in `plex_settings`.

    Raise CredentialsFault if one of its secrets is not set.
    """
    plex = config.plex
    name = _SECRETS[plex.api]
    # The account's password is a second secret only where orders are read through a REST interface.
    by_account = plex.acknowledgments.write is WriteBack.DATASOURCE and name is not SecretName.PLEX_PASSWORD
    return connect_to_plex(
        plex_settings(config, former),
        secrets.get(name).get_secret_value(),
        on_attempt=on_attempt,
        renewal=secrets.how_to_store(name),
        account_renewal=secrets.how_to_store(SecretName.PLEX_PASSWORD) if by_account else None,
        account_password=secrets.get(SecretName.PLEX_PASSWORD).get_secret_value() if by_account else None,
        api_secret=_optional(secrets, SecretName.PLEX_API_SECRET) if plex.api is PlexApi.CONNECT else None,
        clock=clock,
        deadline=deadline,
        call_log=calls,
        largest_response=config.run.max_response_mb * 2**20,
        kept=kept,
    )


def _optional(secrets: Secrets, name: SecretName) -> str | None:
    return None if secrets.source(name) is None else secrets.get(name).get_secret_value()


_SECRETS = {
    PlexApi.CONNECT: SecretName.PLEX_API_KEY,
    PlexApi.OAUTH2: SecretName.PLEX_CLIENT_SECRET,
    PlexApi.DATASOURCE: SecretName.PLEX_PASSWORD,
    PlexApi.SOAP: SecretName.PLEX_PASSWORD,
}
_DAYS = ("confirmed_ship_date", "confirmed_delivery_date")


def plex_settings(config: Config, former_timezones: Sequence[str] = ()) -> PlexSettings:
    """`[plex]` as the client needs it. `former_timezones`: the zones in which stored orders were read; empty name:
    none set."""
    plex = config.plex
    by_account = plex.api in ACCOUNT_APIS
    objects: Mapping[str, str | None] = {
        AckLevel.ORDER: plex.acknowledgments.objects.order,
        AckLevel.LINE: plex.acknowledgments.objects.line,
        AckLevel.RELEASE: plex.acknowledgments.objects.release,
    }
    return PlexSettings(
        api=Api(plex.api.value),
        base_url=plex.base_url,
        tenant_id=None if by_account else plex.tenant_id,
        customer_id=plex.customer_id,
        tenant_code=plex.auth.company_code if by_account else plex.tenant_code,
        legacy_tls=plex.legacy_tls,
        requests_per_minute=plex.requests_per_minute,
        parallel_calls=plex.parallel_calls,
        read_timeout=float(plex.read_timeout_seconds),
        token_url=plex.auth.token_url,
        client_id=plex.auth.client_id,
        paths=plex.paths,
        filters=plex.filters,
        fields=plex.fields,
        statuses=StatusNames(**plex.statuses.model_dump()),
        objects={Level(level): name for level, name in objects.items() if name is not None},
        timezone=_zone(plex.timezone),
        approved_supplier_parts=plex.approved_supplier_parts,
        former_timezones=tuple(_zone(name) for name in former_timezones if not name or timezone_problem(name) is None),
        day_fields=frozenset(name for value, name in plex.acknowledgments.fields.listed().items() if value in _DAYS),
        username=plex.auth.username,
        company_code=plex.auth.company_code,
        tables={name: _source(config, name) for name in plex.datasources} if by_account else {},
        records=_records(config) if plex.acknowledgments.write is WriteBack.DATASOURCE else None,
    )


def _zone(name: str | None) -> ZoneInfo | None:
    return ZoneInfo(name) if name else None


def _records(config: Config) -> AcknowledgmentRecords:
    """The data sources for Plex's own acknowledgment records."""

    return AcknowledgmentRecords(
        url=config.plex.datasource_url,
        username=config.plex.auth.username or "",
        write=_source(config, WRITE),
        read=_source(config, READ),
        values=frozenset(RECORD_VALUES),
        company=_source(config, COMPANY) if COMPANY in config.plex.datasources else None,
        company_code=config.plex.auth.company_code or config.plex.tenant_code,
    )


def _source(config: Config, name: str) -> DataSourceMap:
    given = config.plex.datasources[name]
    number = given.id if given.id is not None else default_id(name)
    assert number is not None, f"{name} was checked to have an id"
    limit = default_limit(name) if given.row_limit is None else given.row_limit
    return DataSourceMap(number, given.inputs, given.columns, given.constants, given.values, limit, given.dates)


def check_tenant(session: Session) -> None:
    """Once per run. Raise ServiceRefused if the key belongs to another company than the configured one."""
    if not session.tenant_checked:
        verify_tenant(session.plex.tenants(), plex_settings(session.config))
        session.tenant_checked = True
