"""Keys of Plex as our text ids.

Plex identifies a release by the key of its line and its own key together. The id also has the order's key, since some
data sources return releases only by order.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from msgspec import Struct

from plexstedi.errors import ServiceRefused


class ReleaseKey(Struct, frozen=True):
    """The three keys of a release, as text."""

    order: str
    line: str
    release: str

    @property
    def id(self) -> str:
        """The release's id: the keys joined by `/`, quoted so that different keys have different ids."""
        return "/".join(quote(key, safe="") for key in (self.order, self.line, self.release))


def release_key(release_id: str) -> ReleaseKey:
    """The keys of an id. Raise ServiceRefused for an id of another interface."""
    parts = [unquote(part) for part in release_id.split("/")]
    if len(parts) != 3:
        raise ServiceRefused(
            f"the release {release_id} was read through another interface of Plex; data sources have other ids",
            fix="Use the interface (plex.api) with which this state file was created, or a separate state file.",
            code="other-ids",
        )
    return ReleaseKey(parts[0], parts[1], parts[2])
