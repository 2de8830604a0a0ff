"""`--since` takes times, days, `yesterday` and spans; a day is the tenant's."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from plexstedi.cli.options import instant
from plexstedi.errors import UsageFault

NOW = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
DETROIT = ZoneInfo("America/Detroit")


@pytest.mark.parametrize(
    ("given", "zone", "meant"),
    [
        ("2026-11-20T08:00:00Z", UTC, datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20T08:00:00-05:00", UTC, datetime(2026, 11, 20, 13, tzinfo=UTC)),
        ("2026-11-20", UTC, datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20", DETROIT, datetime(2026, 11, 20, 5, tzinfo=UTC)),
        ("yesterday", UTC, datetime(2026, 11, 22, tzinfo=UTC)),
        ("yesterday", DETROIT, datetime(2026, 11, 21, 5, tzinfo=UTC)),
        ("2d", DETROIT, datetime(2026, 11, 21, 3, 30, tzinfo=UTC)),
        ("6h", UTC, datetime(2026, 11, 22, 21, 30, tzinfo=UTC)),
    ],
)
def test_each_way_of_saying_it_means_one_instant(given: str, zone: ZoneInfo, meant: datetime) -> None:
    assert instant(given, "--since", NOW, zone) == meant


@pytest.mark.parametrize("given", ["", "soon", "2026-11-20T08:00:00", "2026-02-30", "2", "\u0662d", "99999d", "1_0d"])
def test_anything_else_is_refused_with_the_ways_to_write_it(given: str) -> None:
    with pytest.raises(UsageFault) as refused:
        instant(given, "--since", NOW, UTC)
    assert "yesterday, 2d or 6h" in refused.value.fix


def test_the_commands_take_it(cli) -> None:
    for words in (("audit", "export", "--since", "yesterday"), ("audit", "export", "--since", "2d")):
        assert cli.run(*words).code in (0, 7)
    assert cli.run("audit", "export", "--since", "soon").code == 2
