"""The tables of the configuration file about this machine: alerts, runs, secrets and the state file."""

# No `from __future__ import annotations`: to evaluate the types of fields from text takes a fiftieth of `status`.

from typing import Annotated, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from plexstedi.config.values import Count, HomePath, PingUrl, Positive, Whole, is_loopback
from plexstedi.edi.read_settings import Settings, refusal
from plexstedi.edi.settings import Code, Word
from plexstedi.secret_names import SecretName


class EmailConfig(Settings, frozen=True, kw_only=True):
    """`[alerts.email]`: the mail server, and who gets what."""

    to: Annotated[tuple[Code, ...], Meta(min_length=1)]
    """Everything: alerts, and the digest of all suppliers."""
    sender: Code = field(name="from")
    smtp_host: Code = "localhost"
    smtp_port: Annotated[Whole, Meta(ge=1, le=65535)] = 25
    security: Literal["none", "starttls", "tls"] = "none"
    username: Code | None = None
    """The login at the mail server, with the secret `smtp-password`; None: it takes mail from this server without
    one."""
    suppliers: dict[Code, Annotated[tuple[Code, ...], Meta(min_length=1)]] = field(default_factory=dict)
    """By supplier code: who buys there, and gets the digest of its open problems only."""
    buyers: dict[Code, Annotated[tuple[Code, ...], Meta(min_length=1)]] = field(default_factory=dict)
    """By Plex's id of who issued an order (`issuedById`): gets the digest of these orders' open problems only."""

    def __post_init__(self) -> None:
        if self.username is not None and self.security == "none" and not is_loopback(self.smtp_host):
            raise refusal(
                "has a username but no encryption: the password would cross the network in clear text",
                'Set security = "starttls" (usually port 587) or "tls" (port 465).',
            )


class AlertsConfig(Settings, frozen=True, kw_only=True):
    """`[alerts]`: where faults and review items are reported."""

    ping_url: PingUrl | None = None
    """URL called at the start (`/start` is added) and the end (`/` and the exit code) of each run, so that a monitor
    detects missing runs."""
    ping_log: bool = False
    """Send the last 10 kB of the log to `ping_url`, without secrets, but with order numbers and reasons."""
    command: Annotated[tuple[Word, ...], Meta(min_length=1)] | None = None
    """Program and arguments, run without a shell; the message is passed on standard input."""
    command_format: Literal["text", "json"] = "text"
    """What the program gets: the message as text, or one JSON object."""
    email: EmailConfig | None = None
    rotate_command: Annotated[tuple[Word, ...], Meta(min_length=1)] | None = None
    """Program and arguments, run without a shell, that store a new Stedi key where plexstedi cannot; it is passed on
    standard input."""
    digest_hours: Positive = 24
    """Hours between digests, which report all open problems in one message."""

    def __repr__(self) -> str:
        """Without the URL: whoever knows it can report runs."""
        return super().__repr__() if self.ping_url is None else repr(replace(self, ping_url=None))


class RunConfig(Settings, frozen=True, kw_only=True):
    """`[run]`: limits of a run."""

    time_limit_minutes: Positive = 4
    every_minutes: Annotated[Whole, Meta(ge=1, le=10080)] = 60
    """Interval of the timer that calls `run`; `status` reports a fault after three intervals without a success."""
    max_response_mb: Annotated[Whole, Meta(ge=1, le=4096)] = 64
    """The largest response of Plex or Stedi that is read, decoded, in MB (2^20 bytes)."""
    html: HomePath | None = None
    """The page of `status --html`, written at the end of each `run`, readable by all users. Relative to the
    configuration file; None: no page."""
    metrics_file: HomePath | None = None
    """Replaced after each run, for the textfile collector of Prometheus' node exporter: a path that ends in `.prom`,
    relative to the configuration file."""


class ReportConfig(Settings, frozen=True, kw_only=True):
    """`[report]`: what the page shows."""

    radar_days: Annotated[Whole, Meta(ge=0, le=365)] = 10
    """Lines that are due within so many days and not confirmed are listed on the page."""


class CredentialsConfig(Settings, frozen=True, kw_only=True):
    """`[credentials]`: how the encrypted file of secrets is opened, and programs that return secrets."""

    key_file: HomePath | None = None
    """The key of the encrypted file, relative to the configuration file; created by `credentials set`. None:
    `secrets.key` in the user's configuration folder."""
    key_beside_data: bool = False
    """Allow the key in the folder of the encrypted file: a copy of that folder then holds both."""
    passphrase_file: HomePath | None = None
    """A file with a passphrase that opens the encrypted file instead of a key."""
    commands: dict[SecretName, Annotated[tuple[Word, ...], Meta(min_length=1)]] = field(default_factory=dict)
    """By name of the secret: program and arguments, run without a shell, that print it, such as those of `pass`."""


class StateConfig(Settings, frozen=True, kw_only=True):
    """`[state]`: the local SQLite file."""

    path: HomePath | None = None
    """Relative to the configuration file; None: `$STATE_DIRECTORY`, else the user's state directory."""
    keep_days: Annotated[Whole, Meta(ge=30, le=100_000)] | None = None
    """Contents of completed documents older than this are deleted, the audit trail never; None: kept for ever."""
    backups: Count = 3
