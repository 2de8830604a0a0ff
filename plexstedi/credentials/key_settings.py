"""Where the key of the encrypted file is, as configured."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class KeySettings(Struct, frozen=True):
    """`[credentials]` of the configuration, with whole paths."""

    key_file: Path | None = None
    """None: in the user's configuration folder, or beside the encrypted file if it is there already."""
    key_beside_data: bool = False
    passphrase_file: Path | None = None
