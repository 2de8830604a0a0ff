"""`plexstedi init`: create a first configuration interactively."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from plexstedi.cli.invocation import Invocation, finish, of
from plexstedi.cli.options import Json
from plexstedi.cli.render.terminal import say
from plexstedi.cli.result.outcome import Outcome
from plexstedi.cli.setup.guided import PLEX_SECRETS, Guided
from plexstedi.cli.setup.questions import (
    KeptAnswers,
    Question,
    address,
    any_text,
    ask,
    code,
    one_of,
    tenant,
    whole_number,
)
from plexstedi.cli.setup.questions import timezone as timezone_of_plant
from plexstedi.cli.setup.suppliers import CHOSEN, suppliers_of
from plexstedi.config.datasource_tables import ACCOUNT_APIS
from plexstedi.config.load import default_config_path, load
from plexstedi.config.machine_tables import RunConfig
from plexstedi.config.new import InitOptions, example_text, missing_options, new_config
from plexstedi.config.source_text import tables_to_write
from plexstedi.config.tables import PlexApi, WriteBack
from plexstedi.errors import ConfigurationFault, UsageFault
from plexstedi.ownership import is_there
from plexstedi.secret_names import SecretName

_APIS = (PlexApi.CONNECT, PlexApi.OAUTH2, PlexApi.DATASOURCE, PlexApi.SOAP)
_WRITES = (WriteBack.CUSTOM_FIELDS, WriteBack.RELEASES, WriteBack.REPORT_ONLY)
_TEXTS = {
    "--api": f"Which Plex interface: {' | '.join(_APIS)}",
    "--tenant-id": "The tenant's UUID, from the Plex developer portal",
    "--base-url": "The https address of your Plex",
    "--token-url": "The token address",
    "--client-id": "The client id of this application at Plex",
    "--username": "The web service account",
    "--company-code": "The company code (PCN) that the web service account must belong to",
    "--usage-indicator": "Documents are T (test) or P (production); Stedi delivers both to suppliers",
    "--company": "Your company's name on each document",
    "--write": f"How acknowledgments are written to Plex: {' | '.join(_WRITES)}",
    "--timezone": "The plant's time zone, like America/Detroit: a date in Plex is a date there",
    "--every-minutes": "How often cron or the timer calls `plexstedi run`, in minutes",
    "--supplier": "Write a [suppliers.CODE] table for this supplier in Plex",
    "--try-keys": "Make one read with each key; a refused one ends with 4 and no file is written. A terminal offers it",
    "--key-rotation-days": "After how many days the Stedi key is replaced",
}
_MOST_DAYS = 3650
_USUAL_DAYS = 90
_MOST_MINUTES = 7 * 24 * 60
_CHOICES: dict[str, tuple[str, ...]] = {"--api": _APIS, "--usage-indicator": ("P", "T"), "--write": _WRITES}
_QUESTIONS = {
    question.option: question
    for question in (
        Question("--api", _TEXTS["--api"], one_of(_APIS), default=PlexApi.CONNECT.value),
        Question("--base-url", _TEXTS["--base-url"], address, example="https://plex.example.com/api"),
        Question("--token-url", _TEXTS["--token-url"], address, example="https://accounts.plex.com/oauth2/token"),
        Question("--client-id", _TEXTS["--client-id"], code, example="plexstedi"),
        Question("--username", _TEXTS["--username"], code, example="plexstedi.ws@acme"),
        Question("--company-code", _TEXTS["--company-code"], code, example="123456"),
        Question("--tenant-id", _TEXTS["--tenant-id"], tenant, example="01234567-89ab-cdef-0123-456789abcdef"),
        Question("--timezone", _TEXTS["--timezone"], timezone_of_plant, optional=True),
        Question("--company", _TEXTS["--company"], any_text, example="Acme Inc"),
        Question("--usage-indicator", _TEXTS["--usage-indicator"], one_of(("P", "T")), default="T"),
        Question("--write", _TEXTS["--write"], one_of(_WRITES), default=WriteBack.REPORT_ONLY.value),
        Question(
            "--every-minutes",
            _TEXTS["--every-minutes"],
            whole_number(_MOST_MINUTES),
            default=str(RunConfig().every_minutes),
        ),
        Question(
            "--key-rotation-days", _TEXTS["--key-rotation-days"], whole_number(_MOST_DAYS), default=str(_USUAL_DAYS)
        ),
    )
}
"""In the order of the prompts: Plex, the company, the documents, the machine."""
_LAST_OF_PLEX = "--timezone"
_ALWAYS_ASKED = ("--timezone", "--every-minutes", "--key-rotation-days")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        "init",
        epilog="Example: plexstedi init --api connect --tenant-id 01234567-89ab-cdef-0123-456789abcdef"
        " --usage-indicator T --company 'Acme Inc' --write report-only",
    )
    def command(
        context: typer.Context,
        api: Annotated[str | None, typer.Option("--api", metavar="NAME", help=_TEXTS["--api"])] = None,
        base_url: Annotated[
            str | None, typer.Option("--base-url", metavar="URL", help=f"{_TEXTS['--base-url']} (all but connect).")
        ] = None,
        tenant_id: Annotated[
            str | None, typer.Option("--tenant-id", metavar="UUID", help=f"{_TEXTS['--tenant-id']} (connect).")
        ] = None,
        tenant_code: Annotated[
            str | None,
            typer.Option("--tenant-code", metavar="CODE", help="The company code (PCN) that the tenant must have."),
        ] = None,
        token_url: Annotated[
            str | None, typer.Option("--token-url", metavar="URL", help=f"{_TEXTS['--token-url']} (oauth2).")
        ] = None,
        client_id: Annotated[
            str | None, typer.Option("--client-id", metavar="ID", help=f"{_TEXTS['--client-id']} (oauth2).")
        ] = None,
        username: Annotated[
            str | None, typer.Option("--username", metavar="NAME", help=f"{_TEXTS['--username']} (datasource, soap).")
        ] = None,
        company_code: Annotated[
            str | None,
            typer.Option("--company-code", metavar="CODE", help=f"{_TEXTS['--company-code']} (datasource, soap)."),
        ] = None,
        from_plex: Annotated[
            bool,
            typer.Option(
                "--from-plex",
                help="Choose inputs and columns of [plex.datasources] among those that your Plex has (datasource); "
                "each is marked for confirmation. The secret plex-password must be stored.",
            ),
        ] = False,
        usage: Annotated[
            str | None, typer.Option("--usage-indicator", metavar="P|T", help=_TEXTS["--usage-indicator"])
        ] = None,
        company: Annotated[str | None, typer.Option("--company", metavar="NAME", help=_TEXTS["--company"])] = None,
        write: Annotated[str | None, typer.Option("--write", metavar="HOW", help=_TEXTS["--write"])] = None,
        timezone: Annotated[
            str | None, typer.Option("--timezone", metavar="ZONE", help=f"{_TEXTS['--timezone']}.")
        ] = None,
        every_minutes: Annotated[
            int | None,
            typer.Option(
                "--every-minutes",
                metavar="N",
                min=1,
                max=_MOST_MINUTES,
                help=f"{_TEXTS['--every-minutes']}; without it 60.",
            ),
        ] = None,
        key_rotation_days: Annotated[
            int | None,
            typer.Option(
                "--key-rotation-days",
                metavar="N",
                min=1,
                max=_MOST_DAYS,
                help=f"{_TEXTS['--key-rotation-days']}; without it 90.",
            ),
        ] = None,
        supplier: Annotated[
            list[str] | None,
            typer.Option("--supplier", metavar="CODE", help=f"{_TEXTS['--supplier']}; may be repeated."),
        ] = None,
        try_keys: Annotated[bool, typer.Option("--try-keys", help=_TEXTS["--try-keys"])] = False,
        json: Json = False,
    ) -> None:
        """Ask questions and write a commented configuration. Never overwrites; options given are not asked."""
        invocation = of(context)
        file = invocation.config_path or default_config_path(os.environ)
        if is_there(file):
            raise _there(file)
        given = {
            "--api": api,
            "--base-url": base_url,
            "--tenant-id": tenant_id,
            "--token-url": token_url,
            "--client-id": client_id,
            "--username": username,
            "--company-code": company_code,
            "--usage-indicator": usage,
            "--company": company,
            "--write": write,
            "--timezone": timezone,
            "--every-minutes": None if every_minutes is None else str(every_minutes),
            "--key-rotation-days": None if key_rotation_days is None else str(key_rotation_days),
        }
        work = Guided(
            invocation,
            KeptAnswers(file),
            given,
            _QUESTIONS,
            tenant_code,
            try_keys=try_keys,
            suppliers=suppliers_of(",".join(supplier or ())),
        )
        _complete(work)
        if from_plex and given["--api"] != PlexApi.DATASOURCE:
            raise UsageFault(
                f"--from-plex reads the names of data sources, which --api {given['--api']} does not have",
                fix="Omit --from-plex, or use --api datasource.",
            )
        answers = work.answers()
        _create(file, new_config(example_text(), answers))
        with _no_file_after_a_fault(file):
            if from_plex:
                _fill_from_plex(invocation, file, answers)
            if try_keys and not work.on_a_terminal:
                work.try_without_questions(load(file))
        work.kept.discard()
        outcome = Outcome(command="init")
        outcome.data |= {"file": str(file), "tenant": work.tenant, "accepted": work.accepted}
        outcome.data["suppliers"] = [each.code for each in answers.suppliers]
        outcome.show = lambda: _show(file, answers, work.accepted)
        finish(invocation, outcome, as_json=json)


def _there(file: Path) -> UsageFault:
    return UsageFault(
        f"{file} already exists; init never overwrites",
        fix="Edit it, or name another file: `plexstedi --config FILE init`.",
        code="file-exists",
    )


def _complete(work: Guided) -> None:
    """Ask on a terminal for the values that are missing.

    Raise UsageFault for an invalid option, or if a value is missing and there is no terminal.
    """
    given, kept = work.given, work.kept
    _check_choices(given)
    if not work.on_a_terminal:
        missing = missing_options(given, work.api)
        if missing:
            raise UsageFault(
                f"there is no terminal for questions, and these options are missing: {', '.join(missing)}",
                fix="Add them; `plexstedi init --help` describes them.",
            )
        return
    kept.load({**_QUESTIONS, CHOSEN.option: CHOSEN})
    if kept.answers:
        print(f"Continuing with the values in {kept.file}; delete it to start over.", file=sys.stderr)
    for option, question in _QUESTIONS.items():
        if given[option] is None and _is_needed(option, work):
            _answer(question, given, kept)
        if option == _LAST_OF_PLEX:
            work.look_at_plex()
    work.look_at_stedi()


def _answer(question: Question, given: dict[str, str | None], kept: KeptAnswers) -> None:
    option = question.option
    if option in kept.answers:
        print(f"{question.text}: {kept.answers[option] or '(not set)'}", file=sys.stderr)
        given[option] = kept.answers[option]
        return
    given[option] = ask(question)
    kept.keep(option, given[option] or "")


def _is_needed(option: str, work: Guided) -> bool:
    return option in _ALWAYS_ASKED or option in missing_options(work.given, work.api)


def _check_choices(given: dict[str, str | None]) -> None:
    for option, choices in _CHOICES.items():
        value = given[option]
        if value is not None and value not in choices:
            raise UsageFault(f"{option} {value} is not one of {', '.join(choices)}", fix=f"{_TEXTS[option]}.")


def _create(file: Path, text: str) -> None:
    """Write the file, unless it exists or would be invalid. Raise UsageFault, ConfigurationFault."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        opened = file.open("x", encoding="utf-8")
    except FileExistsError:
        raise _there(file) from None
    except OSError as error:
        raise _not_written(file, error) from error
    try:
        with opened:
            opened.write(text)
    except OSError as error:
        file.unlink(missing_ok=True)
        raise _not_written(file, error) from error
    try:
        load(file)
    except ConfigurationFault as fault:
        file.unlink()
        fault.fix = "Correct it, then repeat this command; no file was written."
        raise


@contextmanager
def _no_file_after_a_fault(file: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def _fill_from_plex(invocation: Invocation, file: Path, answers: InitOptions) -> None:
    """Write the file again, with the names that Plex has. Raise PlexStediError."""
    # Load httpx only if Plex is called.
    from plexstedi.sync.source_names import names_in_plex

    tables = tables_to_write(write=answers.write)
    live = names_in_plex(invocation.config(), invocation.secrets(), invocation.clock, tables)
    file.unlink()
    _create(file, new_config(example_text(), answers, live))


def _not_written(file: Path, error: OSError) -> UsageFault:
    return UsageFault(
        f"{file} cannot be written: {error.strerror}",
        fix="Use a file that you can write, on a disk with free space: --config FILE.",
    )


def _show(file: Path, answers: InitOptions, accepted: Sequence[str]) -> None:
    print(f"Written: {file}")
    print("Next:")
    for secret in (PLEX_SECRETS[answers.api], SecretName.STEDI_API_KEY):
        if secret not in accepted:
            print(f"  plexstedi credentials set {secret}")
    if answers.api in ACCOUNT_APIS:
        say('compare each name marked "# confirm" in [plex.datasources] with your Plex', indent="  ", hanging="    ")
    if answers.suppliers:
        say('complete the [suppliers.CODE] tables: each "# fill in"', indent="  ", hanging="    ")
    else:
        say("add a [suppliers.CODE] table for each supplier; the file has an example", indent="  ", hanging="    ")
    print("  plexstedi check")
