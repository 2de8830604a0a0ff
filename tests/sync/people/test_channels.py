"""Alerts arrive: at a mail server with TLS and login, at a program as JSON, at a monitor with the end of the log."""

from __future__ import annotations

import email
import email.policy
import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from plexstedi.clock import SystemClock
from plexstedi.config.load import AlertsConfig, EmailConfig
from plexstedi.credentials.secrets import Secrets
from plexstedi.edi.reasons import Reason
from plexstedi.errors import ServiceUnavailable
from plexstedi.logs import TAIL_BYTES, LogFormat, configure, log_event
from plexstedi.state.reviews import Review, ReviewKind
from plexstedi.state.subject import Subject
from plexstedi.sync.people.channels import ping, ping_start, run_log, send_message
from plexstedi.sync.people.messages import Message, digest_message, news_message, own_digests

# aiosmtpd does not see that a connection was encrypted from its beginning.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PASSWORD = "correct.horse-battery"
ENV = {"PLEXSTEDI_SMTP_PASSWORD": PASSWORD}


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "relay.pem", folder / "relay.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


@dataclass
class Relay:
    """A mail server on loopback that takes mail after a login over TLS only."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    logins: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        assert server.transport.get_extra_info("ssl_object") is not None, "in clear text"
        assert isinstance(envelope.content, bytes)
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        return "250 OK"

    def login(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login)
        good = (data.login, data.password) == (b"edi", PASSWORD.encode())
        # Without `handled`, the server sends 535.
        return AuthResult(success=good, handled=good)


@pytest.fixture(params=["starttls", "tls"])
def relay(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    certificate, key = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    relay = Relay()
    at_once = request.param == "tls"
    controller = Controller(
        relay,
        hostname="127.0.0.1",
        port=0,
        ssl_context=context if at_once else None,
        tls_context=None if at_once else context,
        require_starttls=not at_once,
        auth_required=True,
        auth_require_tls=not at_once,
        authenticator=relay.login,
    )

    def connect_once() -> None:
        """The controller waits for a first connection; by itself it would try port 0."""
        assert controller.server is not None
        relay.port = controller.server.sockets[0].getsockname()[1]
        socket.create_connection(("127.0.0.1", relay.port)).close()

    controller._trigger_server = connect_once  # type: ignore[method-assign]
    controller.start()
    yield relay
    controller.stop(no_assert=True)


def by_mail(relay: Relay, request: pytest.FixtureRequest, **more: Any) -> AlertsConfig:
    given = {"to": ("a@plant.example",), "from": "edi@plant.example", "smtp_host": "127.0.0.1", "username": "edi"}
    security = request.node.callspec.params["relay"]
    return AlertsConfig(email=EmailConfig.of(given | {"smtp_port": relay.port, "security": security} | more))


def secrets(env: dict[str, str] | None = None) -> Secrets:
    return Secrets.of({**(ENV if env is None else env), "PLEXSTEDI_KEYRING_FILE": "/nonexistent/x"}, SystemClock())


def review(number: int, supplier: str | None, why: str = "unit Fass is not known", days: int = 2) -> Review:
    return Review(
        id=number,
        kind=ReviewKind.ORDER_HELD,
        subject=Subject(f"order {number}"),
        supplier=supplier,
        order_id=f"id-{number}",
        order_number=f"PO-{number}",
        line=10,
        reasons=(Reason(code="unit-unknown", where="line 10", message=why, fix="Add it to units."),),
        state="open",
        opened_at=NOW - timedelta(days=days),
        closed_at=None,
        closed_by=None,
        closing_reason=None,
    )


def test_a_mail_arrives_after_login_over_tls_as_text_and_html(relay: Relay, request: pytest.FixtureRequest) -> None:
    message = digest_message([review(1, "ACME01"), review(2, "BOLT02")], [], NOW)
    (sent,) = send_message(by_mail(relay, request), message, secrets())
    assert sent.fault is None
    assert relay.logins == [b"edi"]
    (mail,) = relay.mails
    assert (mail["Subject"], mail["To"], mail["Auto-Submitted"]) == (
        "plexstedi: 2 items need review",
        "a@plant.example",
        "auto-generated",
    )
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        text = part.get_content()
        assert text.index("ACME01") < text.index("PO-1") < text.index("BOLT02") < text.index("PO-2")


def test_a_wrong_password_is_a_warning_without_it(relay: Relay, request: pytest.FixtureRequest) -> None:
    wrong = secrets({"PLEXSTEDI_SMTP_PASSWORD": "wr0ng.password"})
    (sent,) = send_message(by_mail(relay, request), Message("subject", "text"), wrong)
    assert sent.fault == "the mail server refuses the login (535)"
    assert relay.mails == []


def test_a_password_that_is_not_set_names_the_secret_to_set(relay: Relay, request: pytest.FixtureRequest) -> None:
    (sent,) = send_message(by_mail(relay, request), Message("subject", "text"), secrets({}))
    assert "plexstedi credentials set smtp-password" in (sent.fault or "")
    assert relay.logins == []


def test_a_server_that_nobody_trusts_gets_no_password(
    relay: Relay, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    (sent,) = send_message(by_mail(relay, request), Message("subject", "text"), secrets())
    assert "CERTIFICATE_VERIFY_FAILED" in (sent.fault or "")
    assert relay.logins == []


def test_a_password_never_crosses_the_network_in_clear_text() -> None:
    given = {"to": ("a@plant.example",), "from": "edi@plant.example", "username": "edi"}
    with pytest.raises(ValueError, match="no encryption"):
        EmailConfig.of(given | {"smtp_host": "mail.example"})
    assert EmailConfig.of(given | {"smtp_host": "localhost"}).security == "none"


def nobody(item: Review) -> str | None:
    raise AssertionError("without configured buyers no order is read")


def test_who_issued_orders_gets_one_mail_with_all_of_these() -> None:
    items = [review(1, "ACME01"), review(2, "BOLT02"), review(3, "BOLT02"), review(4, None)]
    issued = {1: "u-anna", 2: "u-anna", 3: "u-ben"}
    anna, ben = ("anna@plant.example",), ("ben@plant.example",)
    digests = own_digests({"ACME01": anna}, {"u-anna": anna, "u-ben": ben}, items, lambda one: issued.get(one.id), NOW)
    assert {message.to: [item.id for item in message.items] for message in digests} == {anna: [1, 2], ben: [3]}
    assert [message.subject for message in digests] == [
        "plexstedi: 2 items need review",
        "plexstedi: BOLT02: 1 item needs review",
    ]


def test_who_buys_at_one_supplier_gets_that_supplier_only(tmp_path: Path) -> None:
    items = [review(1, "ACME01"), review(2, "BOLT02"), review(3, None)]
    (own,) = own_digests({"ACME01": ("anna@plant.example",), "CHEM03": ("c@plant.example",)}, {}, items, nobody, NOW)
    assert (own.to, own.subject) == (("anna@plant.example",), "plexstedi: ACME01: 1 item needs review")
    assert "PO-1" in own.text
    assert not [other for other in ("PO-2", "PO-3", "BOLT02") if other in own.text + str(own.html)]
    told = tmp_path / "told"
    assert send_message(AlertsConfig(command=("tee", str(told))), own) == [], "a program gets the whole digest only"


def test_what_a_supplier_wrote_is_no_markup(tmp_path: Path) -> None:
    told = digest_message([review(1, "<b>ACME</b>", why='<img src="https://evil.example/x"> & more')], [], NOW).html
    assert told is not None
    assert "<img" not in told
    assert "<b>" not in told
    assert "&lt;img" in told


def test_a_long_digest_says_how_much_is_left_out() -> None:
    message = digest_message([review(number, "ACME01") for number in range(80)], [], NOW)
    assert "and 30 more" in message.text
    assert "and 30 more" in (message.html or "")
    assert message.subject == "plexstedi: 80 items need review"


def test_a_program_gets_one_json_object(tmp_path: Path) -> None:
    told = tmp_path / "told"
    alerts = AlertsConfig(command=("tee", str(told)), command_format="json")
    down = ServiceUnavailable("Plex cannot be reached", fix="The next run tries again.", code="unreachable")
    for message in (news_message(["order PO-1: held"], [down]), digest_message([review(1, "ACME01")], [down], NOW)):
        (sent,) = send_message(alerts, message)
        assert sent.fault is None
        (line,) = told.read_text().splitlines()
        found = json.loads(line)
        assert set(found) == {"schema", "kind", "subject", "text", "faults", "news", "items"}
        assert (found["schema"], found["subject"]) == (1, message.subject)
        assert found["faults"] == [
            {"code": "unreachable", "message": "Plex cannot be reached", "fix": "The next run tries again."}
        ]
    assert found["kind"] == "digest"
    (item,) = found["items"]
    assert (item["order"], item["supplier"], item["line"], item["since"]) == (
        "PO-1",
        "ACME01",
        10,
        "2026-11-21T09:00:00Z",
    )
    assert item["reasons"][0]["fix"] == "Add it to units."


URL = "https://hc.example/ping/0ddba11"


def test_a_monitor_gets_start_and_end_and_the_log_only_if_asked(httpx_mock: Any) -> None:
    httpx_mock.add_response(url=f"{URL}/start", method="POST")
    httpx_mock.add_response(url=f"{URL}/5", method="POST", is_reusable=True)
    configure(LogFormat.TEXT, verbose=False, quiet=False, env={})
    for number in range(500):
        log_event("document-accepted", "document-accepted: document 1", order=f"PO-{number}", supplier="ACME01")
    down = ServiceUnavailable("Plex cannot be reached", fix="The next run tries again.", code="unreachable")
    log = run_log([down], ["the key is due"], ["order PO-1: held https://files.example/a?X-Signature=presigned"])
    ping_start(AlertsConfig(ping_url=URL))
    assert ping(AlertsConfig(ping_url=URL), 5, 1, log) == []
    assert ping(AlertsConfig(ping_url=URL, ping_log=True), 5, 1, log) == []
    start, bare, full = (request.content.decode() for request in httpx_mock.get_requests())
    assert (start, bare) == ("", "exit code 5, 1 need review")
    assert full.startswith("exit code 5, 1 need review\n")
    for word in ("order=PO-499", "warning: the key is due", "needs review: order PO-1", "Plex cannot be reached"):
        assert word in full
    assert "PO-0 " not in full
    assert "presigned" not in full
    assert len(full) <= TAIL_BYTES + 40


def test_a_monitor_that_is_away_at_the_start_stops_no_run(httpx_mock: Any) -> None:
    httpx_mock.add_response(status_code=503)
    ping_start(AlertsConfig(ping_url=URL))
    ping_start(AlertsConfig())
