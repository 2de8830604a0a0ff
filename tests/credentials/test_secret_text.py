"""A secret in memory is in no message by accident."""

from __future__ import annotations

from plexstedi.secret_text import SecretText


def test_a_secret_is_shown_by_its_own_method_alone() -> None:
    secret = SecretText("s3cr3t")
    assert "s3cr3t" not in f"{secret} {secret!r} {[secret]}"
    assert secret.get_secret_value() == "s3cr3t"
    assert len({secret, SecretText("s3cr3t"), SecretText("other")}) == 2
    assert secret != "s3cr3t"
