"""JSON of documents, written once and fast."""

from __future__ import annotations

import msgspec

from plexstedi.decimal_json import Encoded, Json, dumps

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encoded_once(document: Json) -> Encoded:
    """As `dumps`, in a fifteenth of its time, for what msgspec writes alike: all but some subclasses and numbers.

    `document` has no other types than Json: unlike `dumps`, it does not reject them. What is encoded already is
    returned as it is.
    """
    if isinstance(document, Encoded):
        return document
    try:
        text = _ENCODER.encode(document).decode()
    except (TypeError, ValueError):
        return Encoded(dumps(document))
    # It writes an exponent, and a number that is not finite.
    return Encoded(dumps(document) if any(mark in text for mark in ("E+", "E-", "NaN", "Infinity")) else text)
