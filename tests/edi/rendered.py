"""Decisions and documents for one partner, each with renderings of its own."""

from __future__ import annotations

from typing import Any

from plexstedi.edi.order import Order
from plexstedi.edi.outbound.actions import Due
from plexstedi.edi.outbound.document import Prepared, Renderings, Sendable
from plexstedi.edi.outbound.document import prepare as prepare_with
from plexstedi.edi.outbound.due import due as due_with
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Held
from plexstedi.edi.stream import StreamKey


def due(has: Order | None, latest: Order, partner: Partner, stream: StreamKey | None = None) -> Due:
    return due_with(has, latest, Renderings(partner), stream)


def prepare(action: Sendable, partner: Partner, **more: Any) -> Prepared | Held:
    return prepare_with(action, Renderings(partner), **more)
