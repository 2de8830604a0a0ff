"""The room of a partner's documents: its guide's, or that of the base names of its release."""

from __future__ import annotations

from plexstedi.edi.guide.capacity import BaseRoom, Room
from plexstedi.edi.guide.model import read_guide
from plexstedi.edi.partner import Partner


def room_for(partner: Partner, set_id: str) -> Room:
    """What the partner's documents of this set have room for. Raise GuideUnreadableError for a guide that is none."""
    schema = partner.guides.get(set_id)
    return BaseRoom(set_id, partner.settings.release) if schema is None else read_guide(schema)
