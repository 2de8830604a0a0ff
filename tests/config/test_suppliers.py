"""A supplier is data: merged with the defaults, held when incomplete, never a reason to stop the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from plexstedi.config.load import load
from plexstedi.errors import ConfigurationFault

Writer = Callable[[str], Path]

COMPLETE = 'partnership_id = "p_{0}"\n850 = {{transaction_setting_id = "s"}}\n'


def supplier(code: str, more: str = "") -> str:
    return f"[suppliers.{code}]\n" + COMPLETE.format(code) + more


def test_defaults_reach_every_supplier_and_its_own_keys_win(write: Writer, minimal: str) -> None:
    config = load(
        write(
            minimal
            + """
            [supplier_defaults]
            release = "005010"
            ack_within_hours = 72
            850 = {transaction_setting_id = "default", po_type = {standard = "NE"}}
            tolerance = {price_up_pct = 5, date_late_days = 2}
            units = {Ea = "EA", Box = {unit = "EA", factor = "12"}}
            terms = {"Net 30" = {type = "05", net_days = 30}}
            ship_to = {"Plant 1" = {name = "Plant", city = "Troy"}}
            [suppliers.A]
            release = "004010"
            850 = {transaction_setting_id = "own"}
            tolerance = {price_up_pct = 1}
            units = {Box = "BX"}
            terms = {"Net 30" = {description = "N30"}}
            ship_to = {"Plant 1" = {code = "P1"}}
            [suppliers.B]
            """
        )
    )
    a, b = config.suppliers["A"], config.suppliers["B"]
    assert (a.release, b.release) == ("004010", "005010")
    assert a.document_850 is not None
    assert b.document_850 is not None
    assert (a.document_850.transaction_setting_id, b.document_850.transaction_setting_id) == ("own", "default")
    assert a.document_850.po_type.standard == "NE"
    assert (a.tolerance.price_up_pct, a.tolerance.date_late_days) == (Decimal(1), 2)
    assert a.ack_within_hours == Decimal(72)
    # A unit is one value: the default's factor of 12 must not stick to the supplier's own unit.
    assert (a.units["Box"].unit, a.units["Box"].factor) == ("BX", Decimal(1))
    assert a.units["Ea"].unit == "EA"
    assert a.terms["Net 30"].net_days is None
    # An address is completed with the number that this supplier uses for the place.
    assert (a.ship_to["Plant 1"].city, a.ship_to["Plant 1"].code) == ("Troy", "P1")


def test_a_mistake_in_the_defaults_is_reported_once_and_there(write: Writer, minimal: str) -> None:
    with pytest.raises(ConfigurationFault) as caught:
        load(write(minimal + "[supplier_defaults]\nnotes = 'always'\n" + supplier("A") + supplier("B")))
    assert [problem.key for problem in caught.value.problems] == ["supplier_defaults.notes"]


def test_an_incomplete_supplier_is_held_and_named_while_others_are_not(write: Writer, minimal: str) -> None:
    config = load(write(minimal + "[suppliers.A]\n[suppliers.A.860]\n" + supplier("B")))
    assert set(config.supplier_problems) == {"A"}
    assert {reason.where for reason in config.problems_of("A")} >= {
        "suppliers.A.partnership_id",
        "suppliers.A.850.transaction_setting_id",
    }
    assert config.problems_of("B") == ()


@pytest.mark.parametrize("table", ["suppliers", "customers"])
def test_a_code_with_a_dot_and_without_quotes_is_told_to_be_quoted(write: Writer, minimal: str, table: str) -> None:
    written = f"[{table}.ACME.EU]\npartnership_id = 'p'\nrelease = '004010'\n"
    with pytest.raises(ConfigurationFault) as caught:
        load(write(minimal + written))
    assert [problem.key for problem in caught.value.problems] == [f"{table}.ACME.EU"]
    quoted = f'[{table}."ACME.EU"]'
    assert f"write {quoted}" in caught.value.problems[0].fix
    config = load(write(minimal + written.replace(f"[{table}.ACME.EU]", quoted)))
    assert "ACME.EU" in (config.suppliers if table == "suppliers" else config.customers)


def test_an_incomplete_customer_is_held_and_named(write: Writer, minimal: str) -> None:
    config = load(write(minimal + "[customers.C]\n"))
    assert [reason.where for reason in config.customer_problems["C"]] == [
        "customers.C.partnership_id",
        "customers.C.810.transaction_setting_id",
    ]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (None, "does not exist"),
        (b"{", "is not JSON"),
        (b"\xff\xfe{}", "is not JSON"),
        (b"[1]", "not a JSON Schema"),
        (b'{"heading": {}}', "not a JSON Schema"),
    ],
)
def test_a_guide_that_cannot_be_read_holds_its_supplier_and_is_never_replaced_by_base_names(
    write: Writer, minimal: str, tmp_path: Path, content: bytes | None, word: str
) -> None:
    if content is not None:
        (tmp_path / "guide.json").write_bytes(content)
    config = load(
        write(
            minimal
            + supplier("A", '850.guide_schema = "guide.json"\n').replace(
                '850 = {transaction_setting_id = "s"}\n', '850.transaction_setting_id = "s"\n'
            )
            + supplier("B")
        )
    )
    (reason,) = config.supplier_problems["A"]
    assert reason.code == "guide-unreadable"
    assert word in reason.message
    assert str(tmp_path / "guide.json") in reason.message
    assert reason.where == "suppliers.A.850.guide_schema"
    with pytest.raises(ConfigurationFault):
        config.partner("A")
    assert config.partner("B").guides == {}


def test_a_partner_carries_its_guides(write: Writer, minimal: str, tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"heading": {"minimum": 1}}}
    (tmp_path / "guides").mkdir()
    (tmp_path / "guides/a.json").write_text(json.dumps(schema))
    config = load(
        write(
            minimal
            + '[company]\nname = "Us"\n[suppliers.A]\npartnership_id = "p"\n'
            + '[suppliers.A.850]\ntransaction_setting_id = "s"\nguide_schema = "guides/a.json"\n'
        )
    )
    partner = config.partner("A", "Acme Inc")
    assert partner.guides == {"850": schema}
    assert (partner.code, partner.name, partner.company.name) == ("A", "Acme Inc", "Us")
    assert config.guide("A", "850") == schema
    assert config.guide("A", "860") is None
    assert config.supplier_problems == {}


def test_a_shared_partnership_is_reported_but_allowed(write: Writer, minimal: str) -> None:
    text = minimal + supplier("A") + supplier("B").replace("p_B", "p_A")
    config = load(write(text))
    assert any("A, B share the partnership p_A" in warning for warning in config.warnings)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no [suppliers.CODE]"),
        (supplier("A"), "no 860 table"),
        ('[documents]\nsend = ["860"]\n' + supplier("A"), 'without "850"'),
        ('[documents]\nsend = ["850", "810"]\n' + supplier("A"), "no [customers.CODE]"),
    ],
)
def test_what_is_probably_not_meant_is_reported(write: Writer, minimal: str, text: str, word: str) -> None:
    assert any(word in warning for warning in load(write(minimal + text)).warnings)


@pytest.mark.parametrize("release", ["003010", "003042", "004060", "005010", "007030", "008060"])
def test_any_x12_release_may_be_written(write: Writer, minimal: str, release: str) -> None:
    assert load(write(minimal + supplier("A", f'release = "{release}"\n'))).suppliers["A"].release == release


@pytest.mark.parametrize("release", ["4010", "002040", "003000", "008070", "009010", "04010", "005010X", "０04010", ""])
def test_what_is_no_release_is_refused_with_how_it_is_written(write: Writer, minimal: str, release: str) -> None:
    with pytest.raises(ConfigurationFault) as caught:
        load(write(minimal + supplier("A", f'release = "{release}"\n')))
    (problem,) = caught.value.problems
    assert (problem.key, "GS08" in problem.fix) == ("suppliers.A.release", True)


def test_the_guides_word_for_the_due_date_and_what_is_left_are_set_by_document(write: Writer, minimal: str) -> None:
    own = '[suppliers.A.860]\ntransaction_setting_id = "s"\ndue_qualifier = "010"\nquantity_left = "open"\n'
    settings = load(write(minimal + supplier("A", own))).suppliers["A"]
    assert (settings.document("860").due_qualifier, settings.document("860").quantity_left) == ("010", "open")
    assert (settings.document("850").due_qualifier, settings.document("850").quantity_left) == (None, "hold")
    assert settings.document("810").due_qualifier is None


@pytest.mark.parametrize(
    ("line", "key", "word"),
    [
        ('due_qualifier = "10"', "due_qualifier", '"010"'),
        ('due_qualifier = "004"', "due_qualifier", "due date"),
        ('quantity_left = "opened"', "quantity_left", '"open"'),
    ],
)
def test_a_word_that_cannot_mean_it_is_refused(write: Writer, minimal: str, line: str, key: str, word: str) -> None:
    own = f'[suppliers.A.860]\ntransaction_setting_id = "s"\n{line}\n'
    with pytest.raises(ConfigurationFault) as caught:
        load(write(minimal + supplier("A", own)))
    (problem,) = caught.value.problems
    assert problem.key == f"suppliers.A.860.{key}"
    assert word in problem.fix


def test_a_fix_quotes_a_code_with_a_dot(write: Writer, minimal: str) -> None:
    """Copied as it was printed, `[suppliers.ACME.EU]`, it made another supplier, ACME, with an unknown key."""
    config = load(write(minimal + '[suppliers."ACME.EU"]\n[customers."B C"]\n'))
    reasons = (*config.problems_of("ACME.EU"), *config.customer_problems_of("B C"))
    assert {(reason.where, reason.fix.split(" into ")[-1]) for reason in reasons} >= {
        ('suppliers."ACME.EU".partnership_id', '[suppliers."ACME.EU"].'),
        ('suppliers."ACME.EU".850.transaction_setting_id', '[suppliers."ACME.EU".850].'),
        ('customers."B C".partnership_id', '[customers."B C"].'),
        ('customers."B C".810.transaction_setting_id', '[customers."B C".810].'),
    }
