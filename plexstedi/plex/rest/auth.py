"""Authentication at Plex: API key and tenant header for Connect, a bearer token for client credentials (OAuth2).

The token request uses the same transport as all calls, so it is rate-limited, retried and recorded alike. The token is
kept in memory only; each run requests its own.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping

import httpx

from plexstedi.clock import Clock
from plexstedi.decimal_json import BrokenJsonError, loads
from plexstedi.edi.plain_values import plain_number
from plexstedi.errors import ServiceRefused, ServiceUnavailable
from plexstedi.http.caller import token_request
from plexstedi.http.error_body import read_error
from plexstedi.http.response import Refusal

_SKEW = 60.0
"""Seconds before its expiry at which a token is no longer used, so that it does not expire in transit."""
_SHORTEST_LIFE = 300.0
"""Assumed lifetime of a token in seconds if Plex does not state `expires_in`."""


def connect_refusal(renewal: str) -> Refusal:
    """Causes and fix of a 401 or 403 of Plex Connect; `renewal`: the fix text for a new key."""
    return Refusal(
        causes="the key is wrong or has expired (Plex keys expire when unused), the app is not subscribed to this "
        "product, or it has no access to this tenant; Plex does not report which",
        fix=f"Renew the key at developers.plex.com and {renewal}; check the app's products and plex.tenant_id; then "
        "run `plexstedi check`.",
    )


OAUTH2_REFUSAL = Refusal(
    causes="the client may not use this resource, or the token is not for this base_url",
    fix="Check plex.auth.client_id, plex.base_url and the client's grants in Plex; then run `plexstedi check`.",
)


def connect_headers(api_key: str, tenant: Mapping[str, str], api_secret: str | None = None) -> Mapping[str, str]:
    """The headers of Plex Connect. The tenant is always named: otherwise Plex uses the app's default tenant."""
    more = {} if api_secret is None else {"X-Plex-Connect-Api-Secret": api_secret}
    return {"X-Plex-Connect-Api-Key": api_key, **tenant, **more}


def tenant_header(tenant_id: str | None, customer_id: str | None) -> Mapping[str, str]:
    """The header that names the tenant: Plex accepts exactly one of the two (plex/README.md 4.1); empty if neither."""
    if tenant_id is not None:
        return {"X-Plex-Connect-Tenant-Id": tenant_id}
    return {} if customer_id is None else {"X-Plex-Connect-Customer-Id": customer_id}


class ClientCredentials(httpx.Auth):
    """OAuth2 client credentials: requests a token when needed, and once more if it is refused."""

    requires_response_body = True

    def __init__(
        self,
        *,
        token_url: str,
        client_id: str,
        client_secret: str,
        clock: Clock,
        renewal: str = "run `plexstedi credentials set plex-client-secret`",
    ) -> None:
        """`renewal`: the fix text for a refused secret."""
        self._token_url = token_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._renewal = renewal
        self._token: str | None = None
        self._good_until = 0.0
        self._lock = threading.Lock()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Raise ServiceRefused if no token is granted, ServiceUnavailable if the token URL does not respond."""
        # Several threads call at once: one of them requests the token, the others wait for it.
        with self._lock:
            kept = self._token if self._clock.monotonic() < self._good_until else None
            token = kept if kept is not None else (yield from self._fetch())
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401 and kept is not None:
            with self._lock:
                is_renewed = self._token is not None and self._token != kept
                token = self._token if is_renewed and self._token else (yield from self._fetch())
            request.headers["Authorization"] = f"Bearer {token}"
            yield request

    def _fetch(self) -> Generator[httpx.Request, httpx.Response, str]:
        self._token = None
        response = yield token_request(
            self._token_url,
            {
                "grant_type": "client_credentials",
                "client_id": self._client_id,
                "client_secret": self._client_secret,
            },
        )
        token, life = self._read(response)
        self._good_until = self._clock.monotonic() + max(0.0, life - _SKEW)
        self._token = token
        return token

    def _read(self, response: httpx.Response) -> tuple[str, float]:
        status = response.status_code
        if status >= 500 or status in {408, 409, 429} or 300 <= status < 400:
            raise ServiceUnavailable(
                f"Plex's token endpoint returned {status}", fix="The next run tries again; check plex.auth.token_url."
            )
        if not response.is_success:
            error_body = read_error(response, secrets=(self._client_secret,))
            raise ServiceRefused(
                f"Plex issues no token for the client {self._client_id}: {status}{error_body.text}",
                fix="Check plex.auth.client_id and plex.auth.token_url. If the secret was renewed in Plex,"
                f" {self._renewal}.",
                code="no-token",
            )
        try:
            document = loads(response.content)
        except BrokenJsonError:
            raise ServiceUnavailable(
                "Plex's token endpoint returned with something other than JSON",
                fix="Check plex.auth.token_url; the next run tries again.",
            ) from None
        token = document.get("access_token") if isinstance(document, Mapping) else None
        if not isinstance(token, str) or not token.strip() or not token.isascii() or not token.isprintable():
            raise ServiceRefused(
                "Plex's token endpoint returned without an access_token",
                fix="Check that plex.auth.token_url is the token endpoint for client credentials.",
                code="no-token",
            )
        life = document.get("expires_in") if isinstance(document, Mapping) else None
        seconds = None if life is None or isinstance(life, bool) else plain_number(str(life))
        return token, _SHORTEST_LIFE if seconds is None else float(seconds)
