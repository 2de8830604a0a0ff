"""Alerts about new faults and review items, and a digest of the open ones (`[alerts]`).

Three independent channels: the URL of a monitor, a command, an email. A failed channel is a warning; it does not affect
the run or its exit code.
"""

from __future__ import annotations

import smtplib
import ssl
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

from plexstedi.config.load import AlertsConfig, EmailConfig
from plexstedi.errors import EnvironmentFault, PlexStediError, RecordsUnanswered, Unforeseen
from plexstedi.plain_text import hanging, one_line, visible
from plexstedi.state.cursors import Fact
from plexstedi.state.reviews import Review
from plexstedi.state.run_records import HealthFile
from plexstedi.sync.endings import fault_key, persists
from plexstedi.sync.hooks import run_hook
from plexstedi.sync.keys.advice import key_due, refused_key
from plexstedi.sync.keys.record import KeyRecord
from plexstedi.sync.session import Session

_NET_SECONDS = 10.0
_MOST_LINES = 50


@dataclass(frozen=True)
class Message:
    """An alert: one line, and the full text."""

    subject: str
    text: str


@dataclass(frozen=True)
class AlertResult:
    """Result of one channel; `fault` None: it accepted the message."""

    channel: str
    fault: str | None


def after_run(session: Session, faults: Sequence[PlexStediError], exit_code: int) -> list[str]:
    """Ping the monitor and send an alert or digest if one is due; return warnings about failed channels.

    Call it at the end of a run. Raise StateUnusable, after the ping, if the state cannot record what is sent: then
    `after_unrecorded_run` sends it.
    """
    alerts = session.config.alerts
    warnings = ping(alerts, exit_code, len(session.run.news))
    message = _due_message(session, faults)
    if message is not None:
        warnings += _warnings(send_message(alerts, message))
    return warnings


def ping(alerts: AlertsConfig, exit_code: int, news: int) -> list[str]:
    """Ping the monitor; return warnings if that failed."""
    return _warnings(_pinged(alerts, exit_code, news))


def after_unrecorded_run(
    alerts: AlertsConfig, faults: Sequence[PlexStediError], state: Path | None, now: datetime, *, started: bool
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
        health_file.with_faults([one.model_copy(update={"alerted_at": now}) for one in noted]).save(state)
    wrong = [fault for fault in faults if fault_key(fault) in keys - quiet]
    head = "the run ended early" if started else "the run could not start"
    words = "\n\n".join(f"{fault.message}\n  fix: {fault.fix}" for fault in wrong)
    text = f"{head[0].upper()}{head[1:]}.\n\n{words}\n"
    return _warnings(send_message(alerts, Message(f"plexstedi: {head}", text)))


def trial_message(now: datetime) -> Message:
    """The message of `notify --test`."""
    return Message(
        "plexstedi: test of the alerts",
        f"This is a test, sent at {now:%Y-%m-%d %H:%M} UTC. Nothing is wrong: alerts arrive here.\n",
    )


def send_test(alerts: AlertsConfig, now: datetime) -> list[AlertResult]:
    """Send a test through every configured channel; the ping reports exit code 0."""
    message = trial_message(now)
    return [*_pinged(alerts, 0, 0), *send_message(alerts, message)]


def send_message(alerts: AlertsConfig, message: Message) -> list[AlertResult]:
    """Send a message by the configured command and email. Never raises.

    Invisible characters are shown as escapes.
    """
    message = Message(one_line(message.subject), visible(message.text))
    results = []
    if alerts.command is not None:
        command = alerts.command
        results.append(
            _tried(f"command {command[0]}", lambda: run_hook(command, f"{message.subject}\n\n{message.text}".encode()))
        )
    if alerts.email is not None:
        email = alerts.email
        results.append(_tried(f"email through {email.smtp_host}", lambda: _mail(email, message)))
    return results


def _pinged(alerts: AlertsConfig, exit_code: int, news: int) -> list[AlertResult]:
    if alerts.ping_url is None:
        return []
    url = alerts.ping_url
    # The path of such a URL is a secret: only the host is shown.
    return [_tried(f"ping to {urlsplit(url).hostname}", lambda: _ping(url, exit_code, news))]


def _warnings(results: Sequence[AlertResult]) -> list[str]:
    return [f"alert by {result.channel} failed: {result.fault}" for result in results if result.fault is not None]


def _tried(channel: str, act: Callable[[], str | None]) -> AlertResult:
    try:
        return AlertResult(channel, act())
    except EnvironmentFault as fault:
        return AlertResult(channel, fault.message)
    except (OSError, ValueError, smtplib.SMTPException, subprocess.SubprocessError) as error:
        return AlertResult(channel, f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)


def _ping(url: str, exit_code: int, news: int) -> str | None:
    """POST to URL/EXIT-CODE, as Healthchecks defines it; return the fault, or None."""
    import httpx

    from plexstedi.http.network import Network

    parts = urlsplit(url)
    target = parts._replace(path=f"{parts.path.rstrip('/')}/{exit_code}").geturl()
    try:
        # Numbers only: a monitor is a third party.
        content = f"exit code {exit_code}, {news} need review"
        with (
            httpx.Client(transport=Network(), timeout=_NET_SECONDS, follow_redirects=True) as client,
            client.stream("POST", target, content=content.encode()) as response,
        ):
            # The body is not read: it may be endless.
            return None if response.is_success else f"it answered {response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__


def _mail(email: EmailConfig, message: Message) -> str | None:
    from plexstedi.http.network import check_named_certificates

    if email.security != "none":
        check_named_certificates()
    mail = EmailMessage()
    mail["From"] = email.sender
    mail["To"] = ", ".join(email.to)
    mail["Subject"] = message.subject
    mail.set_content(message.text)
    context = ssl.create_default_context()
    if email.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(email.smtp_host, email.smtp_port, timeout=_NET_SECONDS, context=context)
    else:
        server = smtplib.SMTP(email.smtp_host, email.smtp_port, timeout=_NET_SECONDS)
    with server:
        if email.security == "starttls":
            server.starttls(context=context)
        refused = server.send_message(mail)
    return f"the relay refused {', '.join(refused)}" if refused else None


def _due_message(session: Session, faults: Sequence[PlexStediError]) -> Message | None:
    """The message to send now: about new faults and items, else the digest if it is due; None if there is none.

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
    if session.run.news or fresh:
        return news_message(session.run.news, fresh)
    return digest_message(items, list(wrong.values()), now) if digest_due and any_open else None


def news_message(news: Sequence[str], faults: Sequence[PlexStediError]) -> Message:
    """The alert about new review items (`news`) and faults of one run."""
    lines = [f"{fault.message}\n  fix: {fault.fix}" for fault in faults] + list(news)
    head = lines[0].splitlines()[0]
    subject = f"plexstedi: {head}" if len(lines) == 1 else f"plexstedi: {len(lines)} items need review"
    return Message(_one_line(subject), _listed(lines) + "\nSee `plexstedi review list` and `plexstedi status`.\n")


def digest_message(items: Sequence[Review], faults: Sequence[PlexStediError], now: datetime) -> Message:
    """The digest of open review items and faults."""
    lines = [fault.message for fault in faults]
    for review in items:
        about = f"order {review.order_number}" if review.order_number else review.subject
        days = (now - review.opened_at).days
        why = "; ".join(reason.message for reason in review.reasons)
        lines.append(
            f"review {review.id}: {about} ({review.supplier or 'no supplier'}), {review.kind}, for {days} days: {why}"
        )
    noun = "item needs" if len(lines) == 1 else "items need"
    return Message(
        f"plexstedi: {len(lines)} {noun} review",
        _listed(lines) + "\nSee `plexstedi review list`; `plexstedi review show ID` shows what accept and reject do.\n",
    )


def _listed(lines: Sequence[str]) -> str:
    shown = "\n".join(hanging(f"- {line}") for line in lines[:_MOST_LINES])
    left = len(lines) - _MOST_LINES
    return f"{shown}\n- and {left} more\n" if left > 0 else f"{shown}\n"


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 120 else f"{flat[:117]}..."
