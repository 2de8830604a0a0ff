"""The tables of the configuration file about this machine: alerts, runs, secrets and the state file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, model_validator

from plexstedi.config.values import Count, HomePath, PingUrl, Positive, Whole, fault, is_loopback
from plexstedi.edi.settings import Code, Settings, Word
from plexstedi.secret_names import SecretName


class EmailConfig(Settings):
    """`[alerts.email]`: the mail server, and who gets what."""

    to: Annotated[tuple[Code, ...], Field(min_length=1)]
    """Everything: alerts, and the digest of all suppliers."""
    sender: Code = Field(alias="from")
    smtp_host: Code = "localhost"
    smtp_port: Annotated[Whole, Field(ge=1, le=65535)] = 25
    security: Literal["none", "starttls", "tls"] = "none"
    username: Code | None = None
    """The login at the mail server, with the secret `smtp-password`; None: it takes mail from this server without
    one."""
    suppliers: dict[Code, Annotated[tuple[Code, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """By supplier code: who buys there, and gets the digest of its open problems only."""
    buyers: dict[Code, Annotated[tuple[Code, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """By Plex's id of who issued an order (`issuedById`): gets the digest of these orders' open problems only."""

    @model_validator(mode="after")
    def _login_is_encrypted(self) -> EmailConfig:
        if self.username is not None and self.security == "none" and not is_loopback(self.smtp_host):
            raise fault(
                "has a username but no encryption: the password would cross the network in clear text",
                'Set security = "starttls" (usually port 587) or "tls" (port 465).',
            )
        return self


class AlertsConfig(Settings):
    """`[alerts]`: where faults and review items are reported."""

    ping_url: PingUrl | None = Field(default=None, repr=False)
    """URL called at the start (`/start` is added) and the end (`/` and the exit code) of each run, so that a monitor
    detects missing runs."""
    ping_log: StrictBool = False
    """Send the last 10 kB of the log to `ping_url`, without secrets, but with order numbers and reasons."""
    command: Annotated[tuple[Word, ...], Field(min_length=1)] | None = None
    """Program and arguments, run without a shell; the message is passed on standard input."""
    command_format: Literal["text", "json"] = "text"
    """What the program gets: the message as text, or one JSON object."""
    email: EmailConfig | None = None
    rotate_command: Annotated[tuple[Word, ...], Field(min_length=1)] | None = None
    """Program and arguments, run without a shell, that store a new Stedi key where plexstedi cannot; it is passed on
    standard input."""
    digest_hours: Positive = 24
    """Hours between digests, which report all open problems in one message."""


class RunConfig(Settings):
    """`[run]`: limits of a run."""

    time_limit_minutes: Positive = 4
    every_minutes: Annotated[Whole, Field(ge=1, le=10080)] = 60
    """Interval of the timer that calls `run`; `status` reports a fault after three intervals without a success."""
    max_response_mb: Annotated[Whole, Field(ge=1, le=4096)] = 64
    """The largest response of Plex or Stedi that is read, decoded, in MB (2^20 bytes)."""
    metrics_file: HomePath | None = None
    """Replaced after each run, for the textfile collector of Prometheus' node exporter: a path that ends in `.prom`,
    relative to the configuration file."""
    html: HomePath | None = None
    """The page of `status --html`, written at the end of each `run`, readable by all users. Relative to the
    configuration file; None: no page."""


class ReportConfig(Settings):
    """`[report]`: what the page shows."""

    radar_days: Annotated[Whole, Field(ge=0, le=365)] = 10
    """Lines that are due within so many days and not confirmed are listed on the page."""


class CredentialsConfig(Settings):
    """`[credentials]`: how the encrypted file of secrets is opened, and programs that return secrets."""

    key_file: HomePath | None = None
    """The key of the encrypted file, relative to the configuration file; created by `credentials set`. None:
    `secrets.key` in the user's configuration folder."""
    key_beside_data: StrictBool = False
    """Allow the key in the folder of the encrypted file: a copy of that folder then holds both."""
    passphrase_file: HomePath | None = None
    """A file with a passphrase that opens the encrypted file instead of a key."""
    commands: dict[SecretName, Annotated[tuple[Word, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """By name of the secret: program and arguments, run without a shell, that print it, such as those of `pass`."""


class StateConfig(Settings):
    """`[state]`: the local SQLite file."""

    path: HomePath | None = None
    """Relative to the configuration file; None: `$STATE_DIRECTORY`, else the user's state directory."""
    keep_days: Annotated[Whole, Field(ge=30, le=100_000)] | None = None
    """Contents of completed documents older than this are deleted, the audit trail never; None: kept for ever."""
    backups: Count = 3
