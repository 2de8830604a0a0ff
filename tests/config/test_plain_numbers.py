"""Numbers and times of the configuration are plainly written and within what a calendar holds, or it is refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from plexstedi.config.load import load
from plexstedi.errors import ConfigurationFault

Writer = Callable[[str], Path]


@pytest.mark.parametrize(
    "text",
    [
        *("[documents]\nmax_per_run = 1_000", "[run]\ntime_limit_minutes = 1_0", "[run]\nmax_response_mb = 0"),
        *(
            "[run]\nmax_response_mb = 5000",
            '[run]\nmax_response_mb = "64"',
            f"[run]\ntime_limit_minutes = {'9' * 5000}",
        ),
        # Hexadecimal numbers have no such limit in Python, but cannot be written as text.
        *(f"[run]\ntime_limit_minutes = {number}" for number in ("9" * 4000, "0x" + "f" * 5000)),
        *(f"[supplier_defaults]\nack_within_hours = {number}" for number in ("9" * 4000, "0x" + "f" * 5000)),
        *(f"[documents]\nknown_orders = {value}" for value in ("0x" + "f" * 5000, "[0x" + "f" * 5000 + "]")),
        *(f"[plex]\napi = {value}" for value in ("0x" + "f" * 5000, "{ a = 0x" + "f" * 5000 + " }")),
        *(
            "[run]\ntime_limit_minutes = 99999999999",
            "[state]\nkeep_days = 999999999",
            "[alerts]\ndigest_hours = 1000000",
        ),
        *("[plex.poll]\nstart = 0001-01-01T00:00:00+05:00", "[plex.poll]\nstart = 9999-12-31T23:59:59-05:00"),
        *("[plex.poll]\nstart = 1899-12-30T00:00:00Z", "[stedi]\nkey_rotation_days = 1e3"),
        *("[supplier_defaults]\nack_within_hours = 1e30", "[supplier_defaults]\nack_within_hours = inf"),
        *("[supplier_defaults]\nack_within_hours = nan", '[supplier_defaults]\nack_within_hours = "1_0"'),
        *("[supplier_defaults]\nack_within_hours = 1_0.5", '[supplier_defaults]\nack_within_hours = "\u0661\u0662"'),
        *('[supplier_defaults.units]\nBox = {unit = "EA", factor = "1e999999999"}', "[run]\nx = " + "[" * 5000),
        *('[supplier_defaults.units]\nBox = {unit = "EA", factor = 1e99999999999999999999}',),
        *(
            '[supplier_defaults.acknowledgments]\ntransit_days = "1_0"',
            "[supplier_defaults.acknowledgments]\ntransit_days = 1e9",
        ),
        *(
            '[supplier_defaults.acknowledgments]\ntransit_days = "\u00b2"',
            "[supplier_defaults.tolerance]\nprice_up_pct = 1e31",
        ),
    ],
)
def test_a_number_or_time_that_cannot_be_meant_is_refused(write: Writer, minimal: str, text: str) -> None:
    heading = text.splitlines()[0] + "\n"
    whole = minimal.replace(heading, text + "\n") if heading in minimal else f"{minimal}\n{text}\n"
    with pytest.raises(ConfigurationFault) as caught:
        load(write(whole))
    assert all(problem.fix and len(problem.message) < 500 for problem in caught.value.problems)


def test_a_number_of_thousands_of_digits_is_named_by_its_key(write: Writer, minimal: str) -> None:
    number = "0x" + "f" * 5000
    text = f'\n[supplier_defaults]\nack_warn_hours = {number}\n[suppliers."a b"]\nx = [1, {{ y = {number} }}]\n'
    with pytest.raises(ConfigurationFault) as caught:
        load(write(minimal + text))
    keys = {problem.key for problem in caught.value.problems}
    assert keys == {"supplier_defaults.ack_warn_hours", 'suppliers."a b".x[1].y'}


def test_plain_numbers_are_taken_as_written(write: Writer, minimal: str) -> None:
    text = """
    [run]
    max_response_mb = 128   # not 1_000
    [supplier_defaults]
    ack_within_hours = 1.5
    [supplier_defaults.units]
    "Box_1_000" = {unit = "EA", factor = "1000"}
    Hundred = {unit = "EA", factor = 1e2}
    [suppliers.A_1_000]
    partnership_id = "1_000"
    """
    config = load(write(minimal + text))
    assert config.run.max_response_mb == 128
    supplier = config.suppliers["A_1_000"]
    assert (supplier.partnership_id, supplier.ack_within_hours) == ("1_000", Decimal("1.5"))
    assert [unit.factor for unit in supplier.units.values()] == [1000, 100]


def test_the_default_bound_of_a_response_is_64_mb(write: Writer, minimal: str) -> None:
    assert load(write(minimal)).run.max_response_mb == 64
