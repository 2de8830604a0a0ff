"""`plexstedi credentials`: secrets are read from a hidden prompt or stdin, never from an argument, and never shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, NoReturn

import typer

from plexstedi.cli.completion import secrets
from plexstedi.cli.invocation import Invocation, finish, of
from plexstedi.cli.options import Json
from plexstedi.cli.render.tables import plain, print_table
from plexstedi.cli.render.terminal import say
from plexstedi.cli.result.outcome import Outcome
from plexstedi.cli.result.things import CredentialJson
from plexstedi.cli.result.values import stamp
from plexstedi.cli.work import LOCK_WAIT_SECONDS, work
from plexstedi.credentials.secrets import ListedSecret, Stored
from plexstedi.errors import ConfigurationFault, PlexStediError, UntrustedFile, UsageFault
from plexstedi.ownership import is_there
from plexstedi.secret_names import SecretName
from plexstedi.secret_text import SecretText
from plexstedi.state.file.lock import RunLock, lock_path
from plexstedi.sync.keys.advice import key_due, replacement_commands
from plexstedi.sync.keys.record import refused_key
from plexstedi.sync.report.check_key import stored_record
from plexstedi.sync.session import Session

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", autocompletion=secrets, help=f"One of: {', '.join(SecretName)}.", show_default=False
    ),
]


class Rotated(StrEnum):
    """The keys that can be rotated."""

    STEDI = "stedi"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    credentials = typer.Typer(help="Manage secrets of Plex and Stedi.", no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(credentials, name="credentials", epilog="Example: plexstedi credentials set stedi-api-key")
    credentials.command("set", epilog="Example: plexstedi credentials set stedi-api-key < key.txt")(_set)
    credentials.command("list", epilog="Example: plexstedi credentials list --json")(_list)
    credentials.command("delete", epilog="Example: plexstedi credentials delete plex-password")(_delete)
    credentials.command(
        "rotate",
        short_help="Replace the Stedi key, without an outage.",
        epilog="Example: plexstedi credentials rotate stedi",
    )(_rotate)


def _set(
    context: typer.Context,
    name: Name,
    value_given: Annotated[list[str] | None, typer.Argument(hidden=True, metavar="")] = None,
    json: Json = False,
) -> None:
    """Store a secret in the keyring. The value is typed without echo or read from stdin."""
    invocation, secret = of(context), _name(name)
    if value_given:
        raise UsageFault(
            "never pass a secret as an argument: other users and the shell history can see it",
            fix=f"Renew it, then run `plexstedi credentials set {secret}` and type it when asked.",
        )
    value = _value(secret)
    stored = store_secret(invocation, secret, value)
    outcome = Outcome(command="credentials set")
    outcome.data |= {"name": secret.value, "stored_in": stored.where}
    if stored.hidden_by is not None:
        outcome.warnings.append(f"{secret} also comes from the {stored.hidden_by}, which has priority and is used")
    outcome.show = lambda: say(f"{secret} stored in {plain(stored.where)}")
    finish(invocation, outcome, as_json=json)


def store_secret(invocation: Invocation, name: SecretName, value: SecretText) -> Stored:
    """Store a secret in the keyring while no run is working. Raise CredentialsFault, LockHeld."""
    with _no_run(invocation):
        return invocation.secrets().set(name, value)


def _value(name: SecretName) -> SecretText:
    if sys.stdin.isatty():
        return SecretText(str(typer.prompt(f"{name}", hide_input=True, err=True)))
    value = sys.stdin.read()
    if not value.strip():
        raise UsageFault(
            f"no value for {name}: stdin is empty",
            fix=f"Run it on a terminal, or give the value on stdin: `plexstedi credentials set {name}` < FILE",
        )
    return SecretText(value)


def _list(context: typer.Context, json: Json = False) -> None:
    """Show where each secret comes from; never a value."""
    invocation = of(context)
    listed = invocation.secrets().list()
    outcome = Outcome(command="credentials list")
    outcome.data["credentials"] = [CredentialJson.of(entry) for entry in listed]
    outcome.warnings += [f"{e.problem.message}. {e.problem.fix}" for e in listed if e.problem is not None]
    outcome.warnings += _due(invocation)
    rows = [(e.name, _where(e), "-" if e.set_at is None else stamp(e.set_at)) for e in listed]
    outcome.show = lambda: print_table(("name", "comes from", "set at"), rows)
    finish(invocation, outcome, as_json=json)


def _due(invocation: Invocation) -> list[str]:
    """That the Stedi key is due or refused, as the last run recorded it; without a readable state, nothing."""
    record = None
    with suppress(PlexStediError):
        record = stored_record(invocation.state())
    if record is None:
        return []
    due = key_due(record, invocation.config_if_readable(), invocation.clock.now())
    notices = [] if due is None or due.notice is None else [due.notice]
    if record.substitute is not None:
        fault = refused_key(record)
        notices.append(f"{fault.message}. {fault.fix}")
    return notices


def _where(entry: ListedSecret) -> str:
    if entry.problem is not None:
        return "cannot be used"
    return "not set" if entry.source is None else str(entry.source)


def _delete(context: typer.Context, name: Name, json: Json = False) -> None:
    """Remove a secret from the keyring."""
    invocation, secret = of(context), _name(name)
    with _no_run(invocation):
        invocation.secrets().delete(secret)
    outcome = Outcome(command="credentials delete")
    outcome.data["name"] = secret.value
    outcome.show = lambda: say(f"{secret} removed from the keyring")
    finish(invocation, outcome, as_json=json)


def _rotate(
    context: typer.Context,
    what: Annotated[Rotated, typer.Argument(help="Whose key.", show_default=False)],
    print_command: Annotated[
        bool, typer.Option("--print-command", help="Only show the commands that replace the key where it is stored.")
    ] = False,
    json: Json = False,
) -> None:
    """Replace the Stedi key with stedi-api-key-next, or with a new key if stedi.api_keys_url is set.

    The new key is first proved by a call to Stedi. The old one is kept as stedi-api-key-previous until a run has
    succeeded with the new one; `plexstedi run` then removes it.
    """
    if print_command:
        _print_command(of(context), what, as_json=json)
    # Load httpx only if a service is called.
    from plexstedi.sync.keys.rotation import rotate_now

    secrets = of(context).secrets()

    def body(session: Session, outcome: Outcome) -> None:
        replaced = rotate_now(session, secrets)
        outcome.data |= {"rotated": what.value if replaced else None}
        outcome.show = lambda: say(
            f"Stedi accepts the new key; it is {SecretName.STEDI_API_KEY} from now on. Delete the old key in the"
            " Stedi portal after the next run, unless plexstedi created it: then that run deletes it."
            if replaced
            else "alerts.rotate_command was given a new key. The next run reports whether it is in use."
        )

    work(context, "credentials rotate", body, as_json=json, by_user=True)


def _print_command(invocation: Invocation, what: Rotated, *, as_json: bool) -> NoReturn:
    """The commands for the place where the key comes from now."""
    lines = replacement_commands(invocation.secrets().source(SecretName.STEDI_API_KEY))
    outcome = Outcome(command="credentials rotate")
    outcome.data |= {"rotated": None, "commands": lines}
    outcome.show = lambda: print("\n".join(lines))
    finish(invocation, outcome, as_json=as_json)


def _name(given: str) -> SecretName:
    if given in set(SecretName):
        return SecretName(given)
    near = get_close_matches(given.lower(), list(SecretName), n=1)
    # A name unlike any known one may be the secret itself: do not repeat it.
    raise UsageFault(
        f"{given} is not the name of a secret" if near else "that is not the name of a secret",
        fix=f"Did you mean {near[0]}?" if near else f"Choose one of: {', '.join(SecretName)}.",
    )


@contextmanager
def _no_run(invocation: Invocation) -> Iterator[None]:
    """Hold the lock, so that no run sees a key change midway. Raise LockHeld after 30 s.

    If there was never a run, there is nothing to wait for, and no lock file is created.
    """
    try:
        state = invocation.state()
    except UntrustedFile:
        raise
    except ConfigurationFault:
        yield
        return
    if not is_there(lock_path(state)):
        yield
        return
    with RunLock(
        state,
        command="plexstedi credentials",
        now=invocation.clock.now,
        wait_seconds=LOCK_WAIT_SECONDS,
        sleep=invocation.clock.sleep,
    ):
        yield
