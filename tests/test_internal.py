"""An error that nobody foresaw is told without secrets, whatever its text or its traceback hold."""

from __future__ import annotations

import pytest

from plexstedi import internal
from plexstedi.internal import bounded, internal_fault, redacted, remember_secret, traceback_text

KEY = "stedi-key-4711"
PRESIGNED = "https://bucket.example/file.edi?X-Amz-Signature=letmein&X-Amz-Date=1"


@pytest.fixture(autouse=True)
def a_secret_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(internal, "_secrets", set())
    remember_secret(KEY)


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        (f"no value for {KEY}", KEY),
        (f"{KEY}\n{KEY}", KEY),
        (f"cannot read {PRESIGNED}", "letmein"),
        ("cannot reach http://me:hunter22@proxy:3128/x", "hunter22"),
        ("headers {'Authorization': 'Bearer abcdef'}", "abcdef"),
        ("x-plex-connect-api-key: abcdef", "abcdef"),
    ],
)
def test_an_internal_error_is_reported_without_secrets(said: str, secret: str) -> None:
    try:
        raise RuntimeError(said)
    except RuntimeError as error:
        told = [traceback_text(error), bounded(error), internal_fault(error, "poll").message, redacted(said)]
    assert all(secret not in text for text in told), told
    assert "RuntimeError" in told[0]
    assert "Traceback" in told[0]


def test_the_address_of_a_document_stays_readable() -> None:
    assert redacted(PRESIGNED).startswith("https://bucket.example/file.edi?")


def test_a_traceback_is_bounded_and_steers_no_terminal() -> None:
    try:
        raise RuntimeError("\x1b[2J" + "line\n" * 1000)
    except RuntimeError as error:
        told = traceback_text(error)
    assert "\x1b" not in told
    assert len(told.splitlines()) < 200
