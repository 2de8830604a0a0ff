"""What can go wrong, by what to do about it.

    PlexStediError            every foreseeable fault: a message, a fix, an exit code
    ├── UsageFault            2  the command line asks for something impossible
    ├── ConfigurationFault    4  config files: all problems at once
    │   └── UntrustedFile     4  a file that decides what is sent, and that others than root and the user can write
    ├── CredentialsFault      4  a secret is missing, unreadable or malformed
    ├── EnvironmentFault      4  a variable of the environment (CA certificates, proxy) names what cannot be used
    ├── ServiceRefused        4  Plex or Stedi refuses the key, the tenant, a grant; or ignored a filter
    ├── ServiceUnavailable    5  network, throttling, 5xx, HTML or broken JSON: the next run carries on
    ├── RequestRejected       -  one request was refused for what it says (400, 404, 422): its document needs a person
    ├── SuspicionStop         3  the world looks wrong; nothing was sent; can be overridden once by name
    ├── LockHeld              6  another run is at work
    ├── StateUnusable         7  the state file is corrupt, read-only, too new, another user's, or the disk is full
    ├── Interrupted         130  SIGTERM or SIGINT; the current document was finished
    ├── Unforeseen            1  one record raised what nobody foresaw; it is held, the rest goes on
    └── InternalFault         1  a stage or command raised what nobody foresaw

An exception carries data; `cli/result/outcome.py` is the one place that turns it into words and an exit code.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command (DESIGN.md section 4)."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    ATTENTION = 3
    CONFIGURATION = 4
    UNAVAILABLE = 5
    LOCKED = 6
    STATE = 7
    INTERRUPTED = 130


class PlexStediError(Exception):
    """A foreseeable fault: what happened, and what to do about it.

    `code` is a stable short name for scripts (`error.code` in `--json`).
    """

    exit_code = ExitCode.INTERNAL
    code = "error"

    def __init__(self, message: str, *, fix: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        if code is not None:
            self.code = code


class UsageFault(PlexStediError):
    """The command line asks for something that cannot be done."""

    exit_code = ExitCode.USAGE
    code = "usage"


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a configuration file: where, what, and how to mend it."""

    file: str
    key: str
    message: str
    fix: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.key}" if self.key else self.file
        return f"{where}: {self.message}. {self.fix}"


class ConfigurationFault(PlexStediError):
    """The configuration is wrong; every problem found is in `problems`."""

    exit_code = ExitCode.CONFIGURATION
    code = "configuration"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = "the configuration has a problem" if count == 1 else f"the configuration has {count} problems"
        super().__init__(
            head + ":\n" + "\n".join(f"  {problem}" for problem in self.problems),
            fix="Correct it, then run `plexstedi check --offline`.",
        )


class UntrustedFile(ConfigurationFault):
    """Others can write a file or a folder that decides what is sent; nothing of it was used."""

    code = "untrusted"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        head = "other users can change what controls sending:\n"
        self.message = head + "\n".join(f"  {problem}" for problem in self.problems)
        self.args = (self.message,)
        self.fix = "Run the commands above, then `plexstedi check --offline`."


class CredentialsFault(PlexStediError):
    """A secret is missing, unreadable or malformed. Never holds the secret itself."""

    exit_code = ExitCode.CONFIGURATION
    code = "credentials"


class EnvironmentFault(PlexStediError):
    """A variable of the environment names what cannot be used: CA certificates, a proxy. Nothing was sent."""

    exit_code = ExitCode.CONFIGURATION
    code = "environment"


class ServiceRefused(PlexStediError):
    """Plex or Stedi refuses us as a whole: key, tenant, grant, or a filter it does not honour."""

    exit_code = ExitCode.CONFIGURATION
    code = "refused"


class ServiceUnavailable(PlexStediError):
    """Plex or Stedi cannot be reached, throttles, fails, or answers something that is no answer."""

    exit_code = ExitCode.UNAVAILABLE
    code = "unavailable"


class RecordsUnanswered(ServiceUnavailable):
    """The service answers, but not for some records: each stands as a fault of its own, the stage did its work."""


class RequestRejected(PlexStediError):
    """One request was refused for its content; other requests may go on. `status` is the HTTP status."""

    exit_code = ExitCode.ATTENTION
    code = "rejected"

    def __init__(self, message: str, *, fix: str, status: int, details: Sequence[str] = ()) -> None:
        super().__init__(message, fix=fix)
        self.status = status
        self.details = tuple(details)


SUSPICIONS = ("sweep-empty", "max-per-run", "feed-stuck", "feed-backwards", "unknown-file")
"""What a run can stop on before it sends anything; the names that `--override` takes."""


class SuspicionStop(PlexStediError):
    """Something looks so wrong that nothing is sent before a person has looked.

    `name` is what `--override NAME` takes to pass it once.
    """

    exit_code = ExitCode.ATTENTION
    code = "suspicion"

    def __init__(self, name: str, message: str, *, fix: str | None = None, passed: Collection[str] = ()) -> None:
        """`passed`: suspicions that this run has passed already; without them the next one would stop on those."""
        self.name = name
        options = " ".join(f"--override {one}" for one in sorted({name, *passed}))
        advice = f"If this is right, run the command once with `{options}`."
        super().__init__(message, fix=advice if fix is None else f"{fix} {advice}")


class LockHeld(PlexStediError):
    """Another run holds the lock."""

    exit_code = ExitCode.LOCKED
    code = "locked"


class StateUnusable(PlexStediError):
    """The state file cannot be used."""

    exit_code = ExitCode.STATE
    code = "state"


class Interrupted(PlexStediError):
    """A signal asked the run to stop; it stopped between two documents."""

    exit_code = ExitCode.INTERRUPTED
    code = "interrupted"


class Unforeseen(PlexStediError):
    """One record raised what nobody foresaw. It is held for review, everything else goes on.

    `error` is what was raised; its traceback is printed in the run in which it appears, and only then.
    """

    exit_code = ExitCode.INTERNAL
    code = "unforeseen"

    def __init__(self, message: str, *, fix: str, error: Exception) -> None:
        super().__init__(message, fix=fix)
        self.error = error


class InternalFault(PlexStediError):
    """A stage or a command raised what nobody foresaw: `error`. `key` tells it from others of the same place."""

    exit_code = ExitCode.INTERNAL
    code = "internal"

    def __init__(self, message: str, *, fix: str, error: BaseException, key: str) -> None:
        super().__init__(message, fix=fix)
        self.error = error
        self.key = key
