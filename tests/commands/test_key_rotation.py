"""The Stedi key is replaced on schedule without a failed run, and a working key is never lost."""

from __future__ import annotations

import json
import sys

import pytest

from plexstedi.sandbox.faults import FaultKind, FaultRule
from tests.commands.advice import follow, follow_shell

KEYRING = {
    "PYTHON_KEYRING_BACKEND": "plexstedi.credentials.keyring_file.EncryptedFileKeyring",
    "PLEXSTEDI_STEDI_API_KEY": None,
}


class Tenant:
    """A bench whose Stedi key is in the encrypted file."""

    def __init__(self, bench, *, api=True):
        self.bench, self.keys = bench, bench.sandbox.stedi_settings.api_keys
        self.first = min(self.keys)
        bench.environment["PYTHON_KEYRING_BACKEND"] = KEYRING["PYTHON_KEYRING_BACKEND"]
        if api:
            self.configure()
        self.store("stedi-api-key", self.first)

    def configure(self, more=""):
        url = self.bench.sandbox.urls.api_keys_url
        self.bench.write_config(
            lambda text: text.replace("[stedi]\n", f'[stedi]\napi_keys_url = "{url}"\n', 1) + f"\n{more}"
        )

    def run(self, *words, code=0, **more):
        ran = self.bench.run(*(words or ("run",)), "--json", env=KEYRING | more.pop("env", {}), **more)
        assert ran.code == code, (ran.code, ran.out, ran.err)
        return ran.json

    def store(self, name, value):
        self.run("credentials", "set", name, stdin=value)

    def stored(self):
        listed = self.run("credentials", "list")["credentials"]
        return {each["name"] for each in listed if each["source"] and each["name"].startswith("stedi")}

    def deleted(self):
        return self.bench.sandbox.stedi_api.api_keys.deleted

    def health(self):
        return self.run("status")["health"]

    def events(self, kind):
        lines = self.bench.run("audit", "export", "--format", "jsonl", env=KEYRING).out.splitlines()
        return [event for event in map(json.loads, lines) if event.get("kind") == kind]


@pytest.fixture
def tenant(bench):
    return Tenant(bench)


def test_a_due_key_is_replaced_by_the_run_and_deleted_after_the_next_one(tenant):
    assert tenant.run()["warnings"] == []
    tenant.bench.later(days=91)
    tenant.run()
    assert tenant.stored() == {"stedi-api-key", "stedi-api-key-previous"}
    assert len(tenant.keys) == 2, "the old key still works while the new one is proved"
    tenant.bench.later(minutes=5)
    ended = tenant.run()
    # The first key was made by a person, and may be used elsewhere, too.
    assert tenant.deleted() == []
    assert any("sandbox1" in warning and "portal" in warning for warning in ended["warnings"])
    assert tenant.stored() == {"stedi-api-key"}
    second = next(key for key in tenant.keys if key != tenant.first)
    tenant.bench.later(days=91)
    tenant.run()
    tenant.bench.later(minutes=5)
    tenant.run()
    assert tenant.deleted() == [second.partition(".")[0]]
    assert tenant.stored() == {"stedi-api-key"}
    assert len(tenant.keys) == 2, "the first one, and the one in use"


def test_in_a_year_the_key_is_replaced_four_times_and_no_run_fails(tenant):
    days = 0
    while days < 366:
        assert tenant.run()["exit_code"] == 0
        tenant.bench.later(minutes=5)
        assert tenant.run()["exit_code"] == 0
        tenant.bench.later(days=9, hours=23, minutes=55)
        days += 10
    assert len(tenant.events("stedi-key-changed")) == 4
    assert len(tenant.deleted()) == 3, "all but the first, which a person made, and the one in use"
    tenant.run()
    assert tenant.health()["ok"]


def test_no_key_is_in_the_state_or_the_audit_trail(tenant):
    tenant.run()
    tenant.bench.later(days=91)
    tenant.run()
    tenant.bench.later(minutes=5)
    tenant.run()
    assert len(tenant.events("stedi-key-created")) == 1
    content = b"".join(path.read_bytes() for path in tenant.bench.place.glob("*.sqlite3*"))
    for key in tenant.keys:
        assert key.partition(".")[2].encode() not in content


@pytest.mark.parametrize("name", ["stedi-api-key-next", "stedi-api-key-previous"])
def test_a_lapsed_key_with_another_stored_ends_no_run(tenant, name):
    tenant.run()
    tenant.keys.add("second1.another-made-up-key-0000")
    tenant.store(name, "second1.another-made-up-key-0000")
    tenant.keys.discard(tenant.first)
    checked = {each["subject"]: each for each in tenant.run("check")["findings"] if each["area"] == "stedi"}
    assert (checked["access"]["verdict"], name in checked["access"]["message"]) == ("warn", True)
    ended = tenant.run()
    assert any(f"this run used {name} instead" in warning for warning in ended["warnings"])
    assert len(tenant.events("stedi-key-refused")) == 1
    if name == "stedi-api-key-next":
        assert tenant.health()["ok"], "the next key is the key in use by now"
        assert tenant.run()["warnings"] != ended["warnings"]
    else:
        (fault,) = tenant.health()["faults"]
        assert (fault["code"], name in fault["message"]) == ("stedi-key-refused", True)
        tenant.run("status", "--check", code=3)
        assert tenant.deleted() == [], "the kept key may be the only one that works"
    tenant.bench.later(minutes=5)
    assert tenant.run()["exit_code"] == 0


def test_a_replaced_key_ends_the_fault_of_the_refused_one(tenant):
    tenant.run()
    tenant.keys.add("second1.another-made-up-key-0000")
    tenant.store("stedi-api-key-previous", "second1.another-made-up-key-0000")
    tenant.keys.discard(tenant.first)
    tenant.run()
    tenant.store("stedi-api-key", "second1.another-made-up-key-0000")
    tenant.run()
    assert tenant.health()["ok"]


def test_all_keys_refused_is_one_fault_with_exit_4(tenant):
    tenant.run()
    tenant.store("stedi-api-key-next", "second1.not-a-key-of-this-account")
    tenant.keys.add("another.key-that-nobody-here-has0")
    tenant.keys.discard(tenant.first)
    ended = tenant.run(code=4)
    assert ended["error"]["code"] == "refused"
    assert tenant.stored() == {"stedi-api-key", "stedi-api-key-next"}, "nothing is exchanged untried"


def test_a_send_that_the_old_key_may_not_make_is_sent_once_with_the_next(bench):
    tenant = Tenant(bench)
    tenant.run("poll")
    tenant.keys.add("second1.another-made-up-key-0000")
    tenant.store("stedi-api-key-next", "second1.another-made-up-key-0000")
    tenant.keys.discard(tenant.first)
    sent = tenant.run("submit")["counts"]["documents_sent"]
    assert sent == len(bench.numbers_sent()) == len(set(bench.numbers_sent()))
    assert sent > 0


def test_without_the_api_a_person_is_warned_14_days_ahead_with_the_steps(bench):
    tenant = Tenant(bench, api=False)
    tenant.run()
    tenant.bench.later(days=75)
    assert tenant.run()["warnings"] == []
    tenant.bench.later(days=2)
    (warning,) = tenant.run()["warnings"]
    assert "credentials set stedi-api-key-next" in warning
    assert tenant.run("credentials", "list")["warnings"] == [warning]
    assert "in 13 days" in " ".join(tenant.bench.run("status", env=KEYRING).out.split())
    assert tenant.health()["key_due"].startswith("2027-02-2")
    assert tenant.health()["ok"], "a key that is due is no fault"


def test_a_next_key_that_a_person_gave_is_used_when_the_key_is_due(bench):
    tenant = Tenant(bench, api=False)
    tenant.run()
    tenant.keys.add("second1.another-made-up-key-0000")
    tenant.store("stedi-api-key-next", "second1.another-made-up-key-0000")
    tenant.run()
    assert "stedi-api-key-next" in tenant.stored(), "not before it is due"
    tenant.bench.later(days=91)
    tenant.run()
    tenant.bench.later(minutes=5)
    tenant.run()
    assert tenant.stored() == {"stedi-api-key"}
    tenant.keys.discard(tenant.first)
    assert tenant.run()["exit_code"] == 0


@pytest.mark.parametrize(
    "fault",
    [
        FaultRule(FaultKind.UNAVAILABLE, path="/api_keys", times=None),
        FaultRule(FaultKind.HTML, path="/api_keys", times=None),
        FaultRule(FaultKind.DROP_AFTER, path="/api_keys", method="POST", times=None),
    ],
    ids=["503", "html", "no-response"],
)
def test_an_api_that_fails_fails_no_run_and_leaves_no_lost_key(tenant, fault):
    tenant.run()
    tenant.bench.later(days=91)
    tenant.bench.sandbox.inject(fault)
    ended = tenant.run()
    assert any("cannot be rotated now" in warning for warning in ended["warnings"])
    assert tenant.stored() == {"stedi-api-key"}
    tenant.bench.sandbox.faults.clear()
    tenant.bench.later(minutes=5)
    tenant.run()
    assert tenant.stored() == {"stedi-api-key", "stedi-api-key-previous"}
    tenant.bench.later(minutes=5)
    tenant.run()
    assert len(tenant.keys) == 2, "the first one, and the one in use; what was created unheard is deleted"


def test_a_person_rotates_at_once_and_nothing_is_deleted_before_a_run(tenant):
    tenant.run()
    done = tenant.run("credentials", "rotate", "stedi")
    assert done["rotated"] == "stedi"
    assert tenant.stored() == {"stedi-api-key", "stedi-api-key-previous"}
    assert len(tenant.keys) == 2
    assert tenant.run()["exit_code"] == 0
    assert tenant.stored() == {"stedi-api-key"}


def test_where_the_key_cannot_be_changed_the_commands_are_shown(bench, tmp_path):
    ran = bench.run("credentials", "rotate", "stedi", "--print-command")
    assert ran.code == 0
    assert "PLEXSTEDI_STEDI_API_KEY" in ran.out
    folder = tmp_path / "credentials"
    folder.mkdir()
    secret = folder / "stedi-api-key"
    secret.write_text(min(bench.sandbox.stedi_settings.api_keys))
    secret.chmod(0o400)
    ran = bench.run("credentials", "rotate", "stedi", "--print-command", env={"CREDENTIALS_DIRECTORY": str(folder)})
    assert "systemd-creds encrypt - /etc/credstore.encrypted/stedi-api-key" in ran.out


def test_a_rotate_command_gets_the_new_key_where_plexstedi_cannot_store_it(bench, tmp_path):
    """The key comes from a file that only the command writes, as a container's secret."""
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    secret = folder / "stedi-api-key"
    first = min(bench.sandbox.stedi_settings.api_keys)
    secret.write_text(first)
    secret.chmod(0o600)
    program = tmp_path / "store.py"
    program.write_text(
        "import os, sys, pathlib\n"
        "assert not [n for n in os.environ if n.startswith('PLEXSTEDI_')]\n"
        f"pathlib.Path({str(secret)!r}).write_text(sys.stdin.read())\n"
    )
    url = bench.sandbox.urls.api_keys_url
    hook = json.dumps([sys.executable, str(program)])
    bench.write_config(
        lambda text: (
            text.replace("[stedi]\n", f'[stedi]\napi_keys_url = "{url}"\n', 1)
            + f"\n[alerts]\nrotate_command = {hook}\n"
        )
    )
    env = {"CREDENTIALS_DIRECTORY": str(folder), "PLEXSTEDI_STEDI_API_KEY": None}
    assert bench.run("run", env=env).code == 0
    bench.later(days=91)
    assert bench.run("run", env=env).code == 0
    assert secret.read_text() != first
    bench.later(minutes=5)
    assert bench.run("run", env=env).code == 0
    health = bench.run("status", "--json", env=env).json["health"]
    assert (health["ok"], health["key_due"] > "2027-05") == (True, True)


def test_a_rotate_command_that_fails_fails_no_run(bench):
    url = bench.sandbox.urls.api_keys_url
    bench.write_config(
        lambda text: (
            text.replace("[stedi]\n", f'[stedi]\napi_keys_url = "{url}"\n', 1)
            + '\n[alerts]\nrotate_command = ["false"]\n'
        )
    )
    assert bench.run("run").code == 0
    bench.later(days=91)
    ran = bench.run("run", "--json")
    assert ran.code == 0
    assert any("rotate_command" in warning for warning in ran.json["warnings"])
    bench.later(minutes=5)
    bench.run("run")
    assert len(bench.sandbox.stedi_settings.api_keys) == 2, "no key is created at each run"


def test_a_rotation_works_where_systemd_gives_the_key_of_the_encrypted_file(bench, tmp_path):
    """The recommended way under systemd: secrets in the state's folder, opened by a key bound to the machine."""
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    (folder / "plexstedi-keyring-key").write_text("0123456789abcdef0123456789abcdef\n")
    bench.environment["CREDENTIALS_DIRECTORY"] = str(folder)
    bench.environment["PLEXSTEDI_KEYRING_FILE"] = str(bench.place / "secrets.keyring")
    tenant = Tenant(bench)
    tenant.run()
    tenant.bench.later(days=91)
    tenant.run()
    tenant.bench.later(minutes=5)
    tenant.run()
    assert tenant.stored() == {"stedi-api-key"}
    assert len(tenant.events("stedi-key-changed")) == 1
    assert not (bench.place / "secrets.key").exists()


def finding_about_the_key_file(tenant) -> list[dict]:
    return [each for each in tenant.run("check", "--offline")["findings"] if each["subject"] == "encrypted file"]


def test_a_key_beside_the_encrypted_file_is_named_by_check_with_the_commands_that_move_it(bench):
    tenant = Tenant(bench)
    assert finding_about_the_key_file(tenant) == [], "a new key is not made there"
    (file,) = bench.place.rglob("secrets.keyring")
    (key,) = bench.place.rglob("secrets.key")
    key.rename(file.with_suffix(".key"))
    key.parent.rmdir()
    (found,) = finding_about_the_key_file(tenant)
    assert found["verdict"] == "warn"
    bench.write_config(lambda text: text + "\n[credentials]\nkey_beside_data = true\n")
    assert finding_about_the_key_file(tenant) == []
    bench.write_config()
    follow_shell(found["fix"])
    assert key.exists()
    assert finding_about_the_key_file(tenant) == []
    assert tenant.run()["exit_code"] == 0


@pytest.mark.parametrize(("days", "warned"), [(20, False), (25, True), (30, True), (40, False)])
def test_a_plex_key_is_warned_of_before_it_may_lapse(bench, days, warned):
    bench.run("run")
    bench.later(days=days)
    ran = bench.run("run", "--json")
    assert any("the Plex key is" in warning for warning in ran.json["warnings"]) is warned
    checked = bench.run("check", "--offline", "--json").json["findings"]
    assert any(each["subject"] == "age of plex-api-key" for each in checked) is warned


def test_a_renewed_plex_key_follows_the_warning(bench):
    bench.environment["PYTHON_KEYRING_BACKEND"] = KEYRING["PYTHON_KEYRING_BACKEND"]
    env = {"PLEXSTEDI_PLEX_API_KEY": None}
    key = bench.sandbox.plex_settings.api_key
    bench.run("credentials", "set", "plex-api-key", stdin=key, env=env)
    bench.run("run", env=env)
    bench.later(days=26)
    (warning,) = bench.run("run", "--json", env=env).json["warnings"]
    new = bench.sandbox.plex_settings.api_key = "sandboxsandboxsandboxsandbox0002"
    follow(bench, warning, stdin=new, env=env)
    assert bench.run("run", "--json", env=env).json["warnings"] == []
