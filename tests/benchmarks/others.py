"""Our reading of X12 and checking of guides beside other Python libraries, with the same input in one run.

    pip install -e '.[bench,test]' && pip install --no-deps --target FOLDER badX12 dicttoxml
    python -m tests.benchmarks.others [--badx12 FOLDER] [--rounds 15] [--json FILE]

A library that is not installed is named with its installation. badX12 gets a folder of its own, since it comes with a
package `tests` that would hide ours. The libraries do not do the same: the last column says what each one does.
"""

from __future__ import annotations

import argparse
import collections
import collections.abc
import io
import json
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from plexstedi import __version__, decimal_json
from plexstedi.edi.guide.compiled import is_valid_document
from plexstedi.edi.guide.validate import faults
from plexstedi.edi.inbound.reading.acknowledgment import Acknowledgment, read_acknowledgment
from plexstedi.edi.x12.text import sets_of
from tests.benchmarks.cpu import RELEASE, least_ms, order_of, partner_with_guide, prepared_850, x12_855

LINES, SETS = 10, 50


@dataclass(frozen=True)
class Compared:
    """One library at one task; `ms` is user CPU of one document, None if the library is not installed."""

    task: str
    library: str
    ms: float | None
    does: str


def compare(rounds: int = 15, sets: int = SETS, badx12_folder: Path | None = None) -> list[Compared]:
    """All libraries, ours first."""
    return [*_reading(rounds, sets, badx12_folder), *_checking(rounds)]


# ------------------------------------------------------------------------------------------------------ reading X12


def _reading(rounds: int, sets: int, badx12_folder: Path | None) -> list[Compared]:
    task = f"read an 855 of {LINES} lines"
    text = x12_855(prepared_850(order_of(LINES), partner_with_guide()).sent, copies=sets)
    segments = text.count("~")

    def row(library: str, act: Callable[[], object], does: str) -> Compared:
        return Compared(task, library, least_ms(act, rounds, 1) / sets, does)

    def typed() -> None:
        for found in sets_of(text, RELEASE):
            assert isinstance(read_acknowledgment(found.parsed.transaction), Acknowledgment)

    def ours() -> None:
        assert len(sets_of(text, RELEASE)) == sets

    compared = [
        row(_ours("sets_of"), ours, "loops, exact numbers and dates; wrong counts and control numbers are errors"),
        row(_ours("sets_of, read_acknowledgment"), typed, "also into a typed acknowledgment, with a reason per fault"),
    ]
    if (pyx12 := _installed("pyx12.x12file")) is None:
        compared.append(_missing(task, "pyx12"))
    else:

        def with_pyx12() -> None:
            assert sum(1 for _ in pyx12.X12Reader(io.StringIO(text))) == segments

        compared.append(
            row(_named("pyx12"), with_pyx12, "segments of text; wrong counts are reported; has no 855, so no loops")
        )
    if (badx12 := _badx12(badx12_folder)) is None:
        compared.append(_missing(task, "badX12", "--no-deps --target FOLDER badX12 dicttoxml, and --badx12 FOLDER"))
    else:

        def with_badx12() -> None:
            assert len(badx12.Parser().parse_document(text).interchange.groups[0].transaction_sets) == sets

        compared.append(
            row(_named("badX12"), with_badx12, "sets of segments of text; checks nothing unless asked; no loops")
        )
    return compared


def _badx12(folder: Path | None) -> Any:
    """badX12 of 2018 takes `Iterable` from `collections`, where it is no longer since Python 3.10: it is lent to it."""
    lent = not hasattr(collections, "Iterable")
    if lent:
        collections.Iterable = collections.abc.Iterable  # type: ignore[attr-defined]
    if folder is not None:
        sys.path.append(str(folder))
    try:
        return _installed("badx12")
    finally:
        if lent:
            del collections.Iterable  # type: ignore[attr-defined]


# -------------------------------------------------------------------------------------------------- checking guides


def _checking(rounds: int) -> list[Compared]:
    task = f"check an 850 of {LINES} lines by its guide"
    to = partner_with_guide()
    schema, document = to.guides["850"], prepared_850(order_of(LINES), to).guide_json
    # The others take floats, as `json` reads them; ours takes exact numbers.
    plain = json.loads(decimal_json.dumps(document))

    def row(library: str, act: Callable[[], bool], does: str) -> Compared:
        assert act(), library
        return Compared(task, library, least_ms(act, rounds, 20), does)

    compared = [
        row(
            _ours("is_valid_document"),
            lambda: is_valid_document(document, schema, schema),
            "compiled; exact numbers; yes or no: reasons are sought by `faults` when it is no",
        ),
        row(
            _ours("faults"),
            lambda: next(faults(document, schema), None) is None,
            "interpreted; exact numbers; all faults with path and requirement",
        ),
    ]
    if (jsonschema := _installed("jsonschema")) is None:
        compared.append(_missing(task, "jsonschema"))
    else:
        validator = jsonschema.Draft202012Validator(schema)
        compared.append(
            row(
                _named("jsonschema"),
                lambda: bool(validator.is_valid(plain)),
                "interpreted; floats; all faults on request",
            )
        )
    if (fast := _installed("fastjsonschema")) is None:
        compared.append(_missing(task, "fastjsonschema"))
    else:
        check = fast.compile(dict(schema))
        compared.append(
            row(
                _named("fastjsonschema"),
                lambda: check(plain) is plain,
                "generated Python code; floats; the first fault",
            )
        )
    return compared


# ------------------------------------------------------------------------------------------------------------ table


def _installed(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        return None


def _ours(function: str) -> str:
    return f"plexstedi {__version__}, {function}"


def _named(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package


def _missing(task: str, package: str, install: str | None = None) -> Compared:
    return Compared(task, package, None, f"not installed: pip install {install or package}")


def table(compared: list[Compared]) -> str:
    """A Markdown table."""
    rows = [
        "| task | library | ms of user CPU | what it does |",
        "|---|---|---|---|",
        *(
            f"| {one.task} | {one.library} | {'' if one.ms is None else f'{one.ms:.2f}'} | {one.does} |"
            for one in compared
        ),
    ]
    return "\n".join(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--badx12", type=Path, metavar="FOLDER")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    compared = compare(given.rounds, badx12_folder=given.badx12)
    print(
        f"Python {platform.python_version()}, {platform.machine()}; one document, the least of {given.rounds} rounds\n"
    )
    print(table(compared))
    if given.json is not None:
        content = {"python": platform.python_version(), "compared": [asdict(one) for one in compared]}
        given.json.write_text(json.dumps(content, indent=2))


if __name__ == "__main__":
    main()
