"""Draw README's pictures from the demo: the terminal as SVG, the page as PNG.

    python tests/pictures.py

They go to `docs/pictures`. Needs Chromium. Nothing outside is called: the demo is on loopback.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from rich.console import Console
from rich.text import Text

import plexstedi.cli.invocation as invocation
from plexstedi.cli.main import run
from plexstedi.clock import SystemClock

PLACE = Path(__file__).parents[1] / "docs" / "pictures"
SHOWN = datetime(2026, 11, 25, 21, 20, tzinfo=UTC)
"""A few minutes after the demo's last run."""
COLUMNS = 88
CHROMIUM = (
    "chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --hide-scrollbars --window-size=1280,900"
)


STILL_DATE = (
    "(() => { const Real = Date; globalThis.Date = class extends Real {"
    " constructor(...given) { if (given.length) { super(...given); } else { super(NOW); } }"
    " static now() { return NOW; } }; })();"
)


class StillClock(SystemClock):
    """The time that the pictures show."""

    def now(self) -> datetime:
        """Always the same."""
        return SHOWN


def printed(arguments: list[str]) -> str:
    """What a command prints on a terminal of `COLUMNS` columns, with its colours."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(COLUMNS=str(COLUMNS), LINES="60", TERM="xterm-256color")
        invocation.clock_of_process = StillClock()
        os._exit(run(arguments))
    said = b""
    while True:
        try:
            more = os.read(terminal, 65536)
        except OSError:
            break
        if not more:
            break
        said += more
    os.waitpid(pid, 0)
    return said.decode().replace("\r\n", "\n")


def draw(text: str, title: str, file: Path) -> None:
    """Save text with ANSI colours as a picture of a terminal."""
    console = Console(record=True, width=COLUMNS, file=StringIO())
    console.print(Text.from_ansi(text))
    # Without the fonts that rich would load from elsewhere.
    svg = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title=title), flags=re.DOTALL)
    file.write_text(svg.replace("Fira Code,", ""), encoding="utf-8")


def main() -> None:
    """Draw them all."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "demo"
        if run(["demo", "--dir", str(place)]) != 0:
            raise SystemExit("the demo failed")
        files = ["--config", str(place / "plexstedi.toml"), "--state", str(place / "state.sqlite3")]
        draw(printed([*files, "status"]), "plexstedi status", PLACE / "status.svg")
        draw(printed([*files, "review", "show", "6"]), "plexstedi review show 6", PLACE / "review.svg")
        page = Path(folder) / "page.html"
        said = printed([*files, "status", "--html", str(page)])
        if not page.exists():
            raise SystemExit(f"no page: {said}")
        # The page compares its age with the browser's clock.
        still = STILL_DATE.replace("NOW", str(int(SHOWN.timestamp() * 1000)))
        page.write_text(
            page.read_text(encoding="utf-8").replace("<head>", f"<head><script>{still}</script>", 1), "utf-8"
        )
        profile = Path(folder) / "profile"
        command = [*CHROMIUM.split(), f"--user-data-dir={profile}", f"--screenshot={PLACE / 'page.png'}", page.as_uri()]
        subprocess.run(command, check=True, timeout=120, capture_output=True)


if __name__ == "__main__":
    main()
