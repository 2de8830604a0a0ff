"""If Stedi refuses the key in use, another one is tried: `stedi-api-key-next`, then `stedi-api-key-previous`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence

import httpx
from msgspec import Struct

from plexstedi.secret_text import SecretText

_REFUSED = {401, 403}


class NamedKey(Struct, frozen=True):
    """A key and the name of its secret."""

    name: str
    key: SecretText


class OtherKeys(httpx.Auth):
    """Repeats a refused request with each other key. A refused request was not processed, so it may be repeated.

    The key that Stedi accepts is used for the rest of the run. `read_others` is called at the first refusal only.
    """

    def __init__(self, read_others: Callable[[], Sequence[NamedKey]]) -> None:
        self._read_others = read_others
        self._lock = threading.Lock()
        self._tried = False
        self._accepted: NamedKey | None = None

    @property
    def accepted(self) -> str | None:
        """The name of the key that was accepted in place of the refused one; None: the first key is in use."""
        return None if self._accepted is None else self._accepted.name

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request, and again with the other keys if the first is refused."""
        if self._accepted is not None:
            _use(request, self._accepted)
        response = yield request
        if response.status_code not in _REFUSED or self._accepted is not None or self._tried:
            return
        # Calls of other threads that are refused meanwhile try the others as well: each is repeated once per key.
        for other in self._read_others():
            _use(request, other)
            response = yield request
            if response.status_code not in _REFUSED:
                with self._lock:
                    self._accepted = other
                return
        self._tried = True


def _use(request: httpx.Request, other: NamedKey) -> None:
    request.headers["Authorization"] = other.key.get_secret_value()
