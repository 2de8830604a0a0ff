"""Alerts about new faults and review items, and a digest of the open ones (`[alerts]`): what is sent when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from plexstedi.config.load import AlertsConfig
from plexstedi.credentials.secrets import Secrets
from plexstedi.errors import PlexStediError, RecordsUnanswered, Unforeseen
from plexstedi.state.cursors import Fact
from plexstedi.state.reviews import Review
from plexstedi.state.run_records import HealthFile
from plexstedi.sync.endings import fault_key, persists
from plexstedi.sync.keys.advice import key_due
from plexstedi.sync.keys.record import KeyRecord, refused_key
from plexstedi.sync.people.channels import channel_warnings, ping, run_log, send_message
from plexstedi.sync.people.messages import Message, digest_message, failed_run_message, news_message, own_digests
from plexstedi.sync.session import Session


def after_run(
    session: Session, faults: Sequence[PlexStediError], exit_code: int, secrets: Secrets | None = None
) -> list[str]:
    """Ping the monitor and send an alert or digest if one is due; return warnings about failed channels.

    Call it at the end of a run. Raise StateUnusable, after the ping, if the state cannot record what is sent: then
    `after_unrecorded_run` sends it.
    """
    alerts = session.config.alerts
    news = session.run.news
    warnings = ping(alerts, exit_code, len(news), run_log(faults, session.run.warnings, news))
    for message in _due_messages(session, faults):
        warnings += channel_warnings(send_message(alerts, message, secrets))
    return list(dict.fromkeys(warnings))


def after_unrecorded_run(
    alerts: AlertsConfig,
    faults: Sequence[PlexStediError],
    state: Path | None,
    now: datetime,
    *,
    started: bool,
    secrets: Secrets | None = None,
) -> list[str]:
    """Send an alert about a run without a session, or whose state could not be written; return warnings.

    A lock held by another run and an interruption are not alerted. Other faults are sent once, and again after
    `digest_hours`, as recorded in the file beside the state; without `state`, each time.
    """
    health_file = HealthFile() if state is None else HealthFile.load(state)
    keys = {fault_key(fault) for fault in faults if persists(fault)}
    noted = [one for one in health_file.faults if one.key in keys]
    again = timedelta(hours=alerts.digest_hours)
    quiet = {one.key for one in noted if one.alerted_at is not None and one.alerted_at <= now < one.alerted_at + again}
    if not keys - quiet:
        return []
    if state is not None:
        health_file.with_faults([replace(one, alerted_at=now) for one in noted]).save(state)
    wrong = [fault for fault in faults if fault_key(fault) in keys - quiet]
    return channel_warnings(send_message(alerts, failed_run_message(wrong, started=started), secrets))


def _due_messages(session: Session, faults: Sequence[PlexStediError]) -> list[Message]:
    """The messages to send now: about new faults and items, and the digests if they are due.

    A fault that lasts over many runs, also of one record, is sent once, and again in each digest.
    """
    cursors, now = session.store.cursors, session.clock.now()
    wrong = {fault_key(fault): fault for fault in faults if not isinstance(fault, (RecordsUnanswered, Unforeseen))}
    for one in session.store.faults.open_faults():
        if one.of_record:
            wrong[one.place] = PlexStediError(one.message, fix=one.fix, code=one.code)
    key = KeyRecord.load(cursors)
    if (due := key_due(key, session.config, now)) is not None and due.notice is not None:
        wrong["stedi-key-due"] = PlexStediError(due.notice, fix="", code="stedi-key-due")
    if key.substitute is not None:
        wrong["stedi-key-refused"] = refused_key(key)
    sent = set((cursors.get(Fact.ALERTED_FAULTS) or "").split("\n"))
    # An unforeseen fault is in `faults` only in the run in which it occurs; later it is a review item.
    fresh: list[PlexStediError] = [fault for fault in faults if isinstance(fault, Unforeseen)]
    fresh += [fault for key, fault in wrong.items() if key not in sent]
    items = session.store.reviews.open_items()
    last = cursors.time(Fact.DIGEST_SENT)
    digest_due = last is not None and now - last >= timedelta(hours=session.config.alerts.digest_hours)
    any_open = bool(items or faults or wrong)
    with session.store.transaction():
        cursors.put(Fact.ALERTED_FAULTS, "\n".join(sorted(wrong)) or None)
        if not any_open:
            cursors.put_time(Fact.DIGEST_SENT, None)
        elif last is None or digest_due:
            cursors.put_time(Fact.DIGEST_SENT, now)
    new = [news_message(session.run.news, fresh)] if session.run.news or fresh else []
    if not (digest_due and any_open):
        return new
    email = session.config.alerts.email
    suppliers, buyers = ({}, {}) if email is None else (email.suppliers, email.buyers)
    own = own_digests(suppliers, buyers, items, lambda review: _buyer(session, review), now)
    # Also in a run with news: else a busy plant would have no digest.
    return [*new, digest_message(items, list(wrong.values()), now), *own]


def _buyer(session: Session, review: Review) -> str | None:
    """Plex's id of who issued the item's order, as of its latest revision."""
    orders = session.store.orders
    record = None if review.order_id is None else orders.get(review.order_id)
    return None if record is None or not record.latest else orders.revision(record.id, record.latest).buyer
