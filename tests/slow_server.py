"""A server on loopback that answers as slowly as a test wants: in its own pace, byte by byte, or not at all."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@dataclass
class SlowServer:
    """What it was asked, and when it is to give up."""

    port: int
    asked: threading.Event = field(default_factory=threading.Event)
    """A whole request has come."""
    over: threading.Event = field(default_factory=threading.Event)
    """The test is done: let go of the connection."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def trickle(self, connection: socket.socket, data: bytes, *, pause: float = 0.01) -> None:
        """A byte, a pause, a byte, until it is all out, the other side is gone or the test is over."""
        with contextlib.suppress(OSError):
            for position in range(len(data)):
                connection.sendall(data[position : position + 1])
                if self.over.wait(pause):
                    return


@contextlib.contextmanager
def slow_server(
    behave: Callable[[SlowServer, socket.socket], None], *, tls: ssl.SSLContext | None = None
) -> Iterator[SlowServer]:
    """Serve one connection after the other; `behave` has the connection once a request was read from it."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = SlowServer(listener.getsockname()[1])

    def serve() -> None:
        while not server.over.is_set():
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), plain:
                connection = plain if tls is None else tls.wrap_socket(plain, server_side=True)
                with connection:
                    _whole_request(connection)
                    server.asked.set()
                    behave(server, connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=10)


def _whole_request(connection: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65_536)
