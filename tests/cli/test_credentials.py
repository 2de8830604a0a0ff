"""Secrets go in unseen and never come out; the commands say where they are, and nothing more."""

from __future__ import annotations

from .conftest import Cli

SECRET = "live_k3y.DoNotShowThis"


def test_a_secret_from_stdin_is_kept_and_listed_but_never_shown(cli: Cli) -> None:
    stored = cli.run("credentials", "set", "stedi-api-key", stdin=f"{SECRET}\n")
    listed = cli.run("credentials", "list", "--json")
    text = cli.run("credentials", "list")
    assert (stored.code, listed.code, text.code) == (0, 0, 0)
    for ran in (stored, listed, text):
        assert SECRET not in ran.out + ran.err
    entry = {e["name"]: e for e in listed.json["credentials"]}
    assert entry["stedi-api-key"]["source"] is not None
    assert entry["stedi-api-key"]["set_at"] is not None
    assert entry["plex-api-key"]["source"] is None


def test_a_user_types_it_without_seeing_it(cli: Cli) -> None:
    ran = cli.on_a_terminal("credentials", "set", "plex-api-key", answers=[SECRET])
    assert ran.code == 0, ran.out
    assert SECRET not in ran.out
    listed = cli.run("credentials", "list", "--json").json["credentials"]
    assert next(e for e in listed if e["name"] == "plex-api-key")["source"] is not None


def test_a_secret_on_the_command_line_is_refused_and_not_repeated(cli: Cli) -> None:
    given = cli.run("credentials", "set", "stedi-api-key", SECRET, "--json")
    as_name = cli.run("credentials", "set", SECRET, stdin="x")
    for ran in (given, as_name):
        assert ran.code == 2
        assert SECRET not in ran.out + ran.err
    listed = cli.run("credentials", "list", "--json").json["credentials"]
    assert all(entry["source"] is None for entry in listed)


def test_a_mistyped_name_names_the_right_one(cli: Cli) -> None:
    ran = cli.run("credentials", "set", "stedi-key", stdin="x")
    assert (ran.code, "stedi-api-key" in ran.err) == (2, True)


def test_an_empty_stdin_stores_nothing(cli: Cli) -> None:
    assert cli.run("credentials", "set", "stedi-api-key", stdin="\n").code == 2
    assert cli.run("credentials", "list", "--json").json["credentials"][3]["source"] is None


def test_a_variable_that_hides_the_stored_secret_is_reported(cli: Cli) -> None:
    """Who renews a key and still gets 403 would search long."""
    ran = cli.run("credentials", "set", "stedi-api-key", stdin=SECRET, PLEXSTEDI_STEDI_API_KEY="old")
    assert ran.code == 0
    assert "PLEXSTEDI_STEDI_API_KEY" in ran.err


def test_delete_removes_it_and_says_when_there_is_nothing(cli: Cli) -> None:
    cli.run("credentials", "set", "plex-password", stdin=SECRET)
    assert cli.run("credentials", "delete", "plex-password").code == 0
    again = cli.run("credentials", "delete", "plex-password")
    assert (again.code, "plex-password" in again.err) == (4, True)


def test_rotate_needs_the_next_key_first(cli: Cli) -> None:
    ran = cli.run("credentials", "rotate", "stedi", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (4, "credentials")
    assert "stedi-api-key-next" in ran.json["error"]["fix"]


def test_a_next_key_that_stedi_does_not_take_leaves_the_current_one(cli: Cli) -> None:
    """Stedi is not there at all here: nothing may be exchanged untried."""
    cli.config.write_text(cli.config.read_text().replace("[stedi]", '[stedi]\nbase_url = "http://127.0.0.1:9/x"'))
    cli.run("credentials", "set", "stedi-api-key", stdin="current")
    cli.run("credentials", "set", "stedi-api-key-next", stdin="next")
    before = cli.run("credentials", "list", "--json").json["credentials"]
    ran = cli.hasty("credentials", "rotate", "stedi")
    assert ran.code == 5
    assert cli.run("credentials", "list", "--json").json["credentials"] == before


def test_no_lock_is_made_where_no_run_has_been(cli: Cli) -> None:
    """A lock file without a state file would look like a lost state."""
    cli.run("credentials", "set", "stedi-api-key", stdin=SECRET)
    assert [path.name for path in cli.home.glob("state.sqlite3*")] == []
