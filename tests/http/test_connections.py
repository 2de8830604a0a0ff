"""A connection is used again, by one call at a time, and not after the server has closed it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from plexstedi.http.network import Network

AT_ONCE = 4


class Server(ThreadingHTTPServer):
    """Counts its connections; answers `/together` only when so many ask at once, `/last` with the end of it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.connections = 0
        self.together = threading.Barrier(AT_ONCE)
        self.ended = threading.Event()

    def get_request(self):
        self.connections += 1
        return super().get_request()

    def shutdown_request(self, request) -> None:
        super().shutdown_request(request)
        self.ended.set()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        if self.path == "/together":
            self.server.together.wait(timeout=30)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        # Without a word, as a load balancer does after a time.
        self.close_connection = self.path == "/last"

    def log_message(self, *given: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network()
    yield network
    network.close()


def get(network: Network, url: str) -> bytes:
    response = network.handle_request(httpx.Request("GET", url))
    try:
        return response.read()
    finally:
        response.close()


def test_calls_one_after_the_other_share_a_connection(server: Server, network: Network) -> None:
    for _ in range(10):
        assert get(network, server.url("/")) == b"ok"
    assert server.connections == 1


def test_calls_at_once_have_a_connection_each_which_later_ones_use_again(server: Server, network: Network) -> None:
    for _ in range(5):
        with ThreadPoolExecutor(AT_ONCE) as threads:
            found = [threads.submit(get, network, server.url("/together")) for _ in range(AT_ONCE)]
            assert [each.result() for each in found] == [b"ok"] * AT_ONCE
    assert server.connections == AT_ONCE


def test_a_connection_that_the_server_has_closed_is_not_used_again(server: Server, network: Network) -> None:
    assert get(network, server.url("/last")) == b"ok"
    assert server.ended.wait(timeout=30)
    assert get(network, server.url("/")) == b"ok"
    assert server.connections == 2


def test_a_response_that_is_not_read_to_its_end_gives_its_place_to_the_next(server: Server, network: Network) -> None:
    network.handle_request(httpx.Request("GET", server.url("/"))).close()
    assert get(network, server.url("/")) == b"ok"
    assert len(network._transports) == 1


def test_a_call_that_fails_gives_its_place_to_the_next(server: Server, network: Network) -> None:
    url = server.url("/")
    server.shutdown()
    server.server_close()
    for _ in range(3):
        with pytest.raises(httpx.ConnectError):
            network.handle_request(httpx.Request("GET", url))
    assert len(network._transports) == 1
