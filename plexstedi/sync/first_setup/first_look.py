"""What `init` asks the services: whose key it is, which suppliers Plex has, which partnerships Stedi has seen."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import timedelta

from msgspec import Struct

from plexstedi.clock import Clock
from plexstedi.config.load import Config
from plexstedi.credentials.secrets import Secrets
from plexstedi.edi.order import Order
from plexstedi.http.caller import Deadline
from plexstedi.plex.port import Tenant
from plexstedi.plex.tenant import verify_tenant
from plexstedi.stedi.models import StediTransaction
from plexstedi.stedi.paging import Checkpoint, FromTime
from plexstedi.sync.keys.record import KeyRecord, refused_key
from plexstedi.sync.services import open_plex, open_stedi, plex_settings

_SECONDS = 30.0
_SECONDS_FOR_ORDERS = 120.0
_MOST_ORDERS = 50
"""Each order takes about one call."""
_LOOK_BACK = timedelta(days=30)
_MOST_PAGES = 4


class FoundSupplier(Struct, frozen=True):
    """A supplier in Plex, with the number of its open orders among those that were read."""

    code: str
    name: str
    open_orders: int


class FoundSuppliers(Struct, frozen=True):
    """All suppliers of Plex, by code; `orders_read` of `orders_open` open orders were read."""

    suppliers: tuple[FoundSupplier, ...]
    orders_read: int
    orders_open: int


class SeenPartnership(Struct, frozen=True):
    """A partnership in Stedi's list of transactions, and its outbound setting by document (850, 860)."""

    partnership_id: str
    settings: dict[str, str]


def tenant_of_key(config: Config, secrets: Secrets, clock: Clock) -> Tenant:
    """Ask Plex whose key it is. Raise ServiceRefused, also for another tenant, ServiceUnavailable, CredentialsFault."""
    with closing(open_plex(config, secrets, clock, deadline=_within(clock, _SECONDS), calls=None)) as plex:
        return verify_tenant(plex.tenants(), plex_settings(config))


def suppliers_in_plex(config: Config, secrets: Secrets, clock: Clock, *, with_orders: bool) -> FoundSuppliers:
    """The suppliers; `with_orders`: and who has open orders. Raise as `tenant_of_key`."""
    deadline = _within(clock, _SECONDS_FOR_ORDERS)
    with closing(open_plex(config, secrets, clock, deadline=deadline, calls=None)) as plex:
        listed = plex.suppliers()
        touched = plex.open_orders() if with_orders else ()
        # The newest have the highest numbers: who is bought from now.
        newest = sorted(touched, key=lambda each: each.number, reverse=True)[:_MOST_ORDERS]
        read = plex.orders([each.order_id for each in newest])
        open_orders = Counter(each.supplier_code for each in read if isinstance(each, Order))
    found = {each.code: FoundSupplier(each.code, each.name, open_orders[each.code]) for each in listed if each.code}
    return FoundSuppliers(tuple(found[code] for code in sorted(found)), len(newest), len(touched))


def try_stedi(config: Config, secrets: Secrets, clock: Clock) -> None:
    """Make one read with the Stedi key. Raise as `tenant_of_key`."""
    with closing(open_stedi(config, secrets, clock, deadline=_within(clock, _SECONDS))) as stedi:
        stedi.check_access()
        if stedi.substitute is not None:
            raise refused_key(KeyRecord(substitute=stedi.substitute))


def partnerships_at_stedi(config: Config, secrets: Secrets, clock: Clock) -> tuple[SeenPartnership, ...]:
    """The partnerships of recent transactions: Stedi has no list of all. Raise as `tenant_of_key`."""
    seen: dict[str, dict[str, str]] = {}
    with closing(open_stedi(config, secrets, clock, deadline=_within(clock, _SECONDS))) as stedi:
        position: Checkpoint = FromTime(clock.now() - _LOOK_BACK)
        for _ in range(_MOST_PAGES):
            page = stedi.poll_transactions(position)
            for each in page.items:
                _add(seen, each)
            if page.last:
                break
            position = page.after(position)
    return tuple(SeenPartnership(each, seen[each]) for each in sorted(seen))


def _add(seen: dict[str, dict[str, str]], transaction: StediTransaction) -> None:
    if not transaction.partnership_id:
        return
    settings = seen.setdefault(transaction.partnership_id, {})
    if transaction.direction == "OUTBOUND" and transaction.set_id and transaction.transaction_setting_id:
        settings[transaction.set_id] = transaction.transaction_setting_id


def _within(clock: Clock, seconds: float) -> Deadline:
    return Deadline(clock.monotonic() + seconds)
