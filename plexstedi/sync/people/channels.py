"""The channels of alerts: the URL of a monitor, a command, an email.

They are independent of each other. A failed channel is a warning; it does not affect the run or its exit code.
"""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from msgspec import Struct

from plexstedi.config.load import AlertsConfig, EmailConfig
from plexstedi.credentials.secrets import Secrets
from plexstedi.errors import EnvironmentFault, PlexStediError
from plexstedi.internal import redacted
from plexstedi.logs import TAIL_BYTES, tail
from plexstedi.plain_text import hanging, visible
from plexstedi.secret_names import SecretName
from plexstedi.secret_text import SecretText
from plexstedi.sync.hooks import run_hook
from plexstedi.sync.people.messages import Kind, Message

_NET_SECONDS = 10.0
_START_SECONDS = 5.0


class AlertResult(Struct, frozen=True):
    """Result of one channel; `fault` None: it accepted the message."""

    channel: str
    fault: str | None


def ping_start(alerts: AlertsConfig) -> None:
    """Report the start of a run to the monitor. If that fails, the ping at its end reports why."""
    if alerts.ping_url is not None:
        url = alerts.ping_url
        _tried("ping", lambda: _ping(url, "start", b"", _START_SECONDS))


def ping(alerts: AlertsConfig, exit_code: int, news: int, log: str = "") -> list[str]:
    """Report the end of a run to the monitor; return warnings if that failed."""
    return channel_warnings(_pinged(alerts, exit_code, news, log))


def run_log(faults: Sequence[PlexStediError], warnings: Sequence[str], news: Sequence[str]) -> str:
    """The end of the log, as a monitor gets it: what was logged, then what the run prints. Without secrets."""
    lines = [f"warning: {hanging(text)}" for text in warnings]
    lines += [f"needs review: {hanging(text)}" for text in news]
    lines += [f"{hanging(fault.message)}\n  fix: {hanging(fault.fix)}" for fault in faults]
    return visible(redacted(tail() + "\n".join(lines)))


def send_test(alerts: AlertsConfig, now: datetime, secrets: Secrets | None = None) -> list[AlertResult]:
    """Send a test through every configured channel; the ping reports exit code 0."""
    return [*_pinged(alerts, 0, 0, ""), *send_message(alerts, trial_message(now), secrets)]


def trial_message(now: datetime) -> Message:
    """The message of `notify --test`."""
    return Message(
        "plexstedi: test of the alerts",
        f"This is a test, sent at {now:%Y-%m-%d %H:%M} UTC. Nothing is wrong: alerts arrive here.\n",
        kind=Kind.TEST,
    )


def send_message(alerts: AlertsConfig, message: Message, secrets: Secrets | None = None) -> list[AlertResult]:
    """Send a message by the configured command and email. Never raises. `secrets`: for a mail server with a login.

    Invisible characters are shown as escapes.
    """
    message = message.shown()
    results = []
    if alerts.command is not None and not message.to:
        command = alerts.command
        content = message.as_json() if alerts.command_format == "json" else f"{message.subject}\n\n{message.text}"
        results.append(_tried(f"command {command[0]}", lambda: run_hook(command, content.encode())))
    if alerts.email is not None:
        email = alerts.email
        results.append(_tried(f"email through {email.smtp_host}", lambda: _mail(email, message, secrets)))
    return results


def channel_warnings(results: Sequence[AlertResult]) -> list[str]:
    """The warnings about failed channels."""
    return [f"alert by {result.channel} failed: {result.fault}" for result in results if result.fault is not None]


def _pinged(alerts: AlertsConfig, exit_code: int, news: int, log: str) -> list[AlertResult]:
    if alerts.ping_url is None:
        return []
    url = alerts.ping_url
    # Without ping_log numbers only: a monitor is a third party.
    content = f"exit code {exit_code}, {news} need review".encode()
    if alerts.ping_log:
        content += b"\n" + log.encode(errors="backslashreplace")[-TAIL_BYTES:]
    # The path of such a URL is a secret: only the host is shown.
    return [_tried(f"ping to {urlsplit(url).hostname}", lambda: _ping(url, str(exit_code), content, _NET_SECONDS))]


def _tried(channel: str, act: Callable[[], str | None]) -> AlertResult:
    try:
        return AlertResult(channel, act())
    except PlexStediError as fault:
        text = fault.message if isinstance(fault, EnvironmentFault) else f"{fault.message}. {fault.fix}"
        return AlertResult(channel, text)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        text = redacted(str(error))
        return AlertResult(channel, f"{type(error).__name__}: {text}" if text else type(error).__name__)


def _ping(url: str, event: str, content: bytes, seconds: float) -> str | None:
    """POST to URL/EVENT (`start`, or the exit code), as Healthchecks defines it; return the fault, or None."""
    import httpx

    from plexstedi.http.network import Network

    parts = urlsplit(url)
    target = parts._replace(path=f"{parts.path.rstrip('/')}/{event}").geturl()
    try:
        with (
            httpx.Client(transport=Network(), timeout=seconds, follow_redirects=True) as client,
            client.stream("POST", target, content=content) as response,
        ):
            # The body is not read: it may be endless.
            return None if response.is_success else f"it answered {response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__


def _mail(email: EmailConfig, message: Message, secrets: Secrets | None) -> str | None:
    # Most runs send no mail.
    import smtplib
    from email.message import EmailMessage

    from plexstedi.http.network import check_named_certificates

    if email.security != "none":
        check_named_certificates()
    password = _password(email, secrets)
    mail = EmailMessage()
    mail["From"] = email.sender
    mail["To"] = ", ".join(message.to or email.to)
    mail["Subject"] = message.subject
    # For rules of mail programs, and so that no absence notice is sent back.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html")
    context = ssl.create_default_context()
    if email.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(email.smtp_host, email.smtp_port, timeout=_NET_SECONDS, context=context)
    else:
        server = smtplib.SMTP(email.smtp_host, email.smtp_port, timeout=_NET_SECONDS)
    with server:
        if email.security == "starttls":
            server.starttls(context=context)
        if email.username is not None and password is not None:
            try:
                server.login(email.username, password.get_secret_value())
            except smtplib.SMTPAuthenticationError as error:
                # The server's words are not shown: some repeat what they were sent.
                return f"the mail server refuses the login ({error.smtp_code})"
        refused = server.send_message(mail)
    return f"the relay refused {', '.join(refused)}" if refused else None


def _password(email: EmailConfig, secrets: Secrets | None) -> SecretText | None:
    """The password of the mail server's login. Raise CredentialsFault if it is not set."""
    if email.username is None:
        return None
    assert secrets is not None, "whoever sends alerts passes the secrets"
    return secrets.get(SecretName.SMTP_PASSWORD)
