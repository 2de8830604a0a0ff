"""The example is the documentation of the configuration: complete, right, and of use when copied."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import fields, replace

from plexstedi.config.load import load
from plexstedi.config.tables import ConfigTables
from plexstedi.edi.read_settings import Settings
from plexstedi.errors import ConfigurationFault

EXAMPLE = Path(__file__).resolve().parents[2] / "config.example.toml"
SETTING = re.compile(r"""#(?=\[|"?[A-Za-z0-9][^=#]*=)""")


def complete() -> str:
    """The example with every commented-out setting in force."""
    return "\n".join(SETTING.sub("", line, count=1) for line in EXAMPLE.read_text(encoding="utf-8").splitlines())


def in_force() -> str:
    """As `complete`, without what excludes another setting: a tenant has an id or a number."""
    return complete().replace('customer_id = "123456"', "")


def model_keys(annotation: Any, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key of a model, those below named tables with `*` for the name."""
    for field in fields(annotation):
        path = (*prefix, field.encode_name)
        yield path
        for model, extra in models_in(field.type):
            yield from model_keys(model, (*path, *extra))


def models_in(annotation: Any) -> Iterator[tuple[type[Settings], tuple[str, ...]]]:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        yield annotation, ()
    elif getattr(annotation, "__origin__", None) is dict:
        for model, extra in models_in(annotation.__args__[1]):
            yield model, ("*", *extra)
    else:
        for part in getattr(annotation, "__args__", ()):
            yield from models_in(part)


def present_keys(table: Mapping[str, Any], wanted: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()

    def walk(value: Any, path: tuple[str, ...]) -> None:
        if not isinstance(value, Mapping):
            return
        for key, inner in value.items():
            step = (*path, key)
            if step not in wanted and (any(w[: len(path) + 1] == (*path, "*") for w in wanted)):
                step = (*path, "*")
            found.add(step)
            walk(inner, step)

    walk(table, ())
    return found


def merged_view(keys: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Supplier, default and customer tables have the same keys, and so have the documents: one place is enough."""
    view = set()
    for key in keys:
        if key[0] == "supplier_defaults":
            key = ("partner", *key[1:])
        elif key[0] in ("suppliers", "customers") and len(key) > 1:
            key = ("partner", *key[2:])
        if key[0] == "partner" and len(key) > 1 and key[1] in ("850", "860", "810"):
            key = ("partner", "document", *key[2:])
        if len(key) > 2 and key[:2] == ("partner", "ack_units"):
            key = ("partner", "units", *key[2:])
        view.add(key)
    return view


def test_the_example_validates_as_it_is_and_with_every_setting_in_force(tmp_path: Path) -> None:
    as_it_is = load(EXAMPLE)
    assert as_it_is.supplier_problems == {}
    path = tmp_path / "complete.toml"
    path.write_text(in_force(), encoding="utf-8")
    everything = load(path)
    assert everything.customers["BIGCO"].partnership_id == "example_bigco"


def test_the_example_of_the_data_source_strategy_is_one_that_runs(write: Callable[[str], Path]) -> None:
    text = (
        in_force()
        .replace('write = "custom-fields"', 'write = "datasource"')
        .replace('level = "line"', 'level = "release"')
    )
    sources = load(write(text)).plex.datasources
    assert sources["acknowledgment_write"].inputs["ack_note"] == "Acknowledgement_Note"


def test_every_key_of_the_model_is_in_the_example() -> None:
    """The other way round, a key that the model does not have, is what `load` of the complete example refuses."""
    wanted = set(model_keys(ConfigTables))
    assert ("plex", "acknowledgments", "write") in wanted
    assert ("suppliers", "*", "850", "po_type", "blanket") in wanted
    present = present_keys(tomllib.loads(complete()), wanted)
    assert merged_view(wanted) - merged_view(present) == set()


def test_defaults_shown_in_the_example_are_the_defaults(tmp_path: Path, write: Callable[[str], Path]) -> None:
    """A reader takes a commented-out line for what happens without it."""
    path = tmp_path / "complete.toml"
    path.write_text(in_force(), encoding="utf-8")
    shown, default = load(path), load(EXAMPLE)
    assert shown.plex.requests_per_minute == default.plex.requests_per_minute
    assert shown.plex.read_timeout_seconds == default.plex.read_timeout_seconds
    assert shown.plex.poll.overlap_minutes == default.plex.poll.overlap_minutes
    assert shown.plex.poll.sweep_hours == default.plex.poll.sweep_hours
    assert shown.plex.acknowledgments.release_values == default.plex.acknowledgments.release_values
    # An address that is absent unless it is set.
    assert replace(shown.stedi, api_keys_url=None) == default.stedi
    assert shown.documents.send == default.documents.send
    assert shown.documents.max_per_run == default.documents.max_per_run
    assert shown.documents.known_orders == default.documents.known_orders
    assert shown.alerts.digest_hours == default.alerts.digest_hours
    assert replace(shown.run, html=None, metrics_file=None) == default.run
    assert shown.report == default.report
    assert shown.state.backups == default.state.backups
    with_all, without = shown.suppliers["ACME01"], default.suppliers["ACME01"]
    for name in ("release", "change_orders", "releases", "notes", "items", "tolerance", "ack_within_hours"):
        assert getattr(with_all, name) == getattr(without, name), name


@pytest.mark.parametrize(
    ("good", "bad", "key"),
    [
        ('usage_indicator = "T"', 'usage_indicator = "test"', "stedi.usage_indicator"),
        ("#sweep_hours = 24", "sweep_hour = 24", "plex.poll.sweep_hour"),
        ("#price_up_pct = 0", 'price_up_pct = "five"', "supplier_defaults.tolerance.price_up_pct"),
        (
            '#ignore_segments = ["QTY"]',
            'ignore_segments = ["N1"]',
            "supplier_defaults.acknowledgments.ignore_segments[0]",
        ),
        ('#delimiters = "*~>^"', 'delimiters = "*"', "supplier_defaults.text.delimiters"),
        ('code = "PLANT1"', "code = 1", 'suppliers.ACME01.ship_to."Plant 1".code'),
    ],
)
def test_a_corrupted_example_names_the_key(write: Callable[[str], Path], good: str, bad: str, key: str) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert text.count(good) == 1
    with pytest.raises(ConfigurationFault) as caught:
        load(write(text.replace(good, bad)))
    assert [problem.key for problem in caught.value.problems] == [key]
