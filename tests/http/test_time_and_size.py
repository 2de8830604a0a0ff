"""No answer is larger than it may be, none outlasts the run, and a request to stop ends a read at once."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from plexstedi.clock import StopRequest, SystemClock
from plexstedi.errors import Interrupted, ServiceUnavailable
from plexstedi.http import deadline
from plexstedi.http.caller import Caller, Deadline
from plexstedi.http.headers import http_date, retry_after
from plexstedi.http.response import InconclusiveSend
from tests.http.conftest import REFUSAL
from tests.slow_server import HEAD, SlowServer, slow_server

MB = 2**20

# Size --------------------------------------------------------------------------------------------------------------


def answering(body: bytes, **headers: str) -> httpx.MockTransport:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.MockTransport(lambda request: httpx.Response(200, headers=named, stream=httpx.ByteStream(body)))


def text_of(size: int) -> bytes:
    return b'"' + b"x" * (size - 2) + b'"'


PACKED = {
    "as it is": lambda body: (body, {}),
    "gzip": lambda body: (gzip.compress(body), {"content_encoding": "gzip"}),
    "x-gzip": lambda body: (gzip.compress(body), {"content_encoding": "X-GZIP"}),
    "deflate": lambda body: (zlib.compress(body), {"content_encoding": "deflate"}),
    "bare deflate": lambda body: (bare(body), {"content_encoding": "deflate"}),
    "packed twice": lambda body: (gzip.compress(gzip.compress(body)), {"content_encoding": "gzip, gzip"}),
}


def bare(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize("pack", PACKED.values(), ids=PACKED)
def test_a_response_counts_by_what_it_unpacks_to(make_caller, attempts, pack):
    body, headers = pack(text_of(MB))
    caller = make_caller(transport=answering(body, **headers), largest_response=MB)
    assert len(str(caller.get("/x").json())) == MB - 2

    body, headers = pack(text_of(MB + 1))
    caller = make_caller(transport=answering(body, **headers), largest_response=MB)
    with pytest.raises(ServiceUnavailable, match=r"/x is larger than 1 MB \(run.max_response_mb\)") as caught:
        caller.get("/x")
    assert caught.value.code == "too-large"
    assert [attempt.outcome for attempt in attempts] == ["ok", "too-large"], "asking again gives the same"


def test_a_bomb_is_not_unpacked_further_than_the_limit(make_caller):
    import tracemalloc

    packer = zlib.compressobj(wbits=31)
    bomb = b"".join(packer.compress(b"0" * MB) for _ in range(60)) + packer.flush()
    twice = gzip.compress(bomb)
    for body, coding in ((bomb, "gzip"), (twice, "gzip, gzip")):
        caller = make_caller(transport=answering(body, content_encoding=coding), largest_response=4 * MB)
        tracemalloc.start()
        with pytest.raises(ServiceUnavailable, match=r"run\.max_response_mb"):
            caller.get("/x")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 16 * MB


def test_a_response_that_announces_too_much_is_not_read(make_caller):
    def pieces() -> Iterator[bytes]:
        raise AssertionError("it was read")
        yield b""

    class Stream(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return pieces()

    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, headers={"content-length": "9" * 30}, stream=Stream())
    )
    with pytest.raises(ServiceUnavailable, match=r"run\.max_response_mb"):
        make_caller(transport=transport, largest_response=MB).get("/x")


@pytest.mark.parametrize(
    ("body", "coding"),
    [(b"no gzip", "gzip"), (gzip.compress(b"[]", mtime=0)[:-9], "gzip"), (b"[]", "br"), (b"\xff\xff\xff", "deflate")],
)
def test_a_response_that_is_not_packed_as_it_says_is_no_response(make_caller, body, coding):
    with pytest.raises(ServiceUnavailable, match="DecodingError"):
        make_caller(transport=answering(body, content_encoding=coding)).get("/x")


def test_a_send_whose_response_is_too_large_may_have_been_carried_out(make_caller):
    caller = make_caller(transport=answering(text_of(2 * MB)), largest_response=MB)
    with pytest.raises(InconclusiveSend) as caught:
        caller.post("/send", body=b"{}", idempotent=True)
    assert caught.value.maybe_processed
    assert caught.value.code == "too-large"


def test_a_document_that_is_too_large_does_not_tell_its_address(make_caller):
    caller = make_caller(transport=answering(b"x" * 2 * MB), largest_response=MB)
    with pytest.raises(ServiceUnavailable) as caught:
        caller.download("https://files.example/secret-path?signature=secret")
    assert caught.value.code == "too-large"
    assert "secret" not in caught.value.message


# Time --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def calling() -> Iterator[Callable[..., Caller]]:
    made: list[Caller] = []

    def make(server: SlowServer, *, limit: float = 1.1, stop: StopRequest | None = None) -> Caller:
        clock = SystemClock()
        deadline = Deadline(clock.monotonic() + limit, stop or StopRequest())
        made.append(Caller("Stedi", server.url, refusal=REFUSAL, clock=clock, deadline=deadline))
        return made[-1]

    yield make
    for caller in made:
        caller.close()


SLOW: dict[str, Callable[[SlowServer, socket.socket], None]] = {
    "a body byte by byte": lambda server, to: (to.sendall(HEAD % 10**6), server.trickle(to, b"[" * 10**6))[0],
    "headers byte by byte": lambda server, to: server.trickle(to, b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10**6),
    "silence": lambda server, to: server.over.wait(60) and None,
    "silence within the body": lambda server, to: (to.sendall(HEAD % 99 + b"["), server.over.wait(60))[0],
}


@pytest.mark.parametrize("behave", SLOW.values(), ids=SLOW)
def test_a_run_ends_in_time_however_slow_the_response(calling, behave):
    with slow_server(behave) as server:
        began = time.monotonic()
        with pytest.raises(ServiceUnavailable, match=r"raise|in time") as caught:
            calling(server).get("/slow")
        assert caught.value.code == "time-limit"
        assert time.monotonic() - began < 4


@pytest.mark.parametrize("behave", SLOW.values(), ids=SLOW)
def test_a_send_with_too_slow_a_response_is_in_doubt_and_not_lost(calling, behave):
    with slow_server(behave) as server:
        with pytest.raises(InconclusiveSend) as caught:
            calling(server).post("/send", body=b"{}", idempotent=True)
        assert caught.value.maybe_processed
        assert caught.value.code == "time-limit"


def test_a_response_in_many_pieces_is_whole(calling):
    with slow_server(lambda server, to: (to.sendall(HEAD % 40), server.trickle(to, text_of(40)))[0]) as server:
        assert calling(server, limit=30).get("/x").json() == "x" * 38


@pytest.mark.parametrize("behave", SLOW.values(), ids=SLOW)
def test_a_request_to_stop_ends_a_read_at_once(calling, behave):
    stop = StopRequest()

    def stopping(server: SlowServer, to: socket.socket) -> None:
        stop.signal = "SIGTERM"
        behave(server, to)

    with slow_server(stopping) as server:
        began = time.monotonic()
        with pytest.raises(Interrupted, match="SIGTERM while reading"):
            calling(server, limit=60, stop=stop).get("/slow")
        assert time.monotonic() - began < 4


def test_a_send_in_the_air_is_finished_after_a_request_to_stop(calling):
    stop = StopRequest()

    def stopping(server: SlowServer, to: socket.socket) -> None:
        stop.signal = "SIGTERM"
        to.sendall(HEAD % 40)
        server.trickle(to, text_of(40))

    with slow_server(stopping) as server:
        answer = calling(server, limit=60, stop=stop).post("/send", body=b"{}", idempotent=True)
        assert answer.json() == "x" * 38


def test_a_send_without_a_response_after_a_request_to_stop_is_in_doubt(calling, monkeypatch):
    monkeypatch.setattr(deadline, "SEND_GRACE_SECONDS", 0.2)
    stop = StopRequest()

    def stopping(server: SlowServer, to: socket.socket) -> None:
        stop.signal = "SIGTERM"
        server.over.wait(60)

    with slow_server(stopping) as server, pytest.raises(InconclusiveSend) as caught:
        calling(server, limit=60, stop=stop).post("/send", body=b"{}")
    assert caught.value.maybe_processed


def test_a_slow_response_over_tls_is_whole(calling, monkeypatch, tmp_path):
    """Waiting in slices loses nothing of a record that came in part only."""
    monkeypatch.setattr(deadline, "_SLICE_SECONDS", 0.02)
    context = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    chunks = [text_of(60_000)[start : start + 20_000] for start in range(0, 60_000, 20_000)]

    def behave(server: SlowServer, to: socket.socket) -> None:
        to.sendall(HEAD % 60_000)
        for chunk in chunks:
            server.over.wait(0.1)
            to.sendall(chunk)

    with slow_server(behave, tls=context) as server:
        clock = SystemClock()
        caller = Caller(
            "Stedi",
            f"https://localhost:{server.port}",
            refusal=REFUSAL,
            clock=clock,
            deadline=Deadline(clock.monotonic() + 30),
        )
        assert caller.get("/x").json() == "x" * 59_998
        caller.close()


def certified(place: Path) -> ssl.SSLContext:
    """A server's context with a certificate for localhost that signs itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (place / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (place / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / "cert.pem", place / "key.pem")
    return context


# Headers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "Mon, 01 Jan 1001 00:00:00 +0500", "Fri, 31 Dec 9999 23:59:59 -0500", "9" * 5000),
        *("Mon, 23 Nov 99999999999999999999 12:00:00 GMT", "Mon, 23 Nov 1999 12:00:00 GMT", "\u0661\u0662", "²"),
        *("Mon, 23 Nov 2026 12:00:00 +9999999999999", "Mon, 23 Nov 2026 12:00:00 -2360"),
    ],
)
def test_a_date_that_no_service_can_have_is_none(text):
    assert http_date(text) is None
    assert retry_after(
        httpx.Headers([(b"retry-after", text.encode())]), datetime(2026, 11, 23, tzinfo=UTC)
    ) is None or (text.isascii() and text.isdigit())


def test_the_time_of_a_service_is_not_taken_from_a_date_that_it_cannot_have(make_caller):
    caller = make_caller(transport=answering(b"[]", date="Fri, 31 Dec 9999 23:59:59 GMT"))
    assert caller.get("/x").date is None
    assert caller.service_now() is None


def test_threads_of_the_slow_server_end(calling):
    before = threading.active_count()
    with slow_server(lambda server, to: None) as server, pytest.raises(ServiceUnavailable):
        calling(server).get("/x")
    assert threading.active_count() == before
