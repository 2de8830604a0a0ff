"""The sandbox without sockets: called directly in its own process, or over a pipe from another."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx

import plexstedi.sync.services as reaching
from plexstedi.sandbox.server import Sandbox
from plexstedi.sandbox.web import ConnectionDropped

Called = tuple[str, str, tuple[tuple[str, str], ...], bytes]
"""A request on its way through a pipe: method, URL, headers, body."""
Answered = tuple[int, list[tuple[str, str]], bytes]


class Direct(httpx.BaseTransport):
    """Calls the sandbox's applications as functions."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._apps = {
            urlsplit(url).port: sandbox.app(origin)
            for origin, url in (
                ("plex", sandbox.urls.plex_url),
                ("stedi", sandbox.urls.stedi_url),
                ("documents", sandbox.urls.documents_url),
            )
        }

    def answer(self, call: Called) -> Answered:
        """Process one call. Raise ConnectionDropped."""
        method, address, headers, body = call
        url = urlsplit(address)
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": url.path,
            "QUERY_STRING": url.query,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": dict(headers).get("content-type", ""),
            "wsgi.input": io.BytesIO(body),
            **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers},
        }
        head: list[tuple[str, list[tuple[str, str]]]] = []
        content = b"".join(self._apps[url.port](environ, lambda *said: head.append(said)))
        status, answered = head[0]
        return int(status.split()[0]), answered, content

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return response(self.answer(called(request)), request)
        except ConnectionDropped:
            raise httpx.RemoteProtocolError("the connection was closed", request=request) from None


def called(request: httpx.Request) -> Called:
    return request.method, str(request.url), tuple(request.headers.items()), request.read()


def response(answered: Answered, request: httpx.Request) -> httpx.Response:
    status, headers, content = answered
    return httpx.Response(status, headers=headers, content=content, request=request)


@contextlib.contextmanager
def through(transport: httpx.BaseTransport) -> Iterator[None]:
    """Let runs in this process reach Plex and Stedi through this transport."""
    names = ("connect_to_plex", "connect_to_stedi")
    real: dict[str, Callable[..., object]] = {name: getattr(reaching, name) for name in names}

    def diverted(name: str) -> Callable[..., object]:
        return lambda *args, **named: real[name](*args, **{"transport": transport, **named})

    try:
        for name in names:
            setattr(reaching, name, diverted(name))
        yield
    finally:
        for name in names:
            setattr(reaching, name, real[name])
