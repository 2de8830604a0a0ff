"""`status` with several configurations: one look at all plants, and one exit code for a monitor."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from plexstedi.sandbox.behaviours import Character
from tests.advice_texts import followed
from tests.commands.advice import commands
from tests.commands.conftest import Bench, MakeBench, Ran, must_fit


@pytest.fixture
def plants(make_bench: MakeBench) -> dict[str, Bench]:
    """Dallas is up to date; the supplier of Austin has rejected. Each configuration names its own state."""
    made = {}
    for name, character in (("dallas", Character.PROMPT), ("austin", Character.REJECTING)):
        bench = make_bench(orders=2, suppliers=1, characters=(character,))
        place = bench.place.with_name(name)
        bench.place.rename(place)
        bench.place = place
        bench.write_config(lambda text: text + '\n[state]\npath = "state.sqlite3"\n')
        for hours in (0, 3):
            bench.later(hours=hours)
            bench.run("run")
        made[name] = bench
    return made


def look(plants: dict[str, Bench], *arguments: str, also: tuple[str, ...] = ()) -> Ran:
    """One command line with the configuration of each plant."""
    named = [word for bench in plants.values() for word in ("--config", str(bench.config))]
    first = next(iter(plants.values()))
    return Bench(first.sandbox, first.place, state_named=False).run(*named, *also, *arguments)


def test_all_plants_the_worst_first(plants: dict[str, Bench]) -> None:
    ran = look(plants, "status")
    assert ran.code == 0, ran.err
    assert re.search(r"^austin +ok +[1-9]", ran.out, re.MULTILINE), ran.out
    assert re.search(r"^dallas +ok +0 +0 ", ran.out, re.MULTILINE), ran.out
    assert ran.out.index("austin") < ran.out.index("dallas")
    assert re.search(r"^  review \d+, order PO-\d+, S001: .+\n    fix: ", ran.out, re.MULTILINE), ran.out


def test_the_object_adds_up_and_has_each_plant(plants: dict[str, Bench]) -> None:
    shown = look(plants, "status", "--json").json
    must_fit(shown)
    assert [plant["plant"] for plant in shown["plants"]] == ["austin", "dallas"]
    austin, dallas = shown["plants"]
    assert shown["counts"]["attention"] == austin["attention"] > 0
    assert (dallas["ok"], dallas["attention"], dallas["items"], dallas["error"]) == (True, 0, [], None)
    alone = plants["austin"].run("status", "--json").json
    assert {item["review"] for item in austin["items"]} == {review["id"] for review in alone["waiting"]}
    assert austin["state"] == str(plants["austin"].state)


def test_a_monitor_has_one_exit_code_for_all(plants: dict[str, Bench]) -> None:
    assert look(plants, "status", "--check").code == 3
    for bench in plants.values():
        bench.later(hours=30)
    assert look({"dallas": plants["dallas"], "again": plants["austin"]}, "status", "--check").code == 3
    austin = plants["austin"]
    for review in austin.run("review", "list", "--json").json["reviews"]:
        austin.run("review", "accept", str(review["id"]), "--reason", "agreed", "--json")
    for bench in plants.values():
        ran = bench.run("run")
        assert ran.code == 0, ran.err
    assert look(plants, "status", "--check").code == 0


def test_a_plant_that_cannot_be_read_hides_no_other(plants: dict[str, Bench]) -> None:
    """A broken configuration is exit 4, a broken state file 7: the worse one decides."""
    dallas = plants["dallas"]
    dallas.config.write_text("[plex")
    ran = look({"austin": plants["austin"], "dallas": dallas}, "status", "--json")
    assert ran.code == 4
    broken, austin = ran.json["plants"]
    assert (broken["plant"], broken["ok"], broken["error"]["code"]) == ("dallas", None, "configuration")
    assert broken["items"][0]["kind"] == "unreadable"
    assert austin["attention"] > 0

    text = look({"austin": plants["austin"], "dallas": dallas}, "status").out
    assert re.search(r"^dallas +cannot be read +- ", text, re.MULTILINE), text

    plants["austin"].state.write_bytes(b"no database" * 1000)
    ran = look({"austin": plants["austin"], "dallas": dallas}, "status", "--json")
    assert ran.code == 7
    assert {plant["error"]["code"] for plant in ran.json["plants"]} == {"configuration", "state-corrupt"}


def test_what_is_left_out_is_counted_and_its_command_shows_it(plants: dict[str, Bench], make_bench: MakeBench) -> None:
    many = make_bench(orders=10, suppliers=1, characters=(Character.REJECTING,))
    many.write_config(lambda text: text + '\n[state]\npath = "state.sqlite3"\n')
    for hours in (0, 3):
        many.later(hours=hours)
        many.run("run")
    items = many.run("review", "list", "--json").json["reviews"]
    assert len(items) > 5
    said = look({"dallas": plants["dallas"], "many": many}, "status").out
    left_out = re.search(rf"and {len(items) - 5} more: `plexstedi .*`", said)
    assert left_out is not None, said
    followed.add(left_out[0])
    option, file, *words = commands(left_out[0])[0]
    assert (option, file) == ("--config", str(many.config))
    listed = many.run(*words, "--json").json["waiting"]
    assert {item["id"] for item in listed} == {item["id"] for item in items}


class _Page(HTMLParser):
    """The cells of the table, and the addresses that the page asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.addresses: list[str] = []
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_cell = tag in ("td", "th") or (self._in_cell and tag == "a")
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href", "action")]

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.cells.append(data)
            self._in_cell = False


def test_the_page_has_every_plant_and_no_address_elsewhere(plants: dict[str, Bench], tmp_path: Path) -> None:
    file = tmp_path / "plants.html"
    plants["dallas"].write_config(
        lambda text: (
            re.sub(r'(?m)^name = ".*"', 'name = "R & D <Inc>"', text, count=1) + '\n[state]\npath = "state.sqlite3"\n'
        )
    )
    dallas_held = plants["austin"]
    ran = look(plants, "status", "--html", str(file))
    assert (ran.code, ran.out) == (0, f"Written: {file}\n")
    page = _Page()
    page.feed(text := file.read_text())
    assert page.addresses
    assert [address for address in page.addresses if not address.startswith("#")] == []
    assert [cell for cell in page.cells if cell in plants] == ["austin", "dallas"]
    assert "<Inc>" not in text
    assert str(dallas_held.run("review", "list", "--json").json["reviews"][0]["id"]) in text


def test_what_is_about_one_plant_is_refused_with_the_way(plants: dict[str, Bench]) -> None:
    for arguments in (("status", "PO-1"), ("status", "--supplier", "S001"), ("status", "--late")):
        ran = look(plants, *arguments, "--json")
        assert (ran.code, ran.json["error"]["code"]) == (2, "usage"), arguments
    ran = look(plants, "run", "--json")
    assert ran.code == 2
    assert "status alone" in ran.json["error"]["fix"]
    named = look(plants, "status", "--json", also=("--state", str(plants["dallas"].state)))
    assert (named.code, "--state" in named.json["error"]["message"]) == (2, True)
    twice = look({"a": plants["dallas"], "b": plants["dallas"]}, "status", "--json")
    assert twice.code == 2
    assert "same state file" in twice.json["error"]["message"]


def test_a_plant_before_its_first_run_is_there(plants: dict[str, Bench], make_bench: MakeBench) -> None:
    fresh = make_bench(orders=1, suppliers=1)
    fresh.write_config(lambda text: text + '\n[state]\npath = "state.sqlite3"\n')
    shown = look({**plants, "fresh": fresh}, "status", "--json").json
    (one,) = [plant for plant in shown["plants"] if plant["config"] == str(fresh.config)]
    assert (one["orders"], one["last_run"], one["error"]) == (0, None, None)
