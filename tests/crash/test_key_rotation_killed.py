"""The rotation of the Stedi key, killed with SIGKILL at every commit, every call and every write of a secret."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.commands.conftest import MakeBench, make_bench  # noqa: F401
from tests.commands.test_key_rotation import Tenant
from tests.crash.killing import stop_at_commits

GIVEN = "second1.another-made-up-key-0000"


def kill_at(number: int, log: Path) -> Callable[[], None]:
    """What the client's process does first: it dies at the point of this number, counted from the rotation on.

    Each point adds a line to `log`, so that the points of several processes are counted together.
    """

    def prepare() -> None:
        import plexstedi.cli.run as command
        import plexstedi.credentials.encrypted_file as encrypted_file
        from plexstedi.http.network import Network

        counting = [False]

        def point(what: str) -> None:
            if not counting[0]:
                return
            with log.open("a") as file:
                file.write(f"{what}\n")
            if len(log.read_text().splitlines()) > number:
                os.kill(os.getpid(), signal.SIGKILL)

        def around(what: str, act: Callable[..., object]) -> Callable[..., object]:
            def acted(*given: object, **named: object) -> object:
                point(f"before {what}")
                result = act(*given, **named)
                point(f"after {what}")
                return result

            return acted

        def counted(*given: object) -> None:
            counting[0] = True
            rotate(*given)

        rotate = command.rotate_if_due
        command.rotate_if_due = counted
        encrypted_file.replace_file = around("secret", encrypted_file.replace_file)
        Network.handle_request = around("call", Network.handle_request)
        stop_at_commits(lambda: point("commit"))

    return prepare


def walk(make: MakeBench, tmp_path: Path, *, api: bool, every: int) -> Iterator[tuple[int, str]]:
    """Die at each point in turn, each in a new world, and check what the next runs make of it."""
    for number in count(step=every):
        log = tmp_path / f"points{number}"
        log.write_text("")
        tenant = Tenant(make(orders=1, suppliers=1), api=api)
        tenant.run()
        if not api:
            tenant.keys.add(GIVEN)
            tenant.store("stedi-api-key-next", GIVEN)
        tenant.bench.later(days=91)
        killed = False
        for _ in range(2):
            ran = tenant.bench.run("run", env=KEYRING_ENV, before=kill_at(number, log))
            killed = killed or ran.code == -signal.SIGKILL
            assert ran.code in (0, -signal.SIGKILL), ran.err
            tenant.bench.later(minutes=5)
        if not killed:
            return
        at = log.read_text().splitlines()[number]
        for _ in range(3):
            tenant.run()
            tenant.bench.later(minutes=5)
        deleted = tenant.deleted()
        assert len(deleted) == len(set(deleted)), (number, at)
        assert tenant.stored() == {"stedi-api-key"}, (number, at)
        assert len(tenant.keys) == 2, (number, at, "the first one, and the one in use")
        assert tenant.first in tenant.keys, "a key that a person made is not ours to delete"
        tenant.keys.discard(tenant.first)
        tenant.run()
        yield number, at


KEYRING_ENV = {"PLEXSTEDI_STEDI_API_KEY": None}


@pytest.mark.parametrize("api", [True, False], ids=["created", "given"])
def test_killed_here_and_there_a_rotation_leaves_a_working_key(
    make_bench: MakeBench,  # noqa: F811
    tmp_path: Path,
    api: bool,
) -> None:
    places = list(walk(make_bench, tmp_path, api=api, every=9))
    assert len(places) >= 2


@pytest.mark.long
@pytest.mark.parametrize("api", [True, False], ids=["created", "given"])
def test_killed_at_every_point_a_rotation_leaves_a_working_key(
    make_bench: MakeBench,  # noqa: F811
    tmp_path: Path,
    api: bool,
) -> None:
    places = [at for _, at in walk(make_bench, tmp_path, api=api, every=1)]
    assert set(places) == {"before secret", "after secret", "before call", "after call", "commit"}
    assert len(places) >= (20 if api else 12)
