"""The progress of long work, on a terminal only: a bar with rate and time left, which is gone at the end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from plexstedi.cli.render.streams import ours
from plexstedi.plain_text import one_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_WORTH_A_BAR = 5
"""Fewer steps are done before a bar could be read."""
_REDRAW_SECONDS = 0.1


def progress_reporter(*, enabled: bool) -> Callable[[str, int, int], None]:
    """A function called with stage, done and total; off a terminal it does nothing."""
    if not (enabled and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"):
        return lambda stage, done, total: None
    return _Bar()


class _Bar:
    """One bar at a time; drawn when called, without a thread of its own."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._stage = ""
        self._drawn = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self._stage != stage:
            self._end()
        if done >= total:
            self._end()
            return
        if self._progress is None and total < _WORTH_A_BAR:
            return
        if self._progress is None:
            self._begin(stage)
        assert self._progress is not None
        assert self._task is not None
        self._progress.update(self._task, completed=done, total=total)
        now = time.monotonic()
        if now - self._drawn >= _REDRAW_SECONDS:
            self._drawn = now
            self._progress.refresh()

    def _begin(self, stage: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
        from rich.progress import TimeRemainingColumn as TimeLeft
        from rich.text import Text

        class Rate(ProgressColumn):
            """Steps a minute: Plex and Stedi limit calls by the minute."""

            def render(self, task: Task) -> Text:
                speed = task.finished_speed or task.speed
                return Text("" if speed is None else f"{speed * 60:.0f}/min")

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            Rate(),
            TimeLeft(compact=True),
            TextColumn("left", markup=False),
            console=Console(file=ours(sys.stderr)),
            auto_refresh=False,
            transient=True,
        )
        self._stage = stage
        self._task = self._progress.add_task(one_line(stage), total=None)
        self._progress.start()

    def _end(self) -> None:
        if self._progress is not None:
            self._progress.stop()
        self._progress, self._task, self._stage = None, None, ""
