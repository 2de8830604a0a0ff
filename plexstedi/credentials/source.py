"""Where a secret comes from."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class SourceKind(StrEnum):
    """The kinds of sources, in the order in which they are read."""

    SYSTEMD = "systemd credential"
    ENVIRONMENT = "environment"
    COMMAND = "command"
    KEYRING = "keyring"


class Source(Struct, frozen=True):
    """The source of a secret."""

    kind: SourceKind
    where: str
    """The file, the variable, or the keyring."""

    def __str__(self) -> str:
        return f"{self.kind} {self.where}" if self.kind is not SourceKind.KEYRING else self.where
