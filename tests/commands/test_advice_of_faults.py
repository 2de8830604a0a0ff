"""What an error says to do works when it is done, and leads on: no refusal, no circle, no good key overwritten."""

from __future__ import annotations

import os
import re
import sqlite3

import pytest

from plexstedi.sandbox.config_text import secrets
from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.plex.store import copy_order
from tests.commands.advice import commands, follow, follow_option, follow_shell
from tests.commands.test_recover import MARK, lose
from tests.edited_event import edit_event

WHY = ("--reason", "agreed by phone")


def refused(bench, *words, code=None, env=None, stdin="") -> str:
    """The fix of a command that ends in an error."""
    ran = bench.run(*words, "--json", env=env, stdin=stdin)
    assert "error" in ran.json, ran.out
    assert code in (None, ran.code), ran.out
    return ran.json["error"]["fix"]


@pytest.fixture
def one(make_bench):
    """One order of one supplier."""
    return make_bench(orders=1, suppliers=1)


@pytest.fixture
def sent(one):
    """The same, sent and delivered."""
    one.run("run")
    one.later(hours=3)
    one.run("run")
    return one


# Keys


def test_a_key_that_is_missing_is_set_and_then_used(one):
    env = {"PLEXSTEDI_PLEX_API_KEY": None}
    follow(one, refused(one, "poll", code=4, env=env), stdin=secrets(one.sandbox)["plex-api-key"], env=env)
    assert one.run("poll", env=env).code == 0


@pytest.mark.parametrize("name", ["plex-api-key", "stedi-api-key"])
def test_a_bad_key_is_renewed_where_it_is_kept(one, name):
    """In the keyring by `credentials set`; that of the environment wins over the keyring, so there it is no help."""
    variable = "PLEXSTEDI_" + name.upper().replace("-", "_")
    in_environment = refused(one, "run", code=4, env={variable: "wrong0secret0value0of0thirty0two"})
    assert variable in in_environment
    assert "credentials set" not in in_environment
    env = {variable: None}
    one.run("credentials", "set", name, stdin="wrong0secret0value0of0thirty0two", env=env)
    fix = refused(one, "run", code=4, env=env)
    follow(one, fix, stdin=secrets(one.sandbox)[name], env=env)
    assert one.run("run", env=env).code == 0


def test_a_bad_next_key_is_set_again_and_the_good_one_stays(one):
    env = {"PLEXSTEDI_STEDI_API_KEY": None}
    good = secrets(one.sandbox)["stedi-api-key"]
    one.run("credentials", "set", "stedi-api-key", stdin=good, env=env)
    fix = refused(one, "credentials", "rotate", "stedi", code=4, env=env)
    follow(one, fix, stdin="not0a0key0of0this0account", env=env)
    fix = refused(one, "credentials", "rotate", "stedi", code=4, env=env)
    assert commands(fix) == [["credentials", "set", "stedi-api-key-next"]]
    assert one.run("run", env=env).code == 0, "the key in use is as good as before"
    follow(one, fix, stdin=good, env=env)
    assert one.run("credentials", "rotate", "stedi", env=env).code == 0
    assert one.run("run", env=env).code == 0


def test_a_secret_as_an_argument_or_an_empty_one_is_set_as_it_is_said(one):
    env = {"PLEXSTEDI_STEDI_API_KEY": None}
    for given, stdin in ((("a-secret",), ""), ((), "")):
        fix = refused(one, "credentials", "set", "stedi-api-key", *given, code=2, env=env, stdin=stdin)
        follow(one, fix, stdin="a-key", env=env)


def test_a_credential_file_that_others_read_is_closed_by_the_command_that_is_named(one):
    folder = one.place / "the credentials"
    folder.mkdir()
    for name, value in secrets(one.sandbox).items():
        (folder / name).write_text(value)
        (folder / name).chmod(0o400)
    (folder / "plex-api-key").chmod(0o444)
    env = {"CREDENTIALS_DIRECTORY": str(folder)}
    follow_shell(refused(one, "poll", code=4, env=env))
    assert one.run("poll", env=env).code == 0


def test_a_keyring_key_that_others_read_is_closed_by_the_command_that_is_named(one):
    env = {"PLEXSTEDI_PLEX_API_KEY": None}
    one.run("credentials", "set", "plex-api-key", stdin=secrets(one.sandbox)["plex-api-key"], env=env)
    keys = [path for path in one.place.rglob("*key*") if path.is_file()]
    assert keys
    for path in keys:
        path.chmod(0o644)
    ran = one.run("poll", "--json", env=env)
    assert ran.code == 4
    follow_shell(ran.json["error"]["message"])
    follow(one, ran.json["error"]["fix"], env=env)
    assert one.run("poll", env=env).code == 0


# Files and the environment


def test_a_file_that_others_can_write_is_closed_by_the_command_that_is_named(one):
    one.config.chmod(0o666)
    ran = one.run("poll", "--json")
    assert ran.code == 4
    for problem in ran.json["error"]["problems"]:
        follow_shell(problem["fix"])
    assert one.run("poll").code == 0


def test_a_wrong_configuration_is_corrected_and_looked_at(one):
    one.write_config(lambda text: text.replace("[stedi]", "[stedi]\nusage = 1"))
    fix = refused(one, "run", code=4)
    one.write_config()
    follow(one, fix)


def test_a_configuration_that_is_missing_is_made_and_one_that_is_there_is_kept(one):
    kept = one.config.read_text()
    options = ("--api", "connect", "--tenant-id", "01234567-89ab-cdef-0123-456789abcdef", "--usage-indicator", "T")
    options += ("--company", "Acme", "--write", "report-only")
    (words,) = commands(refused(one, "init", *options, code=2))
    other = one.place / "other.toml"
    assert one.run(*(str(other) if word == "FILE" else word for word in words), *options).code == 0
    assert other.exists()
    assert one.config.read_text() == kept

    one.config.unlink()
    (problem,) = one.run("poll", "--json").json["error"]["problems"]
    assert commands(problem["fix"]) == [["init"]]
    told = refused(one, "init", code=2)
    assert commands(told) == [["init", "--help"]]
    assert one.run("init", *options).code == 0
    assert one.run("check", "--offline").code == 0


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("state.path", '[state]\npath = "a\\u0000b"', "NUL"),
        ("state.path", '[state]\npath = "~nobody-of-this-name/x"', "home directory"),
        ("state.path", f'[state]\npath = "{"x" * 300}"', "too long"),
        ("alerts.command[1]", '[alerts]\ncommand = ["/bin/true", "a\\u0000b"]', "NUL"),
        ("suppliers.S001.850.guide_schema", "", "NUL"),
    ],
)
def test_a_path_that_cannot_be_is_a_problem_of_its_key(one, key, text, says):
    def wrong(config):
        guide = config.replace("[suppliers.S001.850]", '[suppliers.S001.850]\nguide_schema = "a\\u0000b"')
        return guide if not text else f"{config}\n{text}\n"

    one.write_config(wrong)
    one.state_named = False
    for command in (("run",), ("status",), ("check", "--offline"), ("notify", "--test")):
        ran = one.run(*command, "--json")
        assert ran.code == 4, (command, ran.out, ran.err)
        assert "Traceback" not in ran.err
    (problem,) = one.run("poll", "--json").json["error"]["problems"]
    assert problem["key"].startswith(key.partition("[")[0])
    assert says in problem["message"]
    assert problem["fix"]


def test_certificates_and_proxies_are_looked_at_also_offline(one):
    """Before cron's first run at night: with the advice followed the same check is good."""
    one.write_config(lambda text: text + '\n[alerts]\nping_url = "https://hc.example/ping/0ddba11"\n')
    for env in ({"SSL_CERT_FILE": "/nowhere/ca.pem"}, {"HTTPS_PROXY": "gopher://hunter2@proxy:70"}):
        ran = one.run("check", "--offline", "--json", env=env)
        assert ran.code == 4, ran.out
        (finding,) = [found for found in ran.json["findings"] if found["verdict"] == "wrong"]
        (name,) = env
        assert name in finding["message"]
        assert name in finding["fix"] or "http://" in finding["fix"]
        assert "hunter2" not in ran.out + ran.err
        assert one.run("check", "--offline", "--json", env={name: None}).code == 0
    good = {"HTTPS_PROXY": "http://proxy.example:3128"}
    assert one.run("check", "--offline", "--json", env=good).code == 0


def test_an_alert_program_that_cannot_be_run_is_made_executable(one):
    program = one.place / "tell me"
    program.write_text("#!/bin/sh\ncat > /dev/null\n")
    one.write_config(lambda text: f'{text}\n[alerts]\ncommand = ["{program}"]\n')
    follow_shell(refused(one, "check", "--offline", code=4))
    checked = one.run("check", "--offline", "--json")
    assert checked.code == 0
    (finding,) = [found for found in checked.json["findings"] if found["subject"] == "alerts.command"]
    follow(one, finding["message"])
    assert "--test" in refused(one, "notify", code=2)


# The state file


@pytest.mark.parametrize("how", ["deleted", "deleted with its mark"])
def test_a_lost_state_is_recovered(sent, how):
    lose(sent, how)
    sent.later(minutes=10)
    follow(sent, refused(sent, "run"))
    assert sent.run("run").code == 0
    assert len(sent.sandbox.generated()) == 1


def test_a_state_that_is_begun_again_on_purpose_still_sends_nothing_twice(sent):
    lose(sent, "deleted")
    fix = refused(sent, "run", code=7)
    (mark,) = re.findall(rf"delete (\S+{MARK})", fix)
    sent.state.with_name(mark.rpartition("/")[2]).unlink()
    sent.later(minutes=10)
    follow(sent, refused(sent, "run", code=3))
    assert len(sent.sandbox.generated()) == 1


def test_a_damaged_state_is_moved_away_and_recovered(sent):
    sent.state.write_bytes(b"garbage" * 1000)
    for beside in sent.place.glob("state.sqlite3-*"):
        beside.unlink()
    fix = refused(sent, "run", code=7)
    sent.state.rename(sent.place / "damaged")
    follow(sent, fix, -1)
    assert sent.run("run").code == 0
    assert len(sent.sandbox.generated()) == 1


def test_a_state_of_another_tenant_is_left_alone_and_another_is_named(sent):
    with sqlite3.connect(sent.state) as database:
        database.execute("UPDATE memory SET value = 'another' WHERE name = 'tenant'")
    ran = sent.run("poll", "--json")
    assert ran.code == 4
    (problem,) = ran.json["error"]["problems"]
    assert "--state FILE" in problem["fix"]
    assert sent.run("--state", str(sent.place / "own.sqlite3"), "poll").code == 0


def test_an_edited_trail_is_verified(sent):
    head = sent.run("status", "--json").json["audit_head"]
    assert sent.run("audit", "verify", "--head", head).code == 0
    edit_event(sent.state, 2, detail="no json")
    fix = refused(sent, "audit", "export", code=7)
    verified = sent.run(*commands(fix)[0], "--json")
    assert verified.code == 7
    assert "event 2" in verified.json["error"]["message"]


def test_nothing_read_yet_is_read_and_then_shown(one):
    number = one.sandbox.plex.tenant.orders[0].number
    follow(one, refused(one, "status", number, code=2))
    assert one.run("status", number).code == 0


# Suspicions


def test_an_empty_sweep_is_passed_with_the_option_that_is_named(sent):
    sent.sandbox.plex.tenant.orders.clear()
    sent.sandbox.plex.reindex()
    sent.later(hours=25)
    passed = follow_option(sent, refused(sent, "run", code=3), "run")
    assert "error" not in passed.json
    sent.later(minutes=10)
    assert sent.run("run").code in (0, 3)


def test_two_suspicions_at_once_are_passed_together(make_bench):
    """Passing one by its name alone would stop on the other, and so on in turn."""
    bench = make_bench(orders=6, suppliers=2)
    bench.write_config(lambda text: text + "\n[documents]\nmax_per_run = 1\n")
    first = bench.sandbox.plex.tenant.orders[0].number
    bench.run("submit", "--order", first)
    bench.run("poll")
    bench.run("submit", "--order", first)
    assert len(bench.sandbox.generated()) == 1
    lose(bench, "deleted with its mark")
    bench.later(minutes=10)
    fix = refused(bench, "run", code=3)
    assert commands(fix)[0] == ["recover"]
    again = follow_option(bench, fix, "run")
    assert again.json["error"]["code"] == "suspicion"
    done = follow_option(bench, again.json["error"]["fix"], "run")
    assert "error" not in done.json
    assert len(bench.sent(first)) == 1
    assert len(bench.sandbox.generated()) > 1


# A person's commands


def test_a_review_that_is_not_there_or_decided_names_the_list(sent):
    assert follow(sent, refused(sent, "review", "accept", "99", *WHY, code=2)).json["reviews"] == []
    assert follow(
        sent, refused(sent, "replay", "--ack", "none", *WHY, "--yes", code=2).replace("NUMBER", sent.numbers_sent()[0])
    )


def test_an_order_that_was_never_sent_is_sent_by_what_replay_says(one):
    one.run("poll")
    number = one.sandbox.plex.tenant.orders[0].number
    assert follow(one, refused(one, "replay", number, *WHY, "--yes", code=2)).json["counts"]["documents_sent"] == 1
    fix = refused(one, "replay", number, *WHY, "--yes", code=2)
    one.later(hours=1)
    follow(one, fix)
    assert one.run("replay", number, *WHY, "--purpose", "15", "--yes").code == 0
    assert len(one.sent(number)) == 2


def test_a_recovered_order_is_replayed_with_the_purpose_that_is_named(sent):
    number = sent.numbers_sent()[0]
    lose(sent, "deleted with its mark")
    sent.run("recover", "--yes")
    follow(sent, refused(sent, "replay", number, *WHY, "--yes", code=2))
    assert [document.edi.split("~BEG*")[1][:2] for document in sent.sent(number)] == ["00", "05"]


def test_a_replay_that_was_not_heard_is_ended_by_submit_and_sent_once(sent):
    number = sent.numbers_sent()[0]
    sent.sandbox.inject(FaultRule(FaultKind.DROP_AFTER, origin="stedi", method="POST", times=None))
    fix = refused(sent, "replay", number, *WHY, "--purpose", "15", "--yes", code=5)
    sent.sandbox.faults.clear()
    sent.later(minutes=10)
    follow(sent, fix)
    assert len(sent.sent(number)) == 2


def test_a_document_in_doubt_is_decided_before_it_is_replayed(one):
    one.sandbox.inject(FaultRule(FaultKind.DROP_BEFORE, origin="stedi", method="POST", times=None))
    one.run("run")
    one.sandbox.faults.clear()
    one.later(days=2)
    one.run("run")
    number = one.sandbox.plex.tenant.orders[0].number
    fix = refused(one, "replay", number, *WHY, "--yes", code=2)
    assert [item["kind"] for item in follow(one, fix).json["reviews"]] == ["document-in-doubt"]


def test_late_acknowledgments_are_shown_by_the_command_that_the_warning_names(make_bench):
    from plexstedi.sandbox.behaviours import Character

    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    bench.run("run")
    named = []
    for _ in range(6):
        bench.later(hours=20)
        named += [warning for warning in bench.run("run", "--json").json["warnings"] if "status --late" in warning]
    assert named
    assert follow(bench, named[0]).json["late"]


def test_a_wrong_command_line_names_its_help(one):
    fix = refused(one, "submit", "--everything", code=2)
    assert one.run(*commands(fix)[0]).code == 0
    fix = refused(one, "replay", code=2)
    assert one.run(*commands(fix)[0]).code == 0


def test_a_refused_client_secret_is_renewed_where_it_is_kept(make_bench):
    bench = make_bench(orders=1, suppliers=1, dialect="oauth2")
    name = "plex-client-secret"
    env = {"PLEXSTEDI_PLEX_CLIENT_SECRET": None}
    bench.run("credentials", "set", name, stdin="wrong", env=env)
    follow(bench, refused(bench, "poll", code=4, env=env), stdin=secrets(bench.sandbox)[name], env=env)
    assert bench.run("poll", env=env).code == 0


def test_a_key_that_is_due_is_renewed_step_by_step(one):
    env = {"PLEXSTEDI_STEDI_API_KEY": None}
    good = secrets(one.sandbox)["stedi-api-key"]
    one.run("credentials", "set", "stedi-api-key", stdin=good, env=env)
    one.later(days=100)
    found = one.run("check", "--offline", "--json", env=env).json["findings"]
    (fix,) = [each["fix"] for each in found if each["subject"] == "age of stedi-api-key"]
    follow(one, fix, 0, stdin=good, env=env)
    follow(one, fix, 1, env=env)
    found = one.run("check", "--offline", "--json", env=env).json["findings"]
    assert [each["verdict"] for each in found if each["subject"] == "age of stedi-api-key"] == ["ok"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_a_file_of_another_user_becomes_ours_by_the_command_that_is_named(one):
    os.chown(one.config, 54321, -1)
    for problem in one.run("poll", "--json").json["error"]["problems"]:
        follow_shell(problem["fix"])
    assert one.run("poll").code == 0
    secret = one.place / "credentials" / "plex-api-key"
    secret.parent.mkdir()
    secret.write_text(secrets(one.sandbox)["plex-api-key"])
    os.chown(secret, 54321, -1)
    env = {"CREDENTIALS_DIRECTORY": str(secret.parent)}
    fix = refused(one, "poll", code=4, env=env)
    for _ in range(2):
        follow_shell(fix)
        fix = fix.partition(" and ")[2]
    assert one.run("poll", env=env).code == 0


def test_two_orders_of_one_number_are_each_shown_by_the_id_that_is_named(sent):
    number = sent.numbers_sent()[0]
    with sent.sandbox.lock:
        order = sent.sandbox.plex.order(number)
        sent.sandbox.plex.add_order(copy_order(order, number, sent.sandbox.clock.now()))
    sent.later(minutes=10)
    sent.run("run")
    warnings = sent.run("status", number, "--json").json["warnings"]
    shown = [follow(sent, warning).json["order"]["id"] for warning in warnings if commands(warning)]
    assert shown
    assert len(set(shown)) == len(shown)
    assert commands(refused(sent, "status", number, "--late", code=2)) == [["status", number]]
