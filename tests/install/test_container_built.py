"""The container file, built and run: the image starts as its own user, and its program works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTAINERFILE = ROOT / "examples" / "Containerfile"
IMAGE = "localhost/plexstedi-test"
_PATIENCE_SECONDS = 900

pytestmark = pytest.mark.long


class Builder:
    """Buildah without a daemon and without privileges of its own, with images of its own."""

    def __init__(self, place: Path) -> None:
        self._environment = {**os.environ, "STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}
        self._storage = ["--root", str(place / "images"), "--runroot", str(place / "run")]

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["buildah", *self._storage, *arguments],
            capture_output=True,
            text=True,
            env=self._environment,
            cwd=ROOT,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def inside(self, container: str, *command: str) -> tuple[int, str]:
        """Run a command as the image's user; its exit code and what it printed."""
        done = self.run("run", container, "--", *command, check=False)
        return done.returncode, done.stdout + done.stderr


def base_of_the_image() -> str:
    return next(line.split()[1] for line in CONTAINERFILE.read_text().splitlines() if line.startswith("FROM "))


def or_skip(command: Sequence[str | Path], what: str) -> None:
    """Run a command that needs the network; skip where it cannot be had."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False)
    if done.returncode != 0:
        pytest.skip(f"{what}: {done.stderr[-300:]}")


@pytest.fixture(scope="module")
def built() -> Iterator[tuple[Builder, str]]:
    """The image, and a container of it. The base is Debian's Python under the name of the real one."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("buildah", "mmdebstrap"))):
        pytest.skip("needs root, buildah and mmdebstrap")
    # Not in memory, where other temporary folders may be. Each process that runs tests has its own.
    place = Path(tempfile.mkdtemp(prefix="container-", dir="/var/tmp"))
    try:
        yield _build(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _build(place: Path) -> tuple[Builder, str]:
    packages = "python3,python3-venv,python-is-python3,ca-certificates"
    system, wheels = place / "base.tar", place / "wheels"
    or_skip(
        ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}", "bookworm", system], "no Debian mirror"
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    python = ["--only-binary=:all:", "--implementation", "cp", "--python-version", "3.11"]
    or_skip([sys.executable, "-m", "pip", "download", "-q", "-d", wheels, *python, *needed], "no package index")
    (place / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    builder = Builder(place)
    base = builder.run("from", "scratch").stdout.strip()
    builder.run("add", "-q", base, str(system), "/")
    builder.run("config", "--env", "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", base)
    if builder.inside(base, "true")[0] != 0:
        pytest.skip(f"no command runs in a container here: {builder.inside(base, 'true')[1][-300:]}")
    builder.run("commit", "-q", "--rm", base, base_of_the_image())
    settings = ["--volume", f"{place / 'pip.conf'}:/etc/pip.conf:ro", "--volume", f"{wheels}:/wheels:ro"]
    built = builder.run("bud", "--pull-never", *settings, "-f", str(CONTAINERFILE), "-t", IMAGE, ".")
    assert "warning" not in built.stderr.lower().replace("[notice]", ""), built.stderr
    return builder, builder.run("from", "--pull-never", IMAGE).stdout.strip()


def test_the_image_runs_as_its_own_user_who_can_change_the_state_only(built: tuple[Builder, str]) -> None:
    builder, container = built
    assert "uid=10001(plexstedi) gid=10001(plexstedi)" in builder.inside(container, "id")[1]
    assert builder.inside(container, "touch", "/opt/plexstedi/x")[0] != 0
    assert builder.inside(container, "touch", "/var/lib/plexstedi/x")[0] == 0


def test_without_a_configuration_it_says_where_one_belongs(built: tuple[Builder, str]) -> None:
    builder, container = built
    code, said = builder.inside(container, "/opt/plexstedi/bin/plexstedi", "run")
    assert code == 4
    assert "/etc/plexstedi/plexstedi.toml" in said


def test_the_program_in_it_works_from_order_to_acknowledgment(built: tuple[Builder, str]) -> None:
    builder, container = built
    code, said = builder.inside(container, "/opt/plexstedi/bin/plexstedi", "demo", "--orders", "4", "--suppliers", "1")
    assert code == 0, said
    assert "documents delivered to suppliers" in said
