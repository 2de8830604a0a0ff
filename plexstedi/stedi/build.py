"""Builds the Stedi client from a base URL and a key."""

from __future__ import annotations

import random
from collections.abc import Callable

import httpx

from plexstedi.clock import Clock
from plexstedi.http.caller import LARGEST_RESPONSE, Attempt, Caller, Deadline, RetryPolicy
from plexstedi.http.response import Refusal
from plexstedi.secret_text import SecretText
from plexstedi.stedi.api_keys import ApiKeys
from plexstedi.stedi.client import StediClient
from plexstedi.stedi.other_keys import OtherKeys

_CAUSES = (
    "the key is wrong, deleted, or a test key (EDI needs a production key); the role of its creator lacks a"
    " permission; or Stedi's firewall blocks this server's address"
)
_RENEWAL = "run `plexstedi credentials set stedi-api-key`"


def connect_to_stedi(
    base_url: str,
    key: SecretText,
    *,
    clock: Clock,
    read_timeout: float = 60.0,
    rng: random.Random | None = None,
    retry: RetryPolicy | None = None,
    deadline: Deadline | None = None,
    transport: httpx.BaseTransport | None = None,
    on_attempt: Callable[[Attempt], None] | None = None,
    largest_response: int = LARGEST_RESPONSE,
    renewal: str = _RENEWAL,
    other_keys: OtherKeys | None = None,
) -> StediClient:
    """A client for one account; makes no call yet.

    Timeout in seconds, `largest_response` in bytes; `renewal` is the fix text for a refused key; `other_keys` are tried
    if `key` is refused. Raise ConfigurationFault for a base URL that is not https, CredentialsFault for a key that no
    header can hold.
    """
    caller = Caller(
        "Stedi",
        base_url,
        # The bare key (OpenAPI httpApiKeyAuth), neither `Bearer` nor the older `Key`.
        headers={"Authorization": key.get_secret_value()},
        auth=other_keys,
        read_timeout=read_timeout,
        rng=rng,
        retry=retry,
        clock=clock,
        deadline=deadline,
        transport=transport,
        on_attempt=on_attempt,
        refusal=Refusal(_CAUSES, f"Make a production key in the Stedi portal and {renewal}."),
        largest_response=largest_response,
    )
    return StediClient(caller, other_keys)


def connect_to_api_keys(url: str, key: SecretText, *, clock: Clock, deadline: Deadline) -> ApiKeys:
    """A client of the API-keys API at `url`, which ends in `/api_keys`; makes no call yet.

    Raise ConfigurationFault for a URL that is not https.
    """
    return ApiKeys(
        Caller(
            "Stedi",
            url.rstrip("/").removesuffix("/api_keys"),
            headers={"Authorization": key.get_secret_value()},
            clock=clock,
            deadline=deadline,
            refusal=Refusal(
                "the key, or the role of the user who created it, does not allow to manage API keys",
                "Use a key of a user with the admin role, or remove stedi.api_keys_url and rotate the key by hand.",
            ),
        )
    )
