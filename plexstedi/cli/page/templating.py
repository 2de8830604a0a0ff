"""What all pages share: the templates with their filters, and the assets that are put into a page."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from plexstedi.cli.page.words import length, machine_time
from plexstedi.cli.render.sections import NOTHING, counted, day, instant, statuses, words
from plexstedi.plain_text import visible
from plexstedi.sync.report.lines import plain_quantity

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

FOLDER = Path(__file__).parent / "templates"
_NOTHING = "–"


def environment() -> jinja2.Environment:
    """The templates, with their filters."""
    # Only pages need it (CHOICES.md 2).
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
        auto_reload=False,
    )
    environment.filters |= {
        "instant": instant,
        "day": day,
        "quantity": plain_quantity,
        "length": length,
        "machine": machine_time,
        "ticked": _ticked,
        "capital": _capital,
        "words": words,
        "counted": counted,
        "statuses": statuses,
    }
    return environment


def _shown(value: object) -> object:
    """Every text of the page: no invisible characters. Assets are marked safe and stay as they are."""
    if type(value) is not str:
        return value
    return _NOTHING if value == NOTHING else visible(value)


def _ticked(text: str) -> Markup:
    """Escaped text; words in backticks become code."""
    from markupsafe import Markup, escape

    parts = (escape(visible(part)) for part in text.split("`"))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else part for index, part in enumerate(parts)
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def asset(name: str) -> Markup:
    """A file of the templates' folder, put into the page as it is."""
    from markupsafe import Markup

    return Markup(FOLDER.joinpath(name).read_text(encoding="utf-8"))


def policy_hash(text: str) -> str:
    """For the page's own content security policy: nothing else may run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
