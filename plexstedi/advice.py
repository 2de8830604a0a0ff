"""Commands named in user-facing texts, complete enough to be copied and run.

A text names a command as `plexstedi review accept ID --reason TEXT`: values known where the text is built are inserted,
the others are placeholders. Placeholders that only a review item can fill are filled when the item is read.
"""

from __future__ import annotations

import re
import shlex

_COMMAND = re.compile(r"`plexstedi [^`]*`")


def filled(text: str, *, review: int, order: str | None = None, transaction: str | None = None) -> str:
    """Fill the placeholders ID, NUMBER and TRANSACTION of a text's commands with the values that are known."""
    known = {"ID": str(review), "NUMBER": order, "TRANSACTION": transaction}

    def command(found: re.Match[str]) -> str:
        words = found[0][1:-1].split(" ")
        return f"`{' '.join(word if (value := known.get(word)) is None else shlex.quote(value) for word in words)}`"

    return _COMMAND.sub(command, text)


def replay_command(number: str, *, release: str | None = None, purpose: str | None = None) -> str:
    """The `replay` command that resends the last document of an order, an invoice, or one release of an order."""
    options = "".join(
        f" {option} {shlex.quote(value)}"
        for option, value in (("--release", release), ("--purpose", purpose))
        if value is not None
    )
    return f"`plexstedi replay {shlex.quote(number)}{options} --reason TEXT`"


def order_command(command: str, number: str) -> str:
    """A command for one order or invoice: `plexstedi status NUMBER`, `plexstedi submit --order NUMBER`."""
    return f"`plexstedi {command} {shlex.quote(number)}`"
