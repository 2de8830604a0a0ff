"""`init` gives a first configuration that is valid, holds nothing made up, and costs nobody an existing one."""

from __future__ import annotations

import stat
import tomllib

import pytest
from msgspec.structs import asdict

from plexstedi.config.load import load
from plexstedi.config.new import InitOptions, example_text, new_config
from plexstedi.config.tables import PlexApi, WriteBack
from tests.commands.driver import limit_file_size
from tests.forked import run_forked

from .conftest import TENANT, Cli

GIVEN = ("--api", "connect", "--tenant-id", TENANT, "--usage-indicator", "T", "--company", 'Acme "& Sons"')


def test_the_written_file_is_valid_and_says_what_was_answered(cli: Cli) -> None:
    file = cli.home / "new" / "plexstedi.toml"
    more = ("--tenant-code", "PCN 7", "--write", "custom-fields", "--every-minutes", "10")
    ran = cli.bare("--config", str(file), "init", *GIVEN, *more)
    assert (ran.code, ran.err) == (0, "")
    config = load(file)
    assert config.run.every_minutes == 10
    assert config.plex.tenant_id == TENANT
    assert config.plex.tenant_code == "PCN 7"
    assert config.stedi.usage_indicator == "T"
    assert config.company.name == 'Acme "& Sons"'
    assert config.plex.acknowledgments.write is WriteBack.CUSTOM_FIELDS


def test_nothing_made_up_can_reach_a_document(cli: Cli) -> None:
    """The example's address and supplier are there to read; in force they would go out on real orders."""
    file = cli.home / "new.toml"
    cli.bare("--config", str(file), "init", *GIVEN, "--write", "report-only")
    config = load(file)
    assert dict(config.suppliers) == {}
    assert {key: value for key, value in asdict(config.company).items() if value} == {"name": 'Acme "& Sons"'}
    assert config.plex.tenant_code is None
    text = file.read_text()
    assert config.run.every_minutes == 60, "nobody said how often; the key stays a comment"
    assert "#every_minutes = 60" in text
    assert "#[suppliers.ACME01]" in text, "the example supplier is kept as a comment to copy from"
    assert "# P = production, T = test" in text, "the comments are kept"


def test_oauth2_asks_for_what_it_needs(cli: Cli) -> None:
    file = cli.home / "new.toml"
    given = [GIVEN[0], "oauth2", *GIVEN[4:], "--write", "report-only"]
    lacking = cli.bare("--config", str(file), "init", *given)
    assert lacking.code == 2
    assert "--base-url, --token-url, --client-id" in lacking.err
    urls = ("--base-url", "https://p.example", "--token-url", "https://a.example/token", "--client-id", "us")
    assert cli.bare("--config", str(file), "init", *given, *urls).code == 0
    assert load(file).plex.auth.token_url == "https://a.example/token"


def test_an_existing_file_is_never_overwritten(cli: Cli) -> None:
    before = cli.config.read_text()
    ran = cli.bare("--config", str(cli.config), "init", *GIVEN, "--write", "report-only", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (2, "file-exists")
    assert cli.config.read_text() == before


def test_without_a_terminal_and_without_options_it_says_which_are_needed(cli: Cli) -> None:
    ran = cli.bare("--config", str(cli.home / "new.toml"), "init")
    assert ran.code == 2
    for option in ("--api", "--tenant-id", "--usage-indicator", "--company", "--write"):
        assert option in ran.err
    assert not (cli.home / "new.toml").exists()


def test_an_answer_that_cannot_be_leaves_no_file_behind(cli: Cli) -> None:
    file = cli.home / "new.toml"
    bad_id = cli.bare("--config", str(file), "init", *GIVEN[:3], "1234", *GIVEN[4:], "--write", "report-only")
    assert (bad_id.code, "UUID" in bad_id.err) == (4, True)
    # There is no file that `check` could read.
    assert ("check --offline" in bad_id.err, "no file was written" in bad_id.err) == (False, True)
    bad_interval = cli.bare("--config", str(file), "init", *GIVEN, "--write", "report-only", "--every-minutes", "0")
    assert bad_interval.code == 2
    bad_write = cli.bare("--config", str(file), "init", *GIVEN, "--write", "telepathy")
    assert (bad_write.code, "custom-fields" in bad_write.err) == (2, True)
    assert not file.exists()


def test_a_full_disk_leaves_no_half_configuration(cli: Cli) -> None:
    file = cli.home / "new.toml"
    command = ("--config", str(file), "init", *GIVEN, "--write", "report-only")
    full = run_forked(command, environment=cli.environment(), before=lambda: limit_file_size("2000"))
    assert (full.code, "cannot be written" in full.err) == (2, True)
    assert not file.exists()
    assert cli.bare(*command).code == 0


def test_a_person_is_asked_what_was_not_given(cli: Cli) -> None:
    file = cli.home / "asked.toml"
    ran = cli.on_a_terminal(
        *("--config", str(file), "init", "--company", "Acme"),
        answers=[
            *("ftp", "connect", "1234", TENANT, "Detroit", "America/Detroit", "n"),
            *("", "", "0", "5", "never", "45", "n"),
        ],
    )
    assert ran.code == 0, ran.out
    assert load(file).run.every_minutes == 5
    assert load(file).stedi.key_rotation_days == 45
    assert load(file).plex.timezone == "America/Detroit"
    assert "Detroit is not a time zone. Write an IANA name: America/Detroit." in ran.out
    assert "Enter one of: connect, oauth2" in ran.out
    assert "UUID" in ran.out, "an answer that cannot be is told at once, not at the end"
    assert (load(file).stedi.usage_indicator, load(file).plex.acknowledgments.write) == ("T", WriteBack.REPORT_ONLY)
    assert not file.with_name("asked.toml.answers").exists()
    assert load(file).plex.tenant_id == TENANT
    assert not stat.S_IMODE(file.stat().st_mode) & 0o022


def test_a_stopped_set_up_continues_where_it_was(cli: Cli) -> None:
    file = cli.home / "asked.toml"
    command = ("--config", str(file), "init", "--company", "Acme")
    stopped = cli.on_a_terminal(*command, answers=["connect", TENANT, "\x04"])
    assert stopped.code == 130
    assert not file.exists()
    kept = file.with_name("asked.toml.answers")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    ran = cli.on_a_terminal(*command, answers=["", "n", "", "", "", "", "n"])
    assert ran.code == 0, ran.out
    assert "Continuing with the values" in ran.out
    assert load(file).plex.tenant_id == TENANT
    assert not kept.exists()


@pytest.mark.parametrize("write", [WriteBack.CUSTOM_FIELDS, WriteBack.RELEASES, WriteBack.REPORT_ONLY])
@pytest.mark.parametrize("api", [PlexApi.CONNECT, PlexApi.OAUTH2])
def test_every_combination_of_answers_is_toml_with_exactly_these_answers(api: PlexApi, write: WriteBack) -> None:
    answers = InitOptions(
        api, "https://p.example", TENANT, "X", "https://t.example", "us", "P", "Müller's \\ Co", write, every_minutes=15
    )
    made = tomllib.loads(new_config(example_text(), answers))
    assert made["plex"]["acknowledgments"]["write"] == write.value
    assert made["run"] == {"every_minutes": 15}
    assert made["company"] == {"name": "Müller's \\ Co"}
    assert "suppliers" not in made
    assert bool(made["plex"]["acknowledgments"]["fields"]) is (write is WriteBack.CUSTOM_FIELDS)
