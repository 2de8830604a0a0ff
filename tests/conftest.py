"""What holds for every test."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings

# How long one example takes says more about the machine than about the program.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

_MEMORY = Path("/dev/shm")
_ROOM = 2 << 30
"""Bytes: far more than all tests need at once."""

# No test needs a disk: what must be synced is watched call by call (tests/disk.py).
if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ROOM:
    os.environ["TMPDIR"] = str(_MEMORY)
    tempfile.tempdir = None
