"""The part of `check` about the metrics file."""

from __future__ import annotations

import os

from plexstedi.config.load import Config
from plexstedi.sync.report.check import Area, Finding, ok, warn
from plexstedi.sync.report.metrics import metrics_path


def check_metrics(config: Config) -> list[Finding]:
    """Whether the metrics file can be written, as far as can be seen now."""
    given, subject = config.run.metrics_file, "run.metrics_file"
    if given is None:
        return []
    path = metrics_path(config, given)
    fix = f"Create the folder {path.parent}, and give the user that runs plexstedi write permission there."
    if not path.parent.is_dir():
        return [warn(Area.CONFIGURATION, subject, f"the folder {path.parent} does not exist", fix)]
    if not os.access(path.parent, os.W_OK):
        return [warn(Area.CONFIGURATION, subject, f"this user may not write into {path.parent}", fix)]
    if path.suffix != ".prom":
        return [
            warn(Area.CONFIGURATION, subject, f"{path.name} does not end in .prom", "Rename it: only such are read.")
        ]
    return [ok(Area.CONFIGURATION, subject, str(path))]
