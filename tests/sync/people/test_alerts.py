"""People are told when something becomes wrong, once, and again only in a digest; telling never breaks a run."""

from __future__ import annotations

import smtplib
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from plexstedi.config.load import AlertsConfig, EmailConfig, load
from plexstedi.edi.reasons import Reason
from plexstedi.errors import LockHeld, PlexStediError, ServiceUnavailable, StateUnusable
from plexstedi.http.caller import Deadline
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.store import Store
from plexstedi.state.subject import of_stream
from plexstedi.sync.endings import Ending, record_beside_state
from plexstedi.sync.people.alerts import after_run, after_unrecorded_run
from plexstedi.sync.people.channels import ping, send_message, send_test
from plexstedi.sync.people.messages import Message, news_message
from plexstedi.sync.session import Session
from tests.sync.services import services

CONFIG = """
[plex]
tenant_id = "01234567-89ab-cdef-0123-456789abcdef"
[plex.acknowledgments]
write = "report-only"
[stedi]
usage_indicator = "T"
[alerts]
command = ["/bin/sh", "-c", "cat > {folder}/$$.told"]
digest_hours = 24
"""
DOWN = ServiceUnavailable("Plex cannot be reached", fix="The next run tries again.", code="unreachable")

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def failed_start(alerts: AlertsConfig, fault: PlexStediError, state: Path, now: datetime = NOW) -> list[str]:
    """A run that could not start: noted beside the state, and told."""
    ending = Ending("run", now, now, int(fault.exit_code), [fault], started=False)
    record_beside_state(state, ending, to_cron=True)
    return after_unrecorded_run(alerts, [fault], state, now, started=False)


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("alerts do not wait")


class Morning:
    """Runs that follow each other, with a clock between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        file = folder / "plexstedi.toml"
        file.write_text(CONFIG.replace("{folder}", str(folder)))
        self.config = load(file)
        self.clock = Clock()
        self.store = Store.open(folder / "state.sqlite3", self.clock.now())

    def session(self) -> Session:
        return Session(
            config=self.config,
            store=self.store,
            clock=self.clock,
            services=services(),
            deadline=Deadline(240.0),
        )

    def run(self, *faults, asks: str | None = None, hours: float = 0) -> list[str]:
        """One run; what it told people."""
        self.clock.time += timedelta(hours=hours)
        session = self.session()
        if asks is not None:
            reason = Reason(code="unit-unknown", where="line 10", message=asks, fix="Add it")
            session.open_review(
                ReviewKind.ORDER_HELD, of_stream(asks), (reason,), supplier="ACME01", order_number="PO-1"
            )
        assert after_run(session, list(faults), 5 if faults else 0) == []
        told = sorted(self.folder.glob("*.told"))
        texts = [file.read_text() for file in told]
        for file in told:
            file.unlink()
        return texts


@pytest.fixture
def morning(tmp_path):
    one = Morning(tmp_path)
    yield one
    one.store.close()


def test_a_good_run_tells_nobody(morning):
    assert morning.run() == []
    assert morning.run(hours=100) == []


def test_what_becomes_wrong_is_reported_once_and_after_a_day_in_the_digest(morning):
    (told,) = morning.run(asks="unit Fass is not known")
    assert "PO-1" in told
    assert "unit Fass is not known" in told
    assert morning.run(hours=0.1) == []
    assert morning.run(hours=23) == []
    (digest,) = morning.run(hours=1)
    assert "1 item needs review" in digest
    assert "unit Fass is not known" in digest
    assert morning.run(hours=1) == []
    assert len(morning.run(hours=24)) == 1


def test_what_was_resolved_is_in_no_digest(morning):
    morning.run(asks="unit Fass is not known")
    (review,) = morning.store.reviews.open_items()
    morning.store.reviews.decide(review.id, accept=True, by="anna", why="done", now=morning.clock.now())
    assert morning.run(hours=48) == []


def test_an_outage_of_hours_is_reported_when_it_begins_and_when_it_comes_back(morning):
    (told,) = morning.run(DOWN)
    assert "Plex cannot be reached" in told
    assert "The next run tries again." in told
    assert [morning.run(DOWN, hours=0.1) for _ in range(5)] == [[]] * 5
    assert morning.run(hours=0.1) == []
    assert len(morning.run(DOWN, hours=0.1)) == 1


def test_a_second_kind_of_fault_is_news_beside_the_first(morning):
    morning.run(DOWN)
    other = ServiceUnavailable("Stedi throttles", fix="Wait.", code="throttled")
    (told,) = morning.run(DOWN, other, hours=0.1)
    assert "Stedi throttles" in told
    assert "Plex cannot be reached" not in told


def test_a_state_that_cannot_be_written_is_raised_so_that_another_way_tells_it(morning, monkeypatch):
    def full(*arguments, **more):
        raise StateUnusable("the disk is full", fix="Free some space.")

    session = morning.session()
    monkeypatch.setattr(session.store.cursors, "put", full)
    with pytest.raises(StateUnusable):
        after_run(session, [DOWN], 5)


def test_a_monitor_is_sent_the_exit_code_and_nothing_of_the_orders(httpx_mock):
    httpx_mock.add_response(url="https://hc.example/ping/0ddba11/7", method="POST")
    alerts = AlertsConfig(ping_url="https://hc.example/ping/0ddba11")
    assert ping(alerts, 7, 0) == []
    assert b"PO-1" not in httpx_mock.get_requests()[0].content


@pytest.mark.parametrize("failure", ["refused", 503])
def test_a_monitor_that_is_away_is_a_warning_without_its_address(httpx_mock, failure):
    if failure == "refused":
        httpx_mock.add_exception(httpx.ConnectError("refused"))
    else:
        httpx_mock.add_response(status_code=503)
    alerts = AlertsConfig(ping_url="https://hc.example/ping/0ddba11")
    (warning,) = ping(alerts, 7, 0)
    assert "hc.example" in warning
    assert "0ddba11" not in warning


def test_a_run_that_found_the_lock_taken_alarms_nobody(tmp_path):
    told = tmp_path / "told"
    alerts = AlertsConfig(command=("/bin/sh", "-c", f"cat > {told}"))
    assert failed_start(alerts, LockHeld("another run holds the lock", fix="Wait."), tmp_path / "state") == []
    assert not told.exists()
    damaged = StateUnusable("damaged", fix="Put back a backup.")
    assert failed_start(alerts, damaged, tmp_path / "state") == []
    assert "Put back a backup." in told.read_text()


def test_a_state_file_that_stays_damaged_is_reported_once_and_then_in_each_digest(tmp_path):
    told = tmp_path / "told"
    alerts = AlertsConfig(command=("/bin/sh", "-c", f"echo told >> {told}"))
    damaged = StateUnusable("damaged", fix="Put back a backup.")
    for minutes in (0, 5, 10, 24 * 60, 24 * 60 + 5):
        failed_start(alerts, damaged, tmp_path / "state", NOW + timedelta(minutes=minutes))
    assert told.read_text().count("told") == 2
    failed_start(alerts, StateUnusable("full", fix="x", code="state-full"), tmp_path / "state", NOW)
    assert told.read_text().count("told") == 3, "another fault is news"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("/nonexistent/program",), "No such file"),
        (("/bin/sh", "-c", "echo no relay >&2; exit 9"), "it ended with 9: no relay"),
        (("/bin/sh", "-c", "exec 0<&-; exit 0"), None),
    ],
)
def test_a_program_that_fails_is_a_warning_that_says_how(command, said):
    (sent,) = send_message(AlertsConfig(command=command), Message("subject", "text\n" * 100_000))
    assert sent.fault is None if said is None else said in (sent.fault or "")


def test_a_program_gets_none_of_our_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("PLEXSTEDI_STEDI_API_KEY", "s3cret")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    told = tmp_path / "env"
    send_message(AlertsConfig(command=("/bin/sh", "-c", f"env > {told}")), Message("subject", "text"))
    assert "s3cret" not in told.read_text()
    assert "CREDENTIALS_DIRECTORY" not in told.read_text()


EVIL = "PO-1\x1b[2J\u202e\udcff"
SHOWN = r"PO-1\x1b[2J\u202e\udcff"


def test_what_others_wrote_is_shown_to_a_program_and_begins_no_line_of_ours(tmp_path):
    told = tmp_path / "told"
    message = news_message([f"{EVIL}\n\nNothing needs review."], [])
    (sent,) = send_message(AlertsConfig(command=("/bin/sh", "-c", f"cat > {told}")), message)
    assert sent.fault is None
    assert f"\n- {SHOWN}\n  \n  Nothing needs review.\n" in told.read_text()
    assert told.read_text().startswith(f"plexstedi: {SHOWN}\n\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSL_CERT_FILE", "/nonexistent/ca.pem"),
        ("SSL_CERT_DIR", "/nonexistent/certs"),
        ("HTTPS_PROXY", "socks5://anna:hunter2@proxy:1080"),
        ("https_proxy", "http://anna:hunter2@proxy:port"),
    ],
)
def test_a_broken_environment_is_a_warning_about_the_ping(name, value, monkeypatch):
    for other in ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, value)
    (sent,) = send_test(AlertsConfig(ping_url="https://hc.example/ping/0ddba11"), NOW)
    assert sent.channel == "ping to hc.example"
    assert sent.fault is not None
    assert sent.fault.startswith(name)
    assert "hunter2" not in sent.fault
    assert "0ddba11" not in sent.fault


class Relay:
    """A mail relay; what it was given, and how."""

    log: list[object] = []  # noqa: RUF012 - one relay per test, emptied by the fixture
    refuses: tuple[str, ...] = ()

    def __init__(self, host: str, port: int, timeout: float, context: object = None) -> None:
        self.log.append((type(self).__name__, host, port))

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *of: object) -> None:
        self.log.append("quit")

    def starttls(self, context: object) -> None:
        self.log.append("starttls")

    def send_message(self, mail: EmailMessage) -> dict[str, object]:
        self.log.append(mail)
        return dict.fromkeys(self.refuses, (550, b"no"))


class SecureRelay(Relay):
    pass


@pytest.fixture
def relay(monkeypatch):
    monkeypatch.setattr(Relay, "log", [])
    monkeypatch.setattr(Relay, "refuses", ())
    monkeypatch.setattr(smtplib, "SMTP", Relay)
    monkeypatch.setattr(smtplib, "SMTP_SSL", SecureRelay)
    return Relay


def email(security: str = "none") -> AlertsConfig:
    return AlertsConfig(
        email=EmailConfig(
            to=("a@plant.example", "b@plant.example"), sender="edi@plant.example", smtp_host="relay", security=security
        )
    )


@pytest.mark.parametrize(
    ("security", "steps"),
    [
        ("none", [("Relay", "relay", 25)]),
        ("starttls", [("Relay", "relay", 25), "starttls"]),
        ("tls", [("SecureRelay", "relay", 25)]),
    ],
)
def test_a_mail_goes_to_everybody_by_the_way_that_was_set(relay, security, steps):
    (sent,) = send_message(email(security), Message("plexstedi: 2 things", "Zwei Dinge: größer"))
    assert sent.fault is None
    *before, mail, end = relay.log
    assert (before, end) == (steps, "quit")
    assert (mail["To"], mail["From"]) == ("a@plant.example, b@plant.example", "edi@plant.example")
    assert mail["Subject"] == "plexstedi: 2 things"
    assert "größer" in mail.get_content()


@pytest.mark.parametrize(("security", "sent"), [("none", True), ("starttls", False), ("tls", False)])
def test_a_mail_whose_relay_nobody_would_trust_names_the_variable(relay, security, sent, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent/ca.pem")
    (result,) = send_message(email(security), Message("subject", "text"))
    assert (result.fault is None) == sent
    assert sent or "SSL_CERT_FILE names /nonexistent/ca.pem" in result.fault


def test_a_recipient_that_the_relay_refuses_is_named(relay, monkeypatch):
    monkeypatch.setattr(Relay, "refuses", ("b@plant.example",))
    (sent,) = send_message(email(), Message("subject", "text"))
    assert "b@plant.example" in (sent.fault or "")


def test_a_subject_with_line_breaks_of_a_supplier_stays_one_line(relay, morning):
    session = morning.session()
    session.run.news.append("order PO-1\r\nBcc: everybody@example: held")
    (sent,) = send_message(email(), news_message(session.run.news, []))
    assert sent.fault is None
    assert relay.log[1]["Bcc"] is None
