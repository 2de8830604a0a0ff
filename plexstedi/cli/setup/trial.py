"""Keys tried while `plexstedi init` asks: a wrong one is noticed where it was typed. No key is ever shown."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import typer

from plexstedi.cli.invocation import Invocation
from plexstedi.cli.render.terminal import fitted_to_stderr
from plexstedi.cli.setup.credentials import store_secret
from plexstedi.cli.setup.questions import Question, ask, one_of
from plexstedi.config.load import Config, load
from plexstedi.config.new import InitOptions, example_text, new_config
from plexstedi.errors import ConfigurationFault, CredentialsFault, ServiceRefused, ServiceUnavailable
from plexstedi.plain_text import visible
from plexstedi.secret_names import SecretName
from plexstedi.secret_text import SecretText

_Found = TypeVar("_Found")
_AGAIN, _ENTER, _COMPANY, _SKIP = "again", "enter", "company", "skip"
_NEXT = {
    _AGAIN: "try it again",
    _ENTER: "type the key again",
    _COMPANY: "name the company again",
    _SKIP: "continue without",
}


def provisional(answers: InitOptions) -> Config | None:
    """The configuration as far as it is known; None if it would be invalid, which writing it reports."""
    with TemporaryDirectory(prefix="plexstedi-") as folder:
        file = Path(folder) / "plexstedi.toml"
        file.write_text(new_config(example_text(), answers), encoding="utf-8")
        try:
            return load(file)
        except ConfigurationFault:
            return None


def offer(
    invocation: Invocation,
    secret: SecretName,
    call: Callable[[], _Found],
    *,
    asked: bool,
    name_company: Callable[[], None] | None = None,
) -> _Found | None:
    """Try a key on a terminal until it is accepted, or the user skips it: then None. `asked`: by an option already.

    `name_company`: asks again which company is meant; Plex refuses a key alike for another company.
    """
    if not asked and not typer.confirm(f"Try {secret} now?", default=True, err=True):
        return None
    wanted = not _is_set(invocation, secret)
    while True:
        try:
            if wanted and not _typed(invocation, secret):
                return None
            return call()
        except (CredentialsFault, ServiceRefused, ServiceUnavailable) as fault:
            tell(f"{fault.message}. {fault.fix}")
            refused = isinstance(fault, ServiceRefused)
        choice = ask(_next(with_company=refused and name_company is not None))
        if choice == _SKIP:
            return None
        if choice == _COMPANY and name_company is not None:
            name_company()
        wanted = choice == _ENTER


def _next(*, with_company: bool) -> Question:
    choices = tuple(each for each in _NEXT if with_company or each != _COMPANY)
    return Question("", " | ".join(f"{each} ({_NEXT[each]})" for each in choices), one_of(choices), default=_SKIP)


def tell(text: str) -> None:
    """A line among the prompts."""
    print(fitted_to_stderr(visible(text)), file=sys.stderr)


def _is_set(invocation: Invocation, secret: SecretName) -> bool:
    try:
        return invocation.secrets().source(secret) is not None
    except CredentialsFault:
        # It exists and cannot be used: trying it says why.
        return True


def _typed(invocation: Invocation, secret: SecretName) -> bool:
    """Store what is typed without echo; False if nothing is. Raise CredentialsFault."""
    value = str(
        typer.prompt(f"{secret} (hidden; empty: later)", default="", show_default=False, hide_input=True, err=True)
    )
    if not value.strip():
        return False
    stored = store_secret(invocation, secret, SecretText(value))
    tell(f"{secret} stored in {stored.where}")
    if stored.hidden_by is not None:
        tell(f"{secret} also comes from the {stored.hidden_by}, which has priority and is used")
    return True
