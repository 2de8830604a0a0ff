"""Network settings from the environment: CA certificates and proxies, by the variables that httpx reads.

Unusable settings raise EnvironmentFault with the variable's name and the fix. CA certificates are checked with the
first request of any kind, a proxy with the first request that needs it (loopback never does).
"""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi
import httpx

from plexstedi.errors import EnvironmentFault, ServiceUnavailable

_CA_FILE, _CA_FOLDER, _KEY_LOG = "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"
_LEGACY_SERVER_CONNECT = 0x4
"""OpenSSL's SSL_OP_LEGACY_SERVER_CONNECT; the module ssl names it from Python 3.12 on."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST = re.compile(r"(?!.*[^.]{64})[A-Za-z0-9_][A-Za-z0-9._-]{0,252}", re.ASCII)


def is_loopback(url: str) -> bool:
    """Whether the host of this URL is this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def tls_fault(service: str, error: str) -> ServiceUnavailable | None:
    """The fault for a connection that TLS refused, by OpenSSL's name of the reason in the error's text; else None."""
    if "CERTIFICATE_VERIFY_FAILED" in error:
        return ServiceUnavailable(
            f"{service} presents a TLS certificate that this machine does not trust",
            fix="Correct the machine's clock and CA certificates (SSL_CERT_FILE), or the base_url.",
        )
    if "UNSAFE_LEGACY_RENEGOTIATION_DISABLED" in error:
        # Only Plex is known to have such hosts; for another service the switch does not exist.
        switch = ", or set plex.legacy_tls = true" if service == "Plex" else ""
        return ServiceUnavailable(
            f"{service}'s host offers only old TLS, without secure renegotiation (RFC 5746)",
            fix=f"Ask {service} for the address of a current host{switch}.",
        )
    return None


_Address = tuple[str, str, int | None]
"""Scheme, host and port: what a connection is open to."""


@dataclass
class Network(httpx.BaseTransport):
    """Sends requests through the environment's proxy, if there is one; loopback is always called directly.

    Each request has a transport, and so a connection, to itself; it is used again for the next one to that address. A
    transport that several threads share looks at all its connections, under a lock, before and after each request.

    Raise EnvironmentFault if the environment's certificates or proxy cannot be used; nothing has been sent then.
    """

    prepare: Callable[[httpx.HTTPTransport], httpx.HTTPTransport] = lambda transport: transport
    """Applied to each new transport before its first use."""
    legacy_tls: bool = False
    """Whether a host without secure renegotiation is accepted (RFC 5746); OpenSSL 3 refuses it otherwise."""
    _transports: list[httpx.HTTPTransport] = field(default_factory=list)
    _free: dict[_Address, list[httpx.HTTPTransport]] = field(default_factory=dict)
    """Not in use now; the last is used first, so that the others' connections may end."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        free = self._free.setdefault((url.scheme, url.host, url.port), [])
        try:
            transport = free.pop()
        except IndexError:
            transport = self.new_transport(url)
        try:
            response = transport.handle_request(request)
        except BaseException:
            free.append(transport)
            raise
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = _Used(response.stream, lambda: free.append(transport))
        return response

    def close(self) -> None:
        for transport in self._transports:
            transport.close()

    def new_transport(self, url: httpx.URL) -> httpx.HTTPTransport:
        """A transport for requests to this address; sends nothing. Raise EnvironmentFault."""
        proxy = _proxy(url)
        encrypted = url.scheme == "https" or (proxy is not None and proxy.lower().startswith("https:"))
        # Without encryption no certificate is needed (that context trusts none), but the certificates that the
        # environment names are checked anyway: the next https call, perhaps an alert, would fail.
        if encrypted:
            context = trusted_certificates(self.legacy_tls)
        else:
            check_named_certificates()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        transport = self.prepare(_transport(url.scheme, proxy, context))
        self._transports.append(transport)
        return transport


class _Used(httpx.SyncByteStream):
    """The body of a response; once it is closed, its connection is free again."""

    def __init__(self, inner: httpx.SyncByteStream, free: Callable[[], None]) -> None:
        self._inner = inner
        self._free: Callable[[], None] | None = free

    def __iter__(self) -> Iterator[bytes]:
        yield from self._inner

    def close(self) -> None:
        free, self._free = self._free, None
        try:
            self._inner.close()
        finally:
            if free is not None:
                free()


def check_network_environment(url: str) -> None:
    """Raise EnvironmentFault if the proxy or certificates that this URL needs cannot be used. Makes no call."""
    network = Network()
    try:
        network.new_transport(httpx.URL(url))
    finally:
        network.close()


def trusted_certificates(legacy_tls: bool = False) -> ssl.SSLContext:
    """A TLS context that trusts the CA certificates that the environment names, else certifi's.

    Raise EnvironmentFault if they cannot be read or the source holds none.
    """
    file, folder = os.environ.get(_CA_FILE), os.environ.get(_CA_FOLDER)
    try:
        if file:
            return _context(file, None, Path(file).stat().st_mtime_ns, legacy_tls)
        if folder:
            _check_not_empty(folder)
            return _context(None, folder, 0, legacy_tls)
        return _context(None, None, 0, legacy_tls)
    except OSError as error:
        raise _unusable_certificates(file, folder, error) from error


@cache
def _context(file: str | None, folder: str | None, changed: int, legacy_tls: bool) -> ssl.SSLContext:
    # One for both services: reading the certificates takes a tenth of the time of a run without work.
    named = file or folder
    context = ssl.create_default_context(cafile=file, capath=folder) if named else httpx.create_ssl_context()
    if legacy_tls:
        context.options |= _LEGACY_SERVER_CONNECT
    return context


def check_named_certificates() -> None:
    """Raise EnvironmentFault if the environment names CA certificates that cannot be used.

    Python's TLS ignores such a setting silently and then trusts no certificate at all.
    """
    if os.environ.get(_CA_FILE) or os.environ.get(_CA_FOLDER):
        trusted_certificates()


def _check_not_empty(folder: str) -> None:
    """Raise EnvironmentFault for a missing or empty folder: OpenSSL accepts it and then trusts no certificate."""
    if not any(Path(one).is_dir() and any(Path(one).iterdir()) for one in folder.split(os.pathsep)):
        raise EnvironmentFault(
            f"{_CA_FOLDER} names {folder}, which is not a folder with CA certificates",
            fix=f"Let {_CA_FOLDER} name a folder with CA certificates, or unset it; certifi's are used then.",
        )


def _unusable_certificates(file: str | None, folder: str | None, error: OSError) -> EnvironmentFault:
    """The fault for unusable certificates; names the environment variable that set them."""
    why = "it holds no certificates" if isinstance(error, ssl.SSLError) else error.strerror or type(error).__name__
    key_log = os.environ.get(_KEY_LOG)
    if key_log and _holds_certificates(file or certifi.where()):
        return EnvironmentFault(
            f"{_KEY_LOG} names {key_log}, which cannot be written: {why}",
            fix=f"Take {_KEY_LOG} away: it is for debugging and lets others decrypt the traffic.",
        )
    if file or folder:
        name, what = (_CA_FILE, "file") if file else (_CA_FOLDER, "folder")
        return EnvironmentFault(
            f"{name} names {file or folder}, which cannot be used: {why}",
            fix=f"Let {name} name a {what} with CA certificates, or unset it; certifi's are used then.",
        )
    return EnvironmentFault(
        f"the CA certificates of this installation cannot be used: {why}",
        fix=f"Install the package certifi again, or let {_CA_FILE} name a file with CA certificates.",
    )


def _holds_certificates(file: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
    except OSError:
        return False
    return True


def _proxy(url: httpx.URL) -> str | None:
    """The proxy for this URL; None if there is none. Raise EnvironmentFault if its address is unusable."""
    proxies = getproxies()
    name = next((name for name in (url.scheme, "all") if proxies.get(name)), None)
    if name is None or is_loopback(str(url)) or proxy_bypass(url.host):
        return None
    proxy = proxies[name].strip()
    if "://" not in proxy:
        # Without a scheme only host and port are accepted: with a path it is a URL that lost a slash.
        proxy = f"http://{proxy}" if "/" not in proxy.removesuffix("/") else ""
    if not _is_address(proxy):
        raise EnvironmentFault(
            f"{_variable(name)} is not a proxy address",
            fix="Write it like http://proxy.example.com:3128, or unset it; NO_PROXY names hosts that need none.",
        )
    return proxy


def _is_address(proxy: str) -> bool:
    try:
        port = urlsplit(proxy).port
        url = httpx.URL(proxy)
        # Check the ASCII form of the host: that is what an internationalized name is looked up by.
        host = url.raw_host.decode() if url.host else ""
    except (ValueError, httpx.InvalidURL):
        return False
    if not _SCHEME.match(proxy) or port == 0:
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _HOST.fullmatch(host) is not None
    return True


def _transport(scheme: str, proxy: str | None, context: ssl.SSLContext) -> httpx.HTTPTransport:
    try:
        return httpx.HTTPTransport(proxy=proxy, verify=context)
    except (ValueError, ImportError) as error:
        # The address is never shown: it may contain a password. The cause is dropped because its text contains it.
        kind = urlsplit(proxy or "").scheme
        name = _variable(scheme if getproxies().get(scheme) else "all")
        install = (
            ", or run `pip install socksio` where PlexStedi is installed" if isinstance(error, ImportError) else ""
        )
        raise EnvironmentFault(
            f"{name} names a proxy of the scheme {kind}, which is not supported",
            fix=f"Use an address that begins with http:// or https://{install}; NO_PROXY names hosts that need no "
            "proxy.",
        ) from None


def _variable(name: str) -> str:
    """The name of the variable that is set; the lower-case name takes precedence, as in urllib."""
    set_ones = sorted(key for key, value in os.environ.items() if value and key.lower() == f"{name}_proxy")
    return set_ones[-1] if set_ones else "the proxy setting of this system"
