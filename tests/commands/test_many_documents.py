"""A run of many documents keeps them packed until they are sent: what is sent is the same."""

from __future__ import annotations

import re

from plexstedi.sandbox.behaviours import Character
from tests.commands.conftest import number_of

WITH_810 = '[documents]\nsend = ["850", "860", "810"]\n\n[company]'


def pack_all() -> None:
    """In the forked process: as in a run of hundreds of orders, no document is kept as built."""
    from plexstedi.sync.submit import due_documents

    due_documents._UNPACKED_LINES = -1


def sent_by(bench, before) -> list[str]:
    """New orders, one of which is changed and one cancelled, and the invoices."""
    bench.write_config(lambda text: text.replace("[company]", WITH_810))
    assert bench.run("run", before=before).code in (0, 3)
    bench.later(minutes=30)
    assert bench.run("run", before=before).code in (0, 3)
    orders = [document for document in bench.sandbox.generated() if "~ST*850*" in document.edi]
    changed, cancelled = sorted(map(number_of, orders))[:2]
    with bench.sandbox.lock:
        plex = bench.sandbox.plex
        line = plex.order(changed).lines[0]
        plex.edit_release(changed, line.number, line.releases[0].number, quantity=line.releases[0].quantity + 5)
        plex.cancel(cancelled)
    bench.later(minutes=30)
    assert bench.run("run", before=before).code in (0, 3)
    # Several are sent at once: their control numbers vary.
    return sorted(re.sub(r".*?(~ST.*)~SE.*", r"\1", document.edi) for document in bench.sandbox.generated())


def test_packed_documents_are_sent_as_they_were_built(make_bench):
    as_built, packed = (
        sent_by(make_bench(orders=6, characters=(Character.SILENT,)), before) for before in (lambda: None, pack_all)
    )
    for set_id in ("850", "860", "810"):
        assert any(f"~ST*{set_id}*" in edi for edi in packed), set_id
    assert packed == as_built


def test_packed_documents_are_counted_before_the_first_is_sent(make_bench):
    bench = make_bench(orders=6)
    bench.write_config(lambda text: f"{text}\n[documents]\nmax_per_run = 3\n")
    assert bench.run("poll").code == 0
    ran = bench.run("submit", before=pack_all)
    assert "documents.max_per_run = 3" in ran.err
    assert bench.sandbox.generated() == []
    assert bench.run("submit", "--limit", "2", "--override", "max-per-run", before=pack_all).code in (0, 3)
    assert len(bench.sandbox.generated()) == 2
