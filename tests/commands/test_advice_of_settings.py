"""What is said about the configuration, its secrets and the files around it works when it is done."""

from __future__ import annotations

import pytest

from plexstedi.sandbox.config_text import secrets
from tests.commands.advice import commands, follow, follow_shell
from tests.commands.test_advice_of_faults import refused
from tests.commands.test_write_datasource import answered, records_bench
from tests.edited_event import edit_event

OPTIONS = ("--api", "connect", "--tenant-id", "01234567-89ab-cdef-0123-456789abcdef", "--usage-indicator", "T")
OPTIONS += ("--company", "Acme", "--write", "report-only")


@pytest.fixture
def one(make_bench):
    """One order of one supplier."""
    return make_bench(orders=1, suppliers=1)


def problems(bench, *words, env=None) -> list[str]:
    """What each problem of a refused configuration says to do."""
    ran = bench.run(*words, "--json", env=env)
    assert ran.code == 4, ran.out
    return [problem["fix"] for problem in ran.json["error"]["problems"]]


def findings(bench, text: str) -> list[dict]:
    """What `check --offline` finds with these words in what it says to do."""
    found = bench.run("check", "--offline", "--json").json["findings"]
    return [finding for finding in found if text in (finding["fix"] or "")]


# Making a configuration


def test_beside_a_configuration_another_is_made_under_the_name_that_is_given(one):
    kept = one.config.read_text()
    other = one.place / "other.toml"
    made = follow(one, refused(one, "init", *OPTIONS, code=2), given={"FILE": str(other)}, also=OPTIONS)
    assert made.json["file"] == str(other)
    assert 'name = "Acme"' in other.read_text()
    assert one.config.read_text() == kept


def test_a_configuration_that_is_missing_is_made_by_the_command_that_is_named(one):
    one.config.unlink()
    (fix,) = problems(one, "poll")
    follow(one, fix, also=OPTIONS)
    assert one.run("check", "--offline").code == 0


def test_what_init_needs_without_a_terminal_is_explained_by_its_help(one):
    one.config.unlink()
    ran = one.run("init", "--json")
    assert ran.code == 2
    missing = ran.json["error"]["message"].partition("are missing: ")[2].split(", ")
    assert len(missing) > 3
    told = follow(one, ran.json["error"]["fix"], env={"COLUMNS": "200"}).out
    assert [option for option in missing if option not in told] == []
    assert one.run("init", *OPTIONS).code == 0


# The command line


def test_an_option_that_is_not_there_leads_to_those_that_are(one):
    told = follow(one, refused(one, "submit", "--everything", code=2))
    assert "--order" in told.out
    assert one.run("submit", "--dry-run").code == 0


def test_a_replay_of_nothing_named_leads_to_what_can_be_named(one):
    told = follow(one, refused(one, "replay", "--reason", "x", code=2))
    assert [word for word in ("NUMBER", "--ack", "--failed") if word not in told.out] == []


# Secrets in the configuration


def test_a_key_that_was_written_into_the_configuration_moves_to_the_keyring(one):
    env = {"PLEXSTEDI_STEDI_API_KEY": None}
    key = secrets(one.sandbox)["stedi-api-key"]
    one.write_config(lambda text: text.replace("[stedi]", f'[stedi]\napi_key = "{key}"'))
    (fix,) = problems(one, "run", env=env)
    one.write_config()
    follow(one, fix, given={"NAME": "stedi-api-key"}, stdin=key, env=env)
    assert one.run("run", "--json", env=env).json["counts"]["documents_sent"] == 1


def test_a_password_in_an_address_moves_to_the_keyring(make_bench):
    bench = records_bench(make_bench)
    env = {"PLEXSTEDI_PLEX_PASSWORD": None}
    password = secrets(bench.sandbox)["plex-password"]
    good, address = bench.config.read_text(), bench.sandbox.urls.datasource_url
    bench.config.write_text(good.replace(address, address.replace("://", f"://service:{password}@")))
    (fix,) = problems(bench, "run", env=env)
    bench.config.write_text(good)
    follow(bench, fix, given={"NAME": "plex-password"}, stdin=password, env=env)
    assert bench.run("check", env=env).code == 0


# Who may write


def test_files_that_others_can_write_are_closed_and_looked_at(one):
    one.config.chmod(0o666)
    ran = one.run("poll", "--json")
    for problem in ran.json["error"]["problems"]:
        follow_shell(problem["fix"])
    follow(one, ran.json["error"]["fix"])
    assert one.run("poll").code == 0


def test_a_folder_above_that_others_go_on_writing_to_is_made_safe(one):
    shared = one.place.parent
    shared.chmod(0o777)
    fixes = problems(one, "poll")
    assert len(fixes) == 1
    follow_shell(fixes[0][fixes[0].index(" If other users") :])
    assert one.run("poll").code == 0
    assert shared.stat().st_mode & 0o7777 == 0o1777


def test_a_group_that_may_write_is_kept_out_by_the_command_that_is_named(one):
    one.config.chmod(0o664)
    (finding,) = findings(one, "chmod g-w")
    assert finding["verdict"] == "warn"
    follow_shell(finding["fix"])
    assert findings(one, "chmod g-w") == []


# Alerts


def test_a_channel_that_was_missing_is_set_and_tried(one):
    (finding,) = findings(one, "notify --test")
    assert finding["verdict"] == "warn"
    told = one.place / "told"
    program = one.place / "tell"
    program.write_text(f"#!/bin/sh\ncat > '{told}'\n")
    program.chmod(0o755)
    one.write_config(lambda text: f'{text}\n[alerts]\ncommand = ["{program}"]\n')
    follow(one, finding["fix"])
    assert told.read_text()


# Plex


def test_a_token_of_another_plex_is_refused_until_the_address_is_right(make_bench):
    bench, other = (make_bench(orders=1, suppliers=1, dialect="oauth2") for _ in range(2))
    here, there = bench.sandbox.urls.plex_url, other.sandbox.urls.plex_url
    bench.write_config(lambda text: text.replace(f'base_url = "{here}"', f'base_url = "{there}"'))
    fix = refused(bench, "poll", code=4)
    assert "plex.base_url" in fix
    bench.write_config()
    follow(bench, fix)
    assert bench.run("poll").code == 0


def test_an_input_of_the_wrong_type_is_named_and_once_corrected_the_acknowledgment_is_written(make_bench):
    """`check` cannot find it, so it is not sent there."""
    bench = records_bench(make_bench)
    good = bench.config.read_text()
    bench.config.write_text(good.replace("Acknowledgement_Source_Key = 2", 'Acknowledgement_Source_Key = "two"'))
    ran = answered(bench)
    assert ran.code == 4
    assert "'Acknowledgement_Source_Key' is no int32" in ran.json["error"]["message"]
    assert "28809" in ran.json["error"]["fix"]
    assert commands(ran.json["error"]["fix"]) == []
    bench.config.write_text(good)
    bench.later(minutes=10)
    assert bench.run("run", "--json").json["counts"]["writes_made"] == 1


# The audit trail


def test_an_edited_trail_is_found_by_verify_and_is_whole_with_the_backup(one):
    one.run("run")
    backup = one.state.read_bytes()
    edit_event(one.state, 2, detail="no json")
    fix = refused(one, "audit", "export", code=7)
    verified = one.run(*commands(fix)[0], "--json")
    assert (verified.code, "event 2" in verified.json["error"]["message"]) == (7, True)
    one.state.write_bytes(backup)
    follow(one, fix)
    assert one.run("audit", "export").code == 0
