"""The units in examples/ are valid, and README's recipe for secrets under systemd says what they say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from plexstedi.credentials.encrypted_file import EncryptedFile
from plexstedi.credentials.keyring_key import KEY_CREDENTIAL
from plexstedi.secret_names import SecretName

ROOT = Path(__file__).parents[2]
UNIT = (ROOT / "examples" / "plexstedi.service").read_text()
README = (ROOT / "README.md").read_text()
_NAMES = {*SecretName, KEY_CREDENTIAL}


def with_recipe(unit: str) -> str:
    """The unit as README recommends it: the key of the encrypted file instead of single secrets. Pure."""
    single = re.sub(r"^(LoadCredentialEncrypted=.*)$", r"#\1", unit, flags=re.MULTILINE)
    recipe = re.compile(rf"^#(LoadCredentialEncrypted={KEY_CREDENTIAL}|Environment=PLEXSTEDI_KEYRING_FILE=\S+)$", re.M)
    changed, count = recipe.subn(r"\1", single)
    assert count == 2, "the lines of the recipe are in the unit, as comments"
    return changed


def settings(unit: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit, re.MULTILINE)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", [UNIT, with_recipe(UNIT)], ids=["as-is", "recipe"])
def test_the_units_are_valid(tmp_path: Path, unit: str) -> None:
    """It ends with 0 for an unknown key, too: any word of it is a mistake."""
    service = tmp_path / "plexstedi.service"
    (program,) = [line.split()[0] for line in settings(unit, "ExecStart")]
    service.write_text(unit.replace(program, sys.executable))
    timer = shutil.copy(ROOT / "examples" / "plexstedi.timer", tmp_path)
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(service), str(timer)], capture_output=True, text=True, check=False
    )
    about = [line for line in (ran.stdout + ran.stderr).splitlines() if "plexstedi" in line]
    assert (ran.returncode, about) == (0, [])


def test_each_credential_of_the_unit_is_a_secret_of_the_program() -> None:
    named = re.findall(r"LoadCredentialEncrypted=([\w-]+)", UNIT)
    assert len(named) == 3
    assert set(named) <= _NAMES


def test_readme_and_the_unit_say_the_same() -> None:
    """Else who follows README has a unit that does not find what the commands stored."""
    unit = with_recipe(UNIT)
    begin = README.index("The recommended way under systemd")
    recipe = README[begin : README.index("\n\nA key of Plex Connect", begin)]
    for key in ("LoadCredentialEncrypted", "Environment"):
        (value,) = settings(unit, key)
        assert f"`{key}={value}`" in recipe
    assert f"-p LoadCredentialEncrypted={settings(unit, 'LoadCredentialEncrypted')[0]}" in recipe
    assert f"-E {settings(unit, 'Environment')[0]}" in recipe
    assert f"--uid={settings(unit, 'User')[0]}" in recipe
    assert settings(unit, "ExecStart")[0].removesuffix(" run") + " credentials set stedi-api-key" in " ".join(
        recipe.split()
    )
    assert f"--name={KEY_CREDENTIAL}" in recipe
    assert f"/etc/credstore.encrypted/{KEY_CREDENTIAL}" in recipe
    (folder,) = settings(unit, "StateDirectory")
    assert settings(unit, "Environment")[0].startswith(f"PLEXSTEDI_KEYRING_FILE=/var/lib/{folder}/")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_key_that_readme_makes_opens_the_file(tmp_path: Path) -> None:
    (command,) = re.findall(r"^    (openssl rand \S+ \S+) \|", README, re.MULTILINE)
    key = subprocess.run(command.split(), capture_output=True, check=True).stdout
    (tmp_path / KEY_CREDENTIAL).write_bytes(key)
    ring = EncryptedFile(tmp_path / "data" / "secrets.keyring", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    ring.set_password("plexstedi", "stedi-api-key", "live_k3y")
    assert ring.get_password("plexstedi", "stedi-api-key") == "live_k3y"
    assert not ring.key_path.exists()
