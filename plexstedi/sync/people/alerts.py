"""Telling people when something becomes wrong, then a digest of what still stands (`[alerts]`).

Three channels, each on its own: a URL that a monitor watches, a program, a mail. A channel that fails is a warning; it
changes neither what a run did nor its exit code.
"""

from __future__ import annotations

import os
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
from plexstedi.state.run_records import Beside
from plexstedi.sync.endings import fault_key, persists
from plexstedi.sync.session import Session

_NET_SECONDS = 10.0
_COMMAND_SECONDS = 60.0
_MOST_LINES = 50


@dataclass(frozen=True)
class Message:
    """What is told: one line, and the whole."""

    subject: str
    text: str


@dataclass(frozen=True)
class AlertResult:
    """What became of one channel. `fault` None: it took the message."""

    channel: str
    fault: str | None


def after_run(session: Session, faults: Sequence[PlexStediError], exit_code: int) -> list[str]:
    """Ping the monitor, and tell people what became wrong in this run or still stands; the warnings it led to.

    Call it as the last thing of a run. Raise StateUnusable, after the ping, if what was told cannot be remembered:
    then `after_unrecorded_run` tells it.
    """
    alerts = session.config.alerts
    warnings = ping(alerts, exit_code, len(session.run.news))
    message = _due_message(session, faults)
    if message is not None:
        warnings += _warnings(tell(alerts, message))
    return warnings


def ping(alerts: AlertsConfig, exit_code: int, news: int) -> list[str]:
    """Ping the monitor alone; the warnings it led to."""
    return _warnings(_pinged(alerts, exit_code, news))


def after_unrecorded_run(
    alerts: AlertsConfig, faults: Sequence[PlexStediError], state: Path | None, now: datetime, *, started: bool
) -> list[str]:
    """Tell people of a run that had no session, or whose state could not be written; the warnings it led to.

    A lock that another run holds is no alarm, nor is an interruption. The rest is told once, and again after
    `digest_hours`: the file beside the state remembers it. Where there is none they are told each time.
    """
    beside = Beside() if state is None else Beside.load(state)
    keys = {fault_key(fault) for fault in faults if persists(fault)}
    noted = [one for one in beside.faults if one.key in keys]
    again = timedelta(hours=alerts.digest_hours)
    quiet = {one.key for one in noted if one.alerted_at is not None and one.alerted_at <= now < one.alerted_at + again}
    if not keys - quiet:
        return []
    if state is not None:
        beside.with_faults([one.model_copy(update={"alerted_at": now}) for one in noted]).save(state)
    wrong = [fault for fault in faults if fault_key(fault) in keys - quiet]
    head = "the run ended early" if started else "the run could not start"
    words = "\n\n".join(f"{fault.message}\n  fix: {fault.fix}" for fault in wrong)
    text = f"{head[0].upper()}{head[1:]}.\n\n{words}\n"
    return _warnings(tell(alerts, Message(f"plexstedi: {head}", text)))


def trial_message(now: datetime) -> Message:
    """What `notify --test` sends."""
    return Message(
        "plexstedi: test of the alerts",
        f"This is a test, sent at {now:%Y-%m-%d %H:%M} UTC. Nothing is wrong: alerts arrive here.\n",
    )


def send_test(alerts: AlertsConfig, now: datetime) -> list[AlertResult]:
    """A test through every configured channel; a ping counts as a good run."""
    message = trial_message(now)
    return [*_pinged(alerts, 0, 0), *tell(alerts, message)]


def tell(alerts: AlertsConfig, message: Message) -> list[AlertResult]:
    """Send a message through command and email, as far as they are configured. Never raises.

    What cannot be seen in it is shown as an escape.
    """
    message = Message(one_line(message.subject), visible(message.text))
    results = []
    if alerts.command is not None:
        command = alerts.command
        results.append(_tried(f"command {command[0]}", lambda: _run(command, message)))
    if alerts.email is not None:
        email = alerts.email
        results.append(_tried(f"email through {email.smtp_host}", lambda: _mail(email, message)))
    return results


def _pinged(alerts: AlertsConfig, exit_code: int, news: int) -> list[AlertResult]:
    if alerts.ping_url is None:
        return []
    url = alerts.ping_url
    # The path of such a URL is what lets one in: only its host is ever shown.
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
    """Healthchecks' way: POST to URL/EXIT-CODE; what went wrong, or None. Numbers only: a monitor is a stranger."""
    import httpx

    from plexstedi.http.network import Network

    parts = urlsplit(url)
    target = parts._replace(path=f"{parts.path.rstrip('/')}/{exit_code}").geturl()
    try:
        said = f"exit code {exit_code}, {news} need review"
        with (
            httpx.Client(transport=Network(), timeout=_NET_SECONDS, follow_redirects=True) as client,
            client.stream("POST", target, content=said.encode()) as answer,
        ):
            # What it answers beyond the status is not read: it may be endless.
            return None if answer.is_success else f"it answered {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__


def _run(command: Sequence[str], message: Message) -> str | None:
    kept = {name: value for name, value in os.environ.items() if not _may_hold_a_secret(name)}
    done = subprocess.run(
        list(command),
        input=f"{message.subject}\n\n{message.text}".encode(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=_COMMAND_SECONDS,
        env=kept,
        check=False,
    )
    if done.returncode == 0:
        return None
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return f"it ended with {done.returncode}" + (f": {said[-1]}" if said else "")


def _may_hold_a_secret(name: str) -> bool:
    return name.startswith("PLEXSTEDI_") or name == "CREDENTIALS_DIRECTORY"


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
    """What is to be told now, if anything: what became wrong, else the digest when its time has come.

    A fault that lasts over many runs is told once, and again in each digest; so is one record whose calls fail.
    """
    cursors, now = session.store.cursors, session.clock.now()
    wrong = {fault_key(fault): fault for fault in faults if not isinstance(fault, (RecordsUnanswered, Unforeseen))}
    for one in session.store.faults.open_faults():
        if one.of_record:
            wrong[one.place] = PlexStediError(one.message, fix=one.fix, code=one.code)
    told = set((cursors.get(Fact.ALERTED_FAULTS) or "").split("\n"))
    # An unforeseen fault is among the faults only in the run in which it appears; then it is a review item.
    fresh: list[PlexStediError] = [fault for fault in faults if isinstance(fault, Unforeseen)]
    fresh += [fault for key, fault in wrong.items() if key not in told]
    standing = session.store.reviews.open_items()
    last = cursors.time(Fact.DIGEST_SENT)
    digest_due = last is not None and now - last >= timedelta(hours=session.config.alerts.digest_hours)
    stands = bool(standing or faults or wrong)
    with session.store.transaction():
        cursors.put(Fact.ALERTED_FAULTS, "\n".join(sorted(wrong)) or None)
        if not stands:
            cursors.put_time(Fact.DIGEST_SENT, None)
        elif last is None or digest_due:
            cursors.put_time(Fact.DIGEST_SENT, now)
    if session.run.news or fresh:
        return became_wrong(session.run.news, fresh)
    return still_wrong(standing, list(wrong.values()), now) if digest_due and stands else None


def became_wrong(news: Sequence[str], faults: Sequence[PlexStediError]) -> Message:
    """The alert about what came to need a person in one run."""
    lines = [f"{fault.message}\n  fix: {fault.fix}" for fault in faults] + list(news)
    head = lines[0].splitlines()[0]
    subject = f"plexstedi: {head}" if len(lines) == 1 else f"plexstedi: {len(lines)} items need review"
    return Message(_one_line(subject), _listed(lines) + "\nSee `plexstedi review list` and `plexstedi status`.\n")


def still_wrong(standing: Sequence[Review], faults: Sequence[PlexStediError], now: datetime) -> Message:
    """The digest of what stands."""
    lines = [fault.message for fault in faults]
    for review in standing:
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
