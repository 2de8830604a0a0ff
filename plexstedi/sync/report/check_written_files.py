"""The part of `check` about the files that each run writes for others: the page and the metrics."""

from __future__ import annotations

import os
from pathlib import Path

from plexstedi.config.load import Config
from plexstedi.sync.report.check import Area, Finding, ok, warn
from plexstedi.sync.report.metrics import metrics_path


def check_written_files(config: Config) -> list[Finding]:
    """Whether the page and the metrics file can be written, as far as can be seen now."""
    found = []
    if config.run.html is not None:
        found.append(_writable("run.html", config.file.parent / Path(config.run.html).expanduser()))
    if config.run.metrics_file is not None:
        path = metrics_path(config, config.run.metrics_file)
        if path.suffix == ".prom":
            found.append(_writable("run.metrics_file", path))
        else:
            fix = "Rename it: only such are read."
            found.append(warn(Area.CONFIGURATION, "run.metrics_file", f"{path.name} does not end in .prom", fix))
    return found


def _writable(key: str, path: Path) -> Finding:
    fix = f"Create the folder {path.parent}, and give the user that runs plexstedi write permission there."
    if not path.parent.is_dir():
        return warn(Area.CONFIGURATION, key, f"the folder {path.parent} does not exist", fix)
    if not os.access(path.parent, os.W_OK):
        return warn(Area.CONFIGURATION, key, f"this user may not write into {path.parent}", fix)
    return ok(Area.CONFIGURATION, key, str(path))
