"""Commands in texts for people, complete enough to be copied and run.

A text names a command as `plexstedi review accept ID --reason TEXT`: whatever is known where the text is made stands in
it, the rest is a placeholder. Those that only a review item can fill are filled where the item is read.
"""

from __future__ import annotations

import re
import shlex

_COMMAND = re.compile(r"`plexstedi [^`]*`")


def filled(text: str, *, review: int, order: str | None = None, transaction: str | None = None) -> str:
    """The text with the placeholders ID, NUMBER and TRANSACTION of its commands filled, as far as they are known."""
    known = {"ID": str(review), "NUMBER": order, "TRANSACTION": transaction}

    def command(found: re.Match[str]) -> str:
        words = found[0][1:-1].split(" ")
        return f"`{' '.join(word if (value := known.get(word)) is None else shlex.quote(value) for word in words)}`"

    return _COMMAND.sub(command, text)


def replay_command(number: str, *, release: str | None = None, purpose: str | None = None) -> str:
    """The command that sends the last document of an order or invoice, or of one release of an order, again."""
    options = "".join(
        f" {option} {shlex.quote(value)}"
        for option, value in (("--release", release), ("--purpose", purpose))
        if value is not None
    )
    return f"`plexstedi replay {shlex.quote(number)}{options} --reason TEXT`"


def order_command(command: str, number: str) -> str:
    """A command about one order or invoice: `plexstedi status NUMBER`, `plexstedi submit --order NUMBER`."""
    return f"`plexstedi {command} {shlex.quote(number)}`"
