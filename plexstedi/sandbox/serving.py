"""A small threaded HTTP/1.1 server for WSGI applications on loopback, with keep-alive and injected disconnects."""

from __future__ import annotations

import contextlib
import io
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

from plexstedi.sandbox.web import ConnectionDropped, Environ

StartResponse: TypeAlias = Callable[[str, list[tuple[str, str]]], Any]
WsgiApp: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, port: int, app: WsgiApp) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.app = app

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect; report any other error, which is a fault of the sandbox."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60
    server: _Server

    def handle_one_request(self) -> None:
        """As inherited, but for any HTTP method and through WSGI."""
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            self._run()
        except (TimeoutError, ConnectionError):
            self.close_connection = True

    def _run(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        path, _, query = self.path.partition("?")
        environ: Environ = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_PROTOCOL": self.protocol_version,
            "CONTENT_LENGTH": str(length),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "wsgi.input": io.BytesIO(self.rfile.read(length) if length else b""),
        }
        for name, value in self.headers.items():
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        head: list[tuple[str, list[tuple[str, str]]]] = []
        try:
            body = b"".join(self.server.app(environ, lambda status, headers: head.append((status, headers))))
        except ConnectionDropped:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, headers = head[0]
        promised = dict(headers).get("Content-Length", str(len(body)))
        lines = [f"{self.protocol_version} {status}", *(f"{name}: {value}" for name, value in headers)]
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)
        self.wfile.flush()
        if int(promised) != len(body):
            self.close_connection = True


@contextlib.contextmanager
def serving(app: WsgiApp, port: int) -> Iterator[str]:
    """Serve an application on 127.0.0.1 (port 0: any free port) and yield its URL.

    Raise OSError if the port is in use.
    """
    server = _Server(port, app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        _end(server)
        thread.join()


def _end(server: _Server) -> None:
    """Stop serving at once: a connection wakes the server, which otherwise looks for its end at each interval only."""
    stopping = threading.Thread(target=server.shutdown)
    stopping.start()
    with contextlib.suppress(OSError):
        socket.create_connection(server.socket.getsockname()).close()
    stopping.join()
    server.server_close()
