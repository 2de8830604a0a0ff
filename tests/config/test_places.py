"""A person on a server finds the configuration and state of the service, and never takes another state for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from plexstedi.config import places
from plexstedi.config.load import default_config_path, default_state_path, load, readable_state_path
from plexstedi.config.places import SERVICE, ServiceFolders, may_exist, usual_state_path
from plexstedi.errors import ConfigurationFault

as_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServiceFolders:
    """A machine with the service's folders, and a person whose own folders are empty."""
    folders = ServiceFolders(tmp_path / "etc/plexstedi", tmp_path / "var/plexstedi")
    for folder in (folders.config / "dallas", folders.state / "dallas", tmp_path / "home"):
        folder.mkdir(parents=True)
    monkeypatch.setattr(places, "SERVICE", folders)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home" / name))
    return folders


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def own_config() -> Path:
    return default_config_path({})


def own_state() -> Path:
    return usual_state_path({}, None)


def test_the_folders_are_those_of_the_units() -> None:
    assert ServiceFolders(Path("/etc/plexstedi"), Path("/var/lib/plexstedi")) == SERVICE


def test_the_service_s_configuration_is_used_where_the_person_has_none(service: ServiceFolders) -> None:
    own = own_config()
    assert service.config not in own.parents, "nothing is there yet"
    configured = touch(service.config / "plexstedi.toml")
    assert default_config_path({}) == configured
    touch(own)
    assert default_config_path({}) == own
    assert default_config_path({"CONFIGURATION_DIRECTORY": "/etc/other"}) == Path("/etc/other/plexstedi.toml")


@pytest.mark.parametrize(
    ("config", "state"),
    [
        ("plexstedi.toml", "state.sqlite3"),
        ("dallas/plexstedi.toml", "dallas/state.sqlite3"),
        ("dallas/old/plexstedi.toml", None),
        ("../plexstedi.toml", None),
    ],
)
def test_the_state_that_belongs_to_a_configuration_of_the_service(
    service: ServiceFolders, config: str, state: str | None
) -> None:
    expected = own_state() if state is None else service.state / state
    config_file = Path(os.path.normpath(service.config / config))
    assert usual_state_path({}, config_file) == expected
    assert readable_state_path({}, config_file) == expected
    assert usual_state_path({"STATE_DIRECTORY": "/s"}, config_file) == Path("/s/state.sqlite3")


def test_a_state_that_cron_has_kept_in_the_user_s_folder_is_not_left_behind(service: ServiceFolders) -> None:
    """Else every order would be unknown, and the run would stop at the first file of ours at Stedi."""
    kept, config = touch(own_state()), service.config / "plexstedi.toml"
    assert usual_state_path({}, config) == kept
    of_service = touch(service.state / "state.sqlite3")
    assert usual_state_path({}, config) == of_service


def test_state_path_and_the_variable_come_first(service: ServiceFolders) -> None:
    config = service.config / "plexstedi.toml"
    example = Path(__file__).parents[2] / "config.example.toml"
    config.write_text(example.read_text())
    config.chmod(0o640)
    loaded = load(config)
    assert default_state_path({"PLEXSTEDI_STATE": "/s"}, loaded) == Path("/s")
    named = config.with_name("named.toml")
    named.write_text(example.read_text().replace("[state]", '[state]\npath = "here.sqlite3"', 1))
    assert default_state_path({}, load(named)) == service.config / "here.sqlite3"
    assert default_state_path({}, loaded) == service.state / "state.sqlite3"


@as_user
def test_a_folder_that_may_not_be_searched_may_have_it(service: ServiceFolders) -> None:
    service.state.chmod(0)
    try:
        assert may_exist(service.state / "state.sqlite3")
    finally:
        service.state.chmod(0o700)


def test_who_may_not_read_the_configuration_is_told_whom_to_be(
    service: ServiceFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    config = touch(service.config / "plexstedi.toml")
    with pytest.raises(ConfigurationFault, match="sudo -u plexstedi plexstedi status"):
        load(config)
    with pytest.raises(ConfigurationFault, match="Give the user that runs plexstedi read permission"):
        load(touch(service.state.parent / "own.toml"))
    if os.geteuid() == 0:
        os.chown(service.state, 1, -1)
        with pytest.raises(ConfigurationFault, match="sudo -u daemon plexstedi status"):
            load(config)
