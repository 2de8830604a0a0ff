"""README's completion steps, as printed: in a new shell the Tab key completes an order's number, at the first press."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from plexstedi.state.store import Store

from .conftest import NOW, ROOT, Cli, an_order, record

STEPS = {"bash": "In bash and\nfish, once:\n", "fish": "In bash and\nfish, once:\n", "zsh": "In zsh, once:\n"}
SHELL_OPTIONS = {"bash": ["-i"], "fish": ["-i"], "zsh": ["-i", "-d"]}
SECONDS = 60
"""The longest wait for anything on the terminal; the machine may be busy."""


def printed_steps(shell: str) -> str:
    """The commands that README prints for this shell."""
    below = (ROOT / "README.md").read_text(encoding="utf-8").split(STEPS[shell])[1]
    block = below.strip("\n").split("\n\n")[0]
    return "\n".join(line.removeprefix("    ") for line in block.splitlines())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_first_tab_in_a_new_shell_completes(cli: Cli, shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    store = Store.open(cli.state, NOW)
    record(store, an_order("XY-2001"))
    store.close()
    # `plexstedi` is that of this Python, and a user's shell has its files in the usual places of the home.
    tools = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = cli.environment(TERM="xterm", PATH=tools, PLEXSTEDI_CONFIG=str(cli.config), PS1="ready> ")
    environment |= {"PLEXSTEDI_STATE": str(cli.state), "fish_features": "no-query-term"}
    environment = {name: value for name, value in environment.items() if not name.startswith("XDG_")}
    # The steps find out which shell they are for from their parent process.
    steps = subprocess.run(
        [program, "-c", f"{printed_steps(shell)}\ntrue"], env=environment, cwd=cli.home, capture_output=True, text=True
    )
    assert (steps.returncode, steps.stderr) == (0, "")
    shown = typed_in(program, SHELL_OPTIONS[shell], environment, cli.home, before="plexstedi status X", after="Y-2001")
    assert "Y-2001" in shown, shown


def typed_in(
    program: str, options: list[str], environment: dict[str, str], home: Path, *, before: str, after: str
) -> str:
    """What a new shell shows for this text and one Tab, until `after` is seen."""
    leader, follower = pty.openpty()
    fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = subprocess.Popen(
        [program, *options],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment,
        cwd=home,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(follower)
    try:
        # Typed ahead; the Tab only when the shell has taken the text.
        os.write(leader, b"echo be''gun\n")
        shown = read_until(leader, "begun")
        os.write(leader, before.encode())
        shown += read_until(leader, before[-1])
        os.write(leader, b"\t")
        return shown + read_until(leader, after)
    finally:
        process.kill()
        process.wait(timeout=SECONDS)
        os.close(leader)


def read_until(terminal: int, text: str) -> str:
    """What the terminal shows until it shows this, or until nothing more comes."""
    shown = b""
    while text.encode() not in shown and select.select([terminal], [], [], SECONDS)[0]:
        try:
            shown += os.read(terminal, 4096)
        except OSError:
            break
    return shown.decode(errors="replace")
