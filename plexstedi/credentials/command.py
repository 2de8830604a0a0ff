"""A secret that a program prints: a password manager (`credentials.commands`)."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from plexstedi.errors import CredentialsFault

_SECONDS = 60.0
_LARGEST = 16_384


def printed_by(command: Sequence[str], name: str, env: Mapping[str, str]) -> str:
    """The output of the program, run without a shell and without our other secrets in its environment.

    Raise CredentialsFault if it fails. Neither its output nor its messages are shown: they may contain the secret.
    """
    kept = {key: value for key, value in env.items() if not key.startswith("PLEXSTEDI_")}
    setting = f"credentials.commands.{name}"
    try:
        done = subprocess.run(
            list(command), stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, env=kept, check=False
        )
    except subprocess.TimeoutExpired:
        raise CredentialsFault(
            f"the program of {setting} ({command[0]}) did not end within {_SECONDS:.0f} seconds",
            fix="Run it by hand as this user: it must not wait for input.",
        ) from None
    except OSError as error:
        raise CredentialsFault(
            f"the program of {setting} ({command[0]}) cannot be started ({error.strerror})",
            fix="Correct its path, and give this user the permission to run it.",
        ) from None
    if done.returncode != 0:
        raise CredentialsFault(
            f"the program of {setting} ({command[0]}) ended with {done.returncode}",
            fix="Run it by hand as this user, under the environment that cron or systemd gives.",
        )
    if len(done.stdout) > _LARGEST:
        raise CredentialsFault(
            f"the program of {setting} ({command[0]}) prints too much for a secret", fix="Let it print the secret only."
        )
    try:
        return done.stdout.decode()
    except UnicodeDecodeError:
        raise CredentialsFault(
            f"the program of {setting} ({command[0]}) does not print text", fix="Let it print the secret only."
        ) from None
