from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

MINIMAL = """
[plex]
tenant_id = "01234567-89ab-cdef-0123-456789abcdef"
[plex.acknowledgments]
write = "report-only"
[stedi]
usage_indicator = "T"
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Write a configuration and return its path."""

    def writer(text: str) -> Path:
        path = tmp_path / "plexstedi.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return writer


@pytest.fixture
def minimal() -> str:
    return MINIMAL
