"""What a run did, in sentences: only what happened, and what to do next."""

from __future__ import annotations

from plexstedi.plain_text import many
from plexstedi.sync.counts import Counts

_SHOWN_NEWS = 10
"""Review items named by a run on a terminal; `status --needs-attention` has all."""


def sentences(counts: Counts, *, due: bool = False) -> list[str]:
    """A sentence per thing that was done. `due`: the command only found what is due and sends nothing itself."""
    found = []
    if counts.orders_changed:
        found.append(f"{many(counts.orders_changed, 'order')} new or changed in Plex.")
    if counts.documents_queued and due:
        what = many(counts.documents_queued, "document")
        found.append(f"{what} due: `plexstedi submit` sends {'it' if counts.documents_queued == 1 else 'them'}.")
    if counts.documents_sent:
        found.append(f"{many(counts.documents_sent, 'document')} sent to Stedi.")
    if counts.documents_delivered:
        found.append(f"{many(counts.documents_delivered, 'document')} delivered to suppliers.")
    if counts.documents_held:
        found.append(f"{many(counts.documents_held, 'document')} held.")
    if counts.documents_rejected:
        found.append(f"{many(counts.documents_rejected, 'document')} rejected by a supplier's system (997).")
    if counts.documents_failed:
        found.append(f"{many(counts.documents_failed, 'document')} not delivered: delivery failed at Stedi.")
    if counts.acks_received or counts.acks_applied or counts.acks_held:
        parts = [f"{many(counts.acks_received, 'acknowledgment')} received"]
        parts += [f"{counts.acks_applied} applied"] if counts.acks_applied else []
        parts += [f"{counts.acks_held} held for review"] if counts.acks_held else []
        found.append(", ".join(parts) + ".")
    if counts.writes_made:
        found.append(f"{many(counts.writes_made, 'order')} written to Plex.")
    return found


def what_next(counts: Counts) -> list[str]:
    """What somebody has to do, if anything."""
    found = []
    if counts.in_doubt:
        what = many(counts.in_doubt, "document")
        found.append(
            f"{what} in doubt: the next runs find out whether Stedi has {'it' if counts.in_doubt == 1 else 'them'}."
        )
    if counts.attention:
        verb = "item needs" if counts.attention == 1 else "items need"
        found.append(f"{counts.attention} {verb} review: `plexstedi status --needs-attention` shows reasons and fixes.")
    return found


def shortened(news: list[str], *, on_a_terminal: bool) -> list[str]:
    """The new review items, one line each; on a terminal the first ones, and how many more."""
    if not on_a_terminal or len(news) <= _SHOWN_NEWS:
        return [f"needs review: {line}" for line in news]
    return [*(f"needs review: {line}" for line in news[:_SHOWN_NEWS]), f"and {len(news) - _SHOWN_NEWS} more"]
