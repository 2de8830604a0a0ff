"""Whoever mistypes a key learns which one, why and how to mend it; nobody sends real orders by a default."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from plexstedi.config.load import KnownOrders, default_config_path, default_state_path, load
from plexstedi.errors import ConfigurationFault, Problem

Writer = Callable[[str], Path]
TABLES_NEEDED = {
    f"plex.datasources.{name}"
    for name in (
        *("company", "changed_orders", "created_orders", "open_orders", "order", "lines", "releases", "suppliers"),
    )
}


def problems(path: Path) -> dict[str, Problem]:
    with pytest.raises(ConfigurationFault) as caught:
        load(path)
    assert all(problem.file == str(path) and problem.fix and problem.message for problem in caught.value.problems)
    keys = [problem.key for problem in caught.value.problems]
    assert len(keys) == len(set(keys)), "each key is reported once"
    return {problem.key: problem for problem in caught.value.problems}


def test_the_smallest_configuration_has_the_documented_defaults(write: Writer, minimal: str) -> None:
    config = load(write(minimal))
    assert (config.plex.poll.overlap_minutes, config.plex.poll.sweep_hours) == (15, 24)
    assert config.plex.requests_per_minute == 190
    assert config.plex.base_url == "https://connect.plex.com"
    assert config.stedi.base_url == "https://core.us.stedi.com/2023-08-01"
    assert config.stedi.key_rotation_days == 90
    assert (config.run.time_limit_minutes, config.run.every_minutes) == (4, 60)
    assert config.documents.send == ("850", "860")
    assert config.documents.max_per_run == 500
    assert config.documents.known_orders is KnownOrders.HOLD
    assert config.plex.poll.start is None


def test_what_nobody_can_choose_for_the_user_has_no_default(write: Writer) -> None:
    found = problems(write(""))
    assert set(found) == {"plex.tenant_id", "plex.acknowledgments.write", "stedi.usage_indicator"}
    assert "missing" in found["stedi.usage_indicator"].message


def test_all_problems_come_at_once(write: Writer) -> None:
    found = problems(
        write(
            """
            [plex]
            api = "conect"
            base_url = "http://plex.example.com"
            requests_per_minute = 201
            tenat_code = "X"
            [plex.poll]
            start = 2026-11-01T00:00:00
            overlap_minutes = "15"
            sweep_hours = 1.5
            [plex.acknowledgments]
            write = "custom-fields"
            level = "lines"
            [stedi]
            usage_indicator = "X"
            [documents]
            send = ["850", "855"]
            max_per_run = true
            order_pattern = "("
            [run]
            every_minutes = 10081
            [alerts]
            command = "mail it"
            [alerts.email]
            to = []
            [suppliers.ACME01]
            partnership_id = "has space"
            relase = "004010"
            [suppliers.ACME01.850]
            transaction_setting_id = 4010
            [suppliers."B.2".tolerance]
            price_up_pct = -1
            on_price = "hald"
            [suppliers."B.2".ship_to."Plant 1"]
            street = 5
            [suppliers."B.2".acknowledgments]
            accept_without_detail = "maybe"
            [supplier_default]
            """
        )
    )
    assert set(found) == {
        "plex.api",
        "plex.base_url",
        "plex.requests_per_minute",
        "plex.tenat_code",
        "plex.poll.start",
        "plex.poll.overlap_minutes",
        "plex.poll.sweep_hours",
        "plex.acknowledgments.fields",
        "plex.acknowledgments.level",
        "stedi.usage_indicator",
        "documents.send[1]",
        "documents.max_per_run",
        "documents.order_pattern",
        "run.every_minutes",
        "alerts.command",
        "alerts.email.to",
        "alerts.email.from",
        "suppliers.ACME01.partnership_id",
        "suppliers.ACME01.relase",
        "suppliers.ACME01.850.transaction_setting_id",
        'suppliers."B.2".tolerance.price_up_pct',
        'suppliers."B.2".tolerance.on_price',
        'suppliers."B.2".ship_to."Plant 1".street',
        'suppliers."B.2".acknowledgments.accept_without_detail',
        "supplier_default",
    }
    assert found["plex.api"].fix == 'Did you mean "connect"?'
    assert found["plex.tenat_code"].fix == "Did you mean `tenant_code`?"
    assert found["supplier_default"].fix == "Did you mean `supplier_defaults`?"
    assert found["suppliers.ACME01.relase"].fix == "Did you mean `release`?"
    assert found['suppliers."B.2".tolerance.on_price'].fix == 'Did you mean "hold"?'
    assert "quotes" in found["suppliers.ACME01.850.transaction_setting_id"].fix
    assert "time zone" in found["plex.poll.start"].message
    assert found["plex.requests_per_minute"].message == "must be at most 200, not 201"


def test_no_message_shows_the_inside_of_the_program(write: Writer, minimal: str) -> None:
    text = minimal + "[suppliers.A]\nunits = 3\n850 = 'x'\n[suppliers.A.units2]\n[suppliers.B]\nreferences = {IA = 3}\n"
    with pytest.raises(ConfigurationFault) as caught:
        load(write(text))
    for word in ("pydantic", "Input should", "str]", "Traceback", "constrained"):
        assert word not in caught.value.message


def test_a_secret_in_the_file_is_refused_without_repeating_it(write: Writer, minimal: str) -> None:
    found = problems(write(minimal + 'api_key = "live_abc.SECRETVALUE"\n'))
    problem = found["stedi.api_key"]
    assert "credentials set" in problem.fix
    assert "SECRETVALUE" not in str(problem)


@pytest.mark.parametrize(
    ("table", "missing"),
    [
        ('api = "oauth2"', {"plex.base_url", "plex.auth.token_url", "plex.auth.client_id"}),
        ('api = "datasource"', {"plex.base_url", "plex.auth.username", "plex.auth.company_code", *TABLES_NEEDED}),
        (
            'api = "soap"\nbase_url = "https://api.plexonline.com"',
            {"plex.auth.username", "plex.auth.company_code", *TABLES_NEEDED},
        ),
        ('api = "connect"', {"plex.tenant_id"}),
        ("", {"plex.tenant_id"}),
    ],
)
def test_each_interface_says_what_it_needs(write: Writer, table: str, missing: set[str]) -> None:
    rest = '[plex.acknowledgments]\nwrite = "report-only"\n[stedi]\nusage_indicator = "P"\n'
    assert set(problems(write(f"[plex]\n{table}\n{rest}"))) == missing


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://localhost:8080/stedi", True),
        ("http://[::1]:8080", True),
        ("https://core.example.com/v1/", True),
        ("http://127.0.0.1.example.com", False),
        ("http://core.example.com", False),
        ("https://user:secretword@core.example.com", False),
        ("https://core.example.com/?key=1", False),
        ("ftp://core.example.com", False),
        ("core.example.com", False),
        ("https://[bad", False),
    ],
)
def test_secrets_never_travel_in_clear(write: Writer, minimal: str, url: str, allowed: bool) -> None:
    path = write(minimal + f'base_url = "{url}"\n')
    if allowed:
        assert load(path).stedi.base_url == url.rstrip("/")
    else:
        problem = problems(path)["stedi.base_url"]
        assert "secretword" not in str(problem)


def test_a_company_code_is_not_taken_for_a_tenant_id(write: Writer, minimal: str) -> None:
    assert (
        "UUID"
        in problems(write(minimal.replace("01234567-89ab-cdef-0123-456789abcdef", "123456")))["plex.tenant_id"].message
    )


BY_NUMBER = 'customer_id = "123456"\ntenant_code = "RIVERBEND"'
TENANT_LINE = 'tenant_id = "01234567-89ab-cdef-0123-456789abcdef"'


def test_a_tenant_can_be_named_by_its_number(write: Writer, minimal: str) -> None:
    config = load(write(minimal.replace(TENANT_LINE, BY_NUMBER)))
    assert (config.plex.customer_id, config.tenant) == ("123456", "123456")
    assert load(write(minimal)).plex.legacy_tls is False


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        (f"{TENANT_LINE}\n{BY_NUMBER}", "plex.customer_id"),
        ('customer_id = "123456"', "plex.tenant_code"),
        ('customer_id = "RIVERBEND"\ntenant_code = "RIVERBEND"', "plex.customer_id"),
    ],
)
def test_the_number_of_a_tenant_is_refused_where_it_would_prove_nothing(
    write: Writer, minimal: str, lines: str, key: str
) -> None:
    assert set(problems(write(minimal.replace(TENANT_LINE, lines)))) == {key}


def test_two_values_never_share_a_custom_field(write: Writer, minimal: str) -> None:
    text = minimal.replace('"report-only"', '"custom-fields"\nlevel = "line"\n[plex.acknowledgments.fields]\n{}')
    shared = 'ack_code = "Ack"\nack_status = "Ack"'
    assert (
        '"Ack", as ack_code does'
        in problems(write(text.format(shared)))["plex.acknowledgments.fields.ack_status"].message
    )
    # Of the same name, but on different objects of Plex.
    load(write(text.format('ack_code = "Ack"\nconfirmed_quantity = "Ack"')))


def test_custom_fields_need_fields(write: Writer, minimal: str) -> None:
    assert set(problems(write(minimal.replace("report-only", "custom-fields")))) == {"plex.acknowledgments.fields"}


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    found = problems(tmp_path / "none.toml")
    assert "plexstedi init" in found[""].fix


def test_a_folder_is_not_called_unreadable(tmp_path: Path) -> None:
    found = problems(tmp_path)[""]
    assert (found.message, "--config FILE" in found.fix) == ("is a folder", True)


def test_broken_toml_names_the_line(write: Writer, minimal: str) -> None:
    assert "line 8" in problems(write(minimal + "base_url = https://x\n"))[""].message


def test_a_file_in_another_encoding_names_the_line(write: Writer, minimal: str) -> None:
    path = write(minimal)
    path.write_bytes(minimal.encode() + "# Straße\n".encode("latin-1"))
    assert "line 8 is not UTF-8" in problems(path)[""].message


def test_a_byte_order_mark_of_a_windows_editor_does_no_harm(write: Writer, minimal: str) -> None:
    path = write(minimal)
    path.write_bytes(b"\xef\xbb\xbf" + minimal.encode())
    assert load(path).stedi.usage_indicator == "T"


def test_numbers_stay_exactly_as_written(write: Writer, minimal: str) -> None:
    config = load(
        write(minimal + "[suppliers.A]\ntolerance = {price_up_pct = 0.1}\nunits = {T = {unit='EA', factor=0.3}}")
    )
    assert config.suppliers["A"].tolerance.price_up_pct == Decimal("0.1")
    assert config.suppliers["A"].units["T"].factor == Decimal("0.3")


def test_times_are_aware(write: Writer, minimal: str) -> None:
    config = load(write(minimal + "[plex.poll]\nstart = 2026-11-01T02:00:00+02:00\n"))
    assert config.plex.poll.start == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "written", ['"2026-11-01T02:00:00+02:00"', '"2026-11-01 00:00Z"', '"1793491200"', "2026-11-01 00:00:00Z"]
)
def test_a_time_in_quotes_is_a_time(write: Writer, minimal: str, written: str) -> None:
    config = load(write(minimal + f"[plex.poll]\nstart = {written}\n"))
    assert config.plex.poll.start == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ('"2026-11-01T02:00:00"', "has no time zone"),
        ("2026-11-01", "has no time zone"),
        ("10:00:00", "must be a time"),
        ('"soon"', "must be a time"),
        ("1793491200", "must be a time"),
        ("1999-01-01T00:00:00Z", "is not a time of this or the last century"),
    ],
)
def test_what_is_no_time_is_refused(write: Writer, minimal: str, written: str, message: str) -> None:
    assert problems(write(minimal + f"[plex.poll]\nstart = {written}\n"))["plex.poll.start"].message == message


def test_the_url_that_a_monitor_is_pinged_at_is_not_printed(write: Writer, minimal: str) -> None:
    config = load(write(minimal + '[alerts]\nping_url = "https://hc.example/0ddba11"\ncommand = ["mail"]\n'))
    assert config.alerts.ping_url == "https://hc.example/0ddba11"
    assert "0ddba11" not in repr(config)
    assert "mail" in repr(config)


def test_paths_follow_the_environment(write: Writer, minimal: str, tmp_path: Path) -> None:
    assert default_config_path({"PLEXSTEDI_CONFIG": "/a.toml", "CONFIGURATION_DIRECTORY": "/etc/p"}) == Path("/a.toml")
    assert default_config_path({"CONFIGURATION_DIRECTORY": "/etc/p:/etc/q"}) == Path("/etc/p/plexstedi.toml")
    assert default_config_path({}).name == "plexstedi.toml"
    config = load(write(minimal + '[state]\npath = "data/s.sqlite3"\n'))
    assert default_state_path({"PLEXSTEDI_STATE": "/s"}, config) == Path("/s")
    assert default_state_path({"STATE_DIRECTORY": "/var/lib/p"}, config) == tmp_path / "data/s.sqlite3"
    assert default_state_path({"STATE_DIRECTORY": "/var/lib/p"}, None) == Path("/var/lib/p/state.sqlite3")
    assert default_state_path({}, None).name == "state.sqlite3"


@pytest.mark.parametrize(
    ("extra", "key"),
    [
        ("[suppliers.S1.document_850]\ntransaction_setting_id = 'x'\n", "suppliers.S1.document_850"),
        (
            "[supplier_defaults.850]\nschedule = 'sch'\n[suppliers.S1.document_850]\ntransaction_setting_id = 'x'\n",
            "suppliers.S1.document_850",
        ),
        ("[alerts.email]\nto = ['a@b.example']\nsender = 'c@d.example'\n", "alerts.email.sender"),
        ("[plex.poll]\nstart = 5\n", "plex.poll.start"),
        ("[suppliers.S1.text]\ndelimiters = '****'\n", "suppliers.S1.text.delimiters"),
        (
            "[suppliers.S1.acknowledgments]\nignore_segments = ['QTY', 'ACK']\n",
            "suppliers.S1.acknowledgments.ignore_segments[1]",
        ),
    ],
)
def test_what_is_no_key_or_no_value_of_the_file_is_refused_by_name(
    write: Callable[[str], Path], minimal: str, extra: str, key: str
) -> None:
    with pytest.raises(ConfigurationFault) as caught:
        load(write(minimal + extra))
    assert key in [problem.key for problem in caught.value.problems]


def test_a_data_source_that_nothing_uses_is_refused_with_the_nearest_name(
    write: Callable[[str], Path], minimal: str
) -> None:
    """A misspelt company table would switch off the comparison of whose account it is."""
    text = minimal.replace('"report-only"', '"datasource"') + "[plex.datasources.compny]\nid = 382\n"
    with pytest.raises(ConfigurationFault) as caught:
        load(write(text))
    (problem,) = (each for each in caught.value.problems if each.key == "plex.datasources.compny")
    assert "company" in problem.fix


def test_approved_suppliers_are_of_plex_connect_alone(write: Writer, minimal: str) -> None:
    wanted = minimal.replace(TENANT_LINE, f"{TENANT_LINE}\napproved_supplier_parts = true")
    assert load(write(wanted)).plex.approved_supplier_parts is True
    found = problems(write(wanted.replace("[plex]", '[plex]\napi = "oauth2"', 1)))
    assert "connect" in found["plex.approved_supplier_parts"].fix
