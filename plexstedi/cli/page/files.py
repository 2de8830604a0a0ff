"""Write a page to its file: by a user's command, or at the end of a run."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from plexstedi.config.load import Config
from plexstedi.errors import PlexStediError, UsageFault
from plexstedi.sync.health import read_health

_PRIVATE = 0o640
_FOR_ALL = 0o644
"""A web server runs as another user."""


def write_page(file: Path, page: str) -> None:
    """Write the page atomically. Raise UsageFault if it cannot be written."""
    try:
        _replace(file, page, _PRIVATE)
    except OSError as error:
        raise UsageFault(
            f"the page {file} cannot be written: {error.strerror}", fix="Use a file in a folder that you can write to."
        ) from error


def write_run_page(config: Config, state: Path, now: datetime) -> PlexStediError | None:
    """Write the page of `run.html`, if it is set and there is a state; return why it could not be written.

    Raise PlexStediError if the state cannot be read, or belongs to another tenant.
    """
    if config.run.html is None:
        return None
    # Runs without a page load none of these.
    from plexstedi.cli.page.overview import overview_page
    from plexstedi.sync.report.overview import reading
    from plexstedi.sync.report.page import page_data

    file = config.file.parent / Path(config.run.html).expanduser()
    with reading(state) as store:
        if store is None:
            return None
        store.cursors.must_belong_to(config.tenant, config.stedi.usage_indicator)
        page = overview_page(page_data(store, config, read_health(store, state, config, now), now))
    try:
        _replace(file, page, _FOR_ALL)
    except OSError as error:
        return PlexStediError(
            f"the page {file} (run.html) cannot be written: {error.strerror}",
            fix="Create its folder, and give the user of the run write permission on it.",
            code="page",
        )
    return None


def _replace(file: Path, page: str, mode: int) -> None:
    """Replace the file by a new one of this mode; on an error the old one stays and no draft is left. Raise OSError."""
    # Few calls write a page.
    from tempfile import NamedTemporaryFile

    draft = None
    try:
        with NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, prefix=f".{file.name}.", delete=False) as made:
            draft = Path(made.name)
            made.write(page)
        draft.chmod(mode)
        draft.replace(file)
    except OSError:
        if draft is not None:
            draft.unlink(missing_ok=True)
        raise
