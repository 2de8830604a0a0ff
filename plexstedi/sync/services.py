"""The two services of a command: how they are set up and reached, and what is kept of their calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from msgspec.structs import asdict

from plexstedi.clock import Clock
from plexstedi.config.datasource_tables import ACCOUNT_APIS, default_id, default_limit
from plexstedi.config.datasources import COMPANY, READ, RECORD_VALUES, WRITE
from plexstedi.config.load import AckLevel, Config, PlexApi, WriteBack
from plexstedi.config.values import timezone_problem
from plexstedi.credentials.secrets import Secrets
from plexstedi.decimal_json import Json
from plexstedi.http.caller import Attempt, Deadline, MemoryCallLog
from plexstedi.plex.build import connect_to_plex
from plexstedi.plex.port import PlexPort
from plexstedi.plex.settings import AcknowledgmentRecords, Api, DataSourceMap, Level, PlexSettings, StatusNames
from plexstedi.plex.tenant import verify_tenant
from plexstedi.secret_names import SecretName
from plexstedi.state.cursors import Cursors, Fact
from plexstedi.state.store import Store
from plexstedi.stedi.build import connect_to_stedi
from plexstedi.stedi.client import StediClient
from plexstedi.stedi.other_keys import NamedKey, OtherKeys

_WINDOW = timedelta(seconds=60)
_MASTER_DATA_AGE = timedelta(days=1)
_TRIAL_SECONDS = 60.0


class CallCounts(Struct):
    """Calls to the services by outcome; several threads count at once."""

    counted: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, attempt: Attempt) -> None:
        """Count one attempt."""
        with self._lock:
            name = f"{attempt.service} {attempt.outcome}"
            self.counted[name] = self.counted.get(name, 0) + 1


class StoredCalls(Struct):
    """Times of the last minute's calls to Plex, so that the rate limit holds across consecutive runs.

    Stored once, when the run ends: after a killed run the next may get a 429, which it waits out.
    """

    cursors: Cursors
    keeps: bool = True
    """False: a dry run, whose state is thrown away."""
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
        if not self.keeps:
            return
        times = self.load(service, now - _WINDOW)
        self.cursors.put(Fact.PLEX_CALLS, " ".join(at.isoformat() for at in times[-200:]) or None)


class KeptMasterData(Struct, frozen=True):
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


class Services(Struct):
    """Plex and Stedi as one command uses them. Each is connected at first use: not every command needs both keys."""

    config: Config
    secrets: Secrets
    clock: Clock
    deadline: Deadline
    stored_calls: StoredCalls
    kept: KeptMasterData
    former_timezones: Sequence[str] = ()
    """The zones in which stored orders were read; empty name: none set."""
    calls: CallCounts = field(default_factory=CallCounts)
    opened_plex: PlexPort | None = None
    """None: Plex was not called in this command."""
    opened_stedi: StediClient | None = None
    _tenant_checked: bool = False

    @property
    def plex(self) -> PlexPort:
        """The Plex client, opened once. Raise CredentialsFault if one of its secrets is not set."""
        if self.opened_plex is None:
            self.opened_plex = open_plex(
                self.config,
                self.secrets,
                self.clock,
                deadline=self.deadline,
                calls=self.stored_calls,
                former=self.former_timezones,
                kept=self.kept,
                on_attempt=self.calls.add,
            )
        return self.opened_plex

    @property
    def stedi(self) -> StediClient:
        """The Stedi client, opened once. Raise CredentialsFault if its key is not set."""
        if self.opened_stedi is None:
            self.opened_stedi = open_stedi(
                self.config, self.secrets, self.clock, deadline=self.deadline, on_attempt=self.calls.add
            )
        return self.opened_stedi

    def check_tenant(self) -> None:
        """Once per run. Raise ServiceRefused if the key belongs to another company than the configured one."""
        if not self._tenant_checked:
            verify_tenant(self.plex.tenants(), plex_settings(self.config))
            self._tenant_checked = True

    def close(self) -> None:
        """Close the connections, and store the last minute's calls for the next run."""
        try:
            self.stored_calls.keep("Plex", self.clock.now())
        finally:
            if self.opened_plex is not None:
                self.opened_plex.close()
            if self.opened_stedi is not None:
                self.opened_stedi.close()


def no_transaction(store: Store, thread: int) -> None:
    """Before a call: commit the open group of transactions, so that the call may depend on them.

    A call may take as long as the run: an open transaction would block other writers and could be lost.
    """
    # Only the thread that opened the state writes it; the calls of other threads were begun outside a transaction.
    if threading.get_ident() == thread:
        store.database.write_group()
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
        statuses=StatusNames(**asdict(plex.statuses)),
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
