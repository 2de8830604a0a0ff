"""Runs the command line like the tests' driver, and leaves its peak memory, in MB, in the file that TEST_PEAK names."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

try:
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    Path(os.environ["TEST_PEAK"]).write_text(str(int(peak.split()[1]) / 1024), encoding="ascii")
