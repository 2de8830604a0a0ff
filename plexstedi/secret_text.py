"""A secret that is in memory."""

from __future__ import annotations


class SecretText:
    """A text that no message, log or traceback shows by accident."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return f"{type(self).__name__}('**********')"

    def __str__(self) -> str:
        return "**********"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretText) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def get_secret_value(self) -> str:
        """The secret itself."""
        return self._text
