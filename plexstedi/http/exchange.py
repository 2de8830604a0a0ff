"""Sends single requests through a transport: what we use of `httpx.Client`, without the CPU of the rest.

No cookies, no redirects, no merging of URLs and headers: requests are complete, and transports return responses that
are read completely.
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx


class Exchange:
    """A transport with an authentication and default headers; keeps connections open until it is closed."""

    def __init__(
        self,
        transport: httpx.BaseTransport,
        *,
        auth: httpx.Auth | None,
        headers: Mapping[str, str],
        timeout: httpx.Timeout,
    ) -> None:
        self._transport = transport
        self._auth = auth
        self._headers = dict(headers)
        self._timeout = timeout.as_dict()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def request(
        self,
        method: str,
        url: httpx.URL | str,
        *,
        extensions: Mapping[str, object],
        headers: Mapping[str, str] | None = None,
        params: httpx.QueryParams | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """Send one request; return the response, whatever its status.

        Raise httpx.InvalidURL for a malformed URL, and what the transport raises.
        """
        request = httpx.Request(
            method,
            url,
            params=params,
            headers={**self._headers, **(headers or {})},
            content=content,
            extensions={"timeout": self._timeout, **extensions},
        )
        if self._auth is None:
            return self._send(request)
        flow = self._auth.sync_auth_flow(request)
        try:
            request = next(flow)
            while True:
                response = self._send(request)
                try:
                    request = flow.send(response)
                except StopIteration:
                    return response
        finally:
            flow.close()

    def _send(self, request: httpx.Request) -> httpx.Response:
        response = self._transport.handle_request(request)
        response.request = request
        return response
