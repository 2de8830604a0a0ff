"""README lists every option and every setting that there is, and none that is not."""

from __future__ import annotations

import pytest

from plexstedi.config.tables import ConfigTables
from tests.readme_tables import OPTIONS, README, SETTINGS, made, options, section, settings


@pytest.mark.parametrize("heading", [OPTIONS, SETTINGS])
def test_the_list_is_as_the_program_is(heading: str) -> None:
    """Else: `python tests/readme_tables.py` writes it."""
    text = README.read_text()
    begin, end = section(text, heading)
    assert text[begin:end].strip() == made()[heading].strip()


def test_the_lists_have_what_one_looks_for() -> None:
    found = {(command, option.split()[0]) for command, option, _ in options()}
    assert {("submit", "--limit"), ("review accept", "--line"), ("audit verify", "--head")} <= found
    keys = {(table, key) for table, key, *_ in settings()}
    assert {("[plex.poll]", "sweep_hours"), ("[supplier_defaults.acknowledgments]", "bp_quantity")} <= keys
    assert ("[supplier_defaults.860]", "transaction_setting_id") in keys
    assert {table.strip("[]").split(".")[0] for table, _ in keys} == set(ConfigTables.model_fields) - {
        "suppliers",
        "customers",
    }


def test_a_required_key_says_so_and_a_default_is_shown() -> None:
    rows = {(table, key): (takes, default) for table, key, takes, default, _ in settings()}
    assert rows["[plex.acknowledgments]", "write"][1] == "required"
    assert rows["[run]", "time_limit_minutes"] == ("whole number", "`4`")
    assert rows["[stedi]", "usage_indicator"] == ('`"P"`, `"T"`', "required")
