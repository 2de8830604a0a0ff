"""Services for tests of parts that may call one of them, or none."""

from __future__ import annotations

from typing import Any, cast

from plexstedi.sync.services import Services


class _Only:
    """What is not given must not be called."""

    def __init__(self, stedi: Any) -> None:
        self.opened_plex = None
        self.opened_stedi = stedi

    @property
    def plex(self) -> Any:
        raise AssertionError("this calls no Plex")

    @property
    def stedi(self) -> Any:
        assert self.opened_stedi is not None, "this calls no Stedi"
        return self.opened_stedi


def services(stedi: Any = None) -> Services:
    return cast(Services, _Only(stedi))
