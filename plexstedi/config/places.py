"""Where configuration and state are if no option names them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from plexstedi.ownership import owner_of

CONFIG_NAME, STATE_NAME = "plexstedi.toml", "state.sqlite3"


class ServiceFolders(Struct, frozen=True):
    """The folders of a system-wide service, as the units in `examples/` have them."""

    config: Path
    state: Path

    def state_of(self, config: Path) -> Path | None:
        """The service's state file for its configuration, or for that of one plant (`plexstedi@PLANT.service`)."""
        folder = config.absolute().parent
        if folder == self.config:
            return self.state / STATE_NAME
        return self.state / folder.name / STATE_NAME if folder.parent == self.config else None

    def user(self) -> str:
        """The user of the service: who owns the state folder."""
        owner = owner_of(self.state)
        return "plexstedi" if owner in (None, "root") else owner


SERVICE = ServiceFolders(Path("/etc/plexstedi"), Path("/var/lib/plexstedi"))


def default_config_path(env: Mapping[str, str]) -> Path:
    """The path of the configuration file if `--config` is not given.

    `PLEXSTEDI_CONFIG`, then systemd's `$CONFIGURATION_DIRECTORY`, then the user's configuration directory; if that has
    none, the service's configuration where there is one.
    """
    if env.get("PLEXSTEDI_CONFIG"):
        return Path(env["PLEXSTEDI_CONFIG"])
    if env.get("CONFIGURATION_DIRECTORY"):
        return Path(env["CONFIGURATION_DIRECTORY"].split(":")[0]) / CONFIG_NAME
    # A timer names the configuration, and needs no platformdirs.
    from platformdirs import user_config_path

    own, of_service = user_config_path("plexstedi") / CONFIG_NAME, SERVICE.config / CONFIG_NAME
    return of_service if not may_exist(own) and may_exist(of_service) else own


def usual_state_path(env: Mapping[str, str], config: Path | None) -> Path:
    """The path of the state file if neither an option, `PLEXSTEDI_STATE` nor `state.path` gives it.

    systemd's `$STATE_DIRECTORY`, then for the service's configuration the service's state, then the user's state
    directory. A state that exists in the user's directory is preferred to one of the service that does not exist yet.
    """
    if env.get("STATE_DIRECTORY"):
        return Path(env["STATE_DIRECTORY"].split(":")[0]) / STATE_NAME
    from platformdirs import user_state_path

    own = user_state_path("plexstedi") / STATE_NAME
    of_service = None if config is None else SERVICE.state_of(config)
    if of_service is None or (may_exist(own) and not may_exist(of_service)):
        return own
    return of_service


def may_exist(path: Path) -> bool:
    """Whether a path exists, or its folder cannot be searched by this user."""
    try:
        path.lstat()
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def reading_fix(path: Path) -> str:
    """The fix for a configuration that this user may not read."""
    if SERVICE.state_of(path) is None:
        return "Give the user that runs plexstedi read permission."
    user = SERVICE.user()
    return f"Run it as the user of the service: `sudo -u {user} plexstedi status`."
