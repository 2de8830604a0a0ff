"""How far one has to read is counted from the functions that were entered, in their order."""

from __future__ import annotations

import pytest

from tests.count_functions import counted

POLL, SEND, READ = "sync/poll/orders.py:10 poll", "sync/submit/send.py:5 send", "plex/rest/orders.py:7 Orders.read"


@pytest.mark.parametrize(
    ("calls", "functions", "moves"),
    [
        pytest.param([], 0, 0, id="nothing was entered"),
        pytest.param([POLL], 1, 0, id="one function is no move"),
        pytest.param([POLL, "sync/poll/orders.py:40 plan_poll"], 2, 0, id="two of one file"),
        pytest.param([POLL, SEND], 2, 1, id="two files"),
        pytest.param([POLL, SEND, "sync/poll/orders.py:40 plan_poll"], 3, 2, id="there and back"),
        pytest.param([POLL, SEND, POLL, SEND], 2, 1, id="a function counts where it is entered first"),
        pytest.param([POLL, READ, "sync/poll/orders.py:40 plan_poll"], 3, 0, id="what is called outside is no move"),
        pytest.param([READ, "plex/port.py:3 PlexPort.read"], 2, 0, id="files of other rooms are no moves"),
        pytest.param([POLL, "sync/submit/orders.py:10 poll"], 2, 1, id="files of one name in two rooms"),
    ],
)
def test_functions_and_moves_between_files_of_sync(calls: list[str], functions: int, moves: int) -> None:
    assert counted(calls) == (functions, moves)
