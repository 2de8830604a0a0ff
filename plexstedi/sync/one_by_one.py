"""Many records, a call or more each: one that fails keeps no other from its turn; several in a row are the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from plexstedi.errors import RequestRejected, ServiceUnavailable

_IN_A_ROW = 3
"""So many failures without a success between them mean that the service itself does not answer."""


class OneByOne:
    """Lets the failures of single records pass, and tells them at the end."""

    def __init__(self) -> None:
        self.failed: list[ServiceUnavailable] = []
        self._in_a_row = 0

    @contextmanager
    def record(self, what: str) -> Iterator[None]:
        """One record's turn. Raise ServiceUnavailable if the time is over, or if it is the service that fails."""
        try:
            yield
        except ServiceUnavailable as fault:
            if fault.code == "time-limit":
                raise
            self.note(what, fault)
        except RequestRejected as fault:
            # The service refuses to speak of this record alone; what it refuses of all is a ServiceRefused.
            self.note(what, ServiceUnavailable(fault.message, fix=fault.fix, code="record-refused"))
        else:
            self.succeeded()

    def succeeded(self) -> None:
        """A record had its turn: the service answers."""
        self._in_a_row = 0

    def note(self, what: str, fault: ServiceUnavailable) -> None:
        """A record failed. Raise its fault if too many did in a row."""
        self.failed.append(ServiceUnavailable(f"{what}: {fault.message}", fix=fault.fix, code=fault.code))
        self._in_a_row += 1
        if self._in_a_row >= _IN_A_ROW:
            raise fault

    def tell(self) -> None:
        """After the last record: raise the first failure, with how many there were."""
        if not self.failed:
            return
        first, more = self.failed[0], len(self.failed) - 1
        if not more:
            raise first
        raise ServiceUnavailable(f"{first.message} (and {more} more)", fix=first.fix, code=first.code)
