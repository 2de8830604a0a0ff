"""`[plex.datasources]` where everything is read through data sources: an error names the key and the nearest name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from plexstedi.config.load import load
from plexstedi.errors import ConfigurationFault, Problem
from plexstedi.sync.services import plex_settings
from tests.plex.datasource.toml import TABLES_TOML

Writer = Callable[[str], Path]


@pytest.fixture
def whole() -> str:
    return TABLES_TOML + '[stedi]\nusage_indicator = "T"\n'


def problem(path: Path, key: str) -> Problem:
    with pytest.raises(ConfigurationFault) as caught:
        load(path)
    (found,) = (each for each in caught.value.problems if each.key == key)
    return found


def test_numbers_and_row_limits_are_the_catalogues_unless_configured(write: Writer, whole: str) -> None:
    settings = plex_settings(load(write(whole)))
    assert (settings.tables["order"].id, settings.tables["order"].row_limit) == (3827, 1000)
    assert (settings.tables["open_orders"].id, settings.tables["open_orders"].row_limit) == (2874, 10_000)
    assert settings.tables["changed_orders"].inputs == {"begin": "Begin_Date", "end": "End_Date"}
    changed = plex_settings(load(write(whole.replace("[plex.datasources.order]", "[plex.datasources.order]\nid = 7"))))
    assert changed.tables["order"].id == 7


def test_the_state_belongs_to_the_ids_of_this_interface_and_company(write: Writer, whole: str) -> None:
    assert load(write(whole)).tenant == "ds-ACME"


@pytest.mark.parametrize(
    ("before", "after", "key", "hint"),
    [
        ('begin = "Begin_Date"', 'begn = "Begin_Date"', "plex.datasources.changed_orders.inputs.begn", "begin"),
        ('begin = "Begin_Date"', 'x = "Begin_Date"', "plex.datasources.changed_orders.inputs.begin", "input"),
        ('supplier = "Supplier_No"', 'suplier = "Supplier_No"', "plex.datasources.order.columns.suplier", "supplier"),
        ('supplier = "Supplier_No"', 'note = "X"', "plex.datasources.order.columns.supplier", "column"),
        ("[plex.datasources.lines]", "[plex.datasources.line]", "plex.datasources.line", "lines"),
        ("[plex.datasources.lines]", "[plex.datasources.line]", "plex.datasources.lines", "line_key"),
        ('[plex.datasources.company]', "[plex.datasources.receipts]\n[plex.datasources.company]",
         "plex.datasources.receipts.id", "number"),
        ("[plex.datasources.lines]", '[plex.datasources.lines]\ndates = "%d"', "plex.datasources.lines.dates", "%m"),
        ("[plex.datasources.lines]", "[plex.datasources.lines]\nconstants = { PO_Key = 1 }",
         "plex.datasources.lines.constants.PO_Key", "Omit"),
        ('company_code = "ACME"', "", "plex.auth.company_code", "PCN"),
        ('write = "report-only"', 'write = "custom-fields"', "plex.acknowledgments.write", "report-only"),
        ('write = "report-only"', 'write = "releases"', "plex.datasources.release_write", "release_key"),
        ("[stedi]", '[documents]\nsend = ["850", "810"]\n[stedi]', "plex.datasources.invoices", "modified_at"),
        ("[stedi]", '[documents]\nsend = ["850", "810"]\n[stedi]', "plex.datasources.invoice_lines", "quantity"),
        ("[plex.datasources.company]", "[plex.datasources.invoices]\nid = 5\n[plex.datasources.company]",
         "plex.datasources.invoices.columns.booked", "column"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_key_and_the_fix(
    write: Writer, whole: str, before: str, after: str, key: str, hint: str
) -> None:
    assert before in whole
    assert hint in problem(write(whole.replace(before, after, 1)), key).fix
