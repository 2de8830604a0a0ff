"""What is advised about the Stedi key works when it is followed."""

from __future__ import annotations

import json
import sys

import pytest

from tests.commands.advice import follow
from tests.commands.test_key_rotation import KEYRING, Tenant

SECOND = "second1.another-made-up-key-0000"


@pytest.fixture
def from_environment(bench):
    """The key in use comes from the environment; the next one is in the encrypted file, and Stedi accepts both."""
    bench.environment["PYTHON_KEYRING_BACKEND"] = KEYRING["PYTHON_KEYRING_BACKEND"]
    bench.environment["PLEXSTEDI_STEDI_API_KEY"] = min(bench.sandbox.stedi_settings.api_keys)
    bench.sandbox.stedi_settings.api_keys.add(SECOND)
    assert bench.run("credentials", "set", "stedi-api-key-next", stdin=SECOND).code == 0
    return bench


def test_keys_that_cannot_be_exchanged_here_are_replaced_by_the_commands_shown(from_environment):
    bench = from_environment
    refused = bench.run("credentials", "rotate", "stedi", "--json")
    assert refused.code == 4
    shown = follow(bench, refused.json["error"]["fix"]).json["commands"]
    assert any("PLEXSTEDI_STEDI_API_KEY" in line for line in shown)
    (last,) = [line for line in shown if "plexstedi run" in line]
    follow(bench, last)


def test_a_refused_key_of_the_environment_names_the_commands_that_replace_it(from_environment):
    bench = from_environment
    bench.sandbox.stedi_settings.api_keys.discard(bench.environment["PLEXSTEDI_STEDI_API_KEY"])
    (warning,) = bench.run("run", "--json").json["warnings"]
    assert "stedi-api-key-next" in warning
    assert follow(bench, warning).json["commands"]


def test_a_key_of_the_environment_that_is_due_names_the_commands_that_replace_it(bench):
    bench.run("run")
    bench.later(days=80)
    (warning,) = bench.run("run", "--json").json["warnings"]
    assert follow(bench, warning).json["commands"]


def test_a_refused_key_with_its_successor_stored_is_replaced_at_once(bench):
    tenant = Tenant(bench, api=False)
    tenant.run()
    tenant.keys.add(SECOND)
    tenant.store("stedi-api-key-next", SECOND)
    tenant.keys.discard(tenant.first)
    (warning,) = tenant.run("submit")["warnings"]
    assert follow(bench, warning, 0, env=KEYRING).json["rotated"] == "stedi"
    assert tenant.run()["warnings"] != [warning]
    assert tenant.health()["ok"]


def test_a_corrected_rotate_command_gets_a_new_key(bench, tmp_path):
    url = bench.sandbox.urls.api_keys_url
    kept = tmp_path / "key"

    def configure(program):
        bench.write_config(
            lambda text: (
                text.replace("[stedi]\n", f'[stedi]\napi_keys_url = "{url}"\n', 1)
                + f"\n[alerts]\nrotate_command = {json.dumps(program)}\n"
            )
        )

    configure(["false"])
    bench.run("run")
    bench.later(days=91)
    (warning,) = bench.run("run", "--json").json["warnings"]
    configure([sys.executable, "-c", f"import sys; open({str(kept)!r}, 'w').write(sys.stdin.read())"])
    assert follow(bench, warning).json["rotated"] is None
    assert kept.read_text() in bench.sandbox.stedi_settings.api_keys
