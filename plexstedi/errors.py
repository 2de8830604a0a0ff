"""Faults, grouped by what resolves them.

    PlexStediError            base of all expected faults: a message, a fix, an exit code
    ├── UsageFault            2  invalid usage of the command
    ├── ConfigurationFault    4  config files: lists all problems
    │   └── UntrustedFile     4  a file that determines what is sent is writable by others than root and the user
    ├── CredentialsFault      4  a secret is missing, unreadable or malformed
    ├── EnvironmentFault      4  an environment variable (CA certificates, proxy) has an unusable value
    ├── ServiceRefused        4  Plex or Stedi rejects the key, the tenant, a permission; or ignored a filter
    ├── ServiceUnavailable    5  network, throttling, 5xx, HTML or broken JSON: the next run continues
    ├── RequestRejected       -  one request was rejected for its content (400, 404, 422): its document needs review
    ├── SuspicionStop         3  suspicious data; nothing was sent; can be overridden once by name
    ├── LockHeld              6  another run is active
    ├── StateUnusable         7  the state file is corrupt, read-only, too new, another user's, or the disk is full
    ├── Interrupted         130  SIGTERM or SIGINT; the current document was finished
    ├── Unforeseen            1  one record raised an unexpected error; it is held, all others are processed
    └── InternalFault         1  a stage or command raised an unexpected error

Exceptions carry data; only `cli/result/outcome.py` turns them into messages and exit codes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import IntEnum

from msgspec import Struct


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
    """A foreseeable fault: what happened, and how to fix it.

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
    """The command was used in a way that cannot work."""

    exit_code = ExitCode.USAGE
    code = "usage"


class Problem(Struct, frozen=True):
    """One problem in a configuration file: where, what, and the fix."""

    file: str
    key: str
    message: str
    fix: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.key}" if self.key else self.file
        return f"{where}: {self.message}. {self.fix}"


class ConfigurationFault(PlexStediError):
    """The configuration is invalid; `problems` lists every problem found."""

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
    """Other users can write a file or folder that determines what is sent; nothing was read from it."""

    code = "untrusted"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        head = "other users can change what controls sending:\n"
        self.message = head + "\n".join(f"  {problem}" for problem in self.problems)
        self.args = (self.message,)
        self.fix = "Run the commands above, then `plexstedi check --offline`."


class CredentialsFault(PlexStediError):
    """A secret is missing, unreadable or malformed. The fault never contains the secret."""

    exit_code = ExitCode.CONFIGURATION
    code = "credentials"


class EnvironmentFault(PlexStediError):
    """An environment variable names unusable CA certificates or an unusable proxy. Nothing was sent."""

    exit_code = ExitCode.CONFIGURATION
    code = "environment"


class ServiceRefused(PlexStediError):
    """Plex or Stedi rejects all requests: key, tenant, permission, or a filter that the service ignores."""

    exit_code = ExitCode.CONFIGURATION
    code = "refused"


class ServiceUnavailable(PlexStediError):
    """Plex or Stedi cannot be reached, throttles, fails, or returns an invalid response."""

    exit_code = ExitCode.UNAVAILABLE
    code = "unavailable"


class RecordsUnanswered(ServiceUnavailable):
    """The service responds, but not for some records. Each is a persistent fault of its own; the stage did its work."""


class RequestRejected(PlexStediError):
    """One request was rejected for its content; other requests may succeed. `status` is the HTTP status."""

    exit_code = ExitCode.ATTENTION
    code = "rejected"

    def __init__(self, message: str, *, fix: str, status: int, details: Sequence[str] = ()) -> None:
        super().__init__(message, fix=fix)
        self.status = status
        self.details = tuple(details)


SUSPICIONS = ("sweep-empty", "max-per-run", "feed-stuck", "feed-backwards", "unknown-file")
"""Reasons for which a run stops before it sends anything; `--override` takes these names."""


class SuspicionStop(PlexStediError):
    """A suspicious condition: nothing is sent until a user has checked it.

    `--override NAME` with `name` ignores it for one run.
    """

    exit_code = ExitCode.ATTENTION
    code = "suspicion"

    def __init__(self, name: str, message: str, *, fix: str | None = None, passed: Collection[str] = ()) -> None:
        """`passed`: suspicions already overridden in this run; the advised command repeats them."""
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
    """A signal stopped the run between two documents."""

    exit_code = ExitCode.INTERRUPTED
    code = "interrupted"


class Unforeseen(PlexStediError):
    """One record raised an unexpected error. It is held for review; all others are processed.

    `error` is the exception; its traceback is printed only in the run in which it first occurs.
    """

    exit_code = ExitCode.INTERNAL
    code = "unforeseen"

    def __init__(self, message: str, *, fix: str, error: Exception) -> None:
        super().__init__(message, fix=fix)
        self.error = error


class InternalFault(PlexStediError):
    """A stage or command raised an unexpected exception, `error`. `key` distinguishes it from others of the same
    stage."""

    exit_code = ExitCode.INTERNAL
    code = "internal"

    def __init__(self, message: str, *, fix: str, error: BaseException, key: str) -> None:
        super().__init__(message, fix=fix)
        self.error = error
        self.key = key
