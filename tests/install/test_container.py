"""The container file and the Kubernetes manifests: no secret inside, no root, never two runs at once."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from plexstedi.secret_names import SecretName

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
MANIFESTS: list[dict[str, Any]] = list(yaml.safe_load_all((EXAMPLES / "kubernetes.yaml").read_text()))
CRON_JOB = next(one for one in MANIFESTS if one["kind"] == "CronJob")
POD = CRON_JOB["spec"]["jobTemplate"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


def instructions() -> list[tuple[str, str]]:
    """The instructions of the container file, without comments and with continued lines joined."""
    text = re.sub(r"^#.*\n", "", (EXAMPLES / "Containerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line.strip())]


def last_stage() -> list[tuple[str, str]]:
    """What the image itself is made of."""
    every = instructions()
    begin = max(at for at, (word, _) in enumerate(every) if word == "FROM")
    return every[begin:]


def environment() -> dict[str, str]:
    """The variables of the image."""
    return dict(pair.split("=", 1) for word, rest in last_stage() if word == "ENV" for pair in rest.split())


def test_each_instruction_is_one() -> None:
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "ENTRYPOINT", "CMD"}
    assert {word for word, _ in instructions()} <= known
    assert instructions()[0][0] == "FROM"


def test_the_base_is_pinned_and_of_a_python_that_the_program_takes() -> None:
    bases = {rest.split()[0] for word, rest in instructions() if word == "FROM"}
    assert len(bases) == 1, "built and run with the same Python"
    found = re.fullmatch(r"docker\.io/library/python:(3\.\d+)\.\d+-slim-[a-z]+", bases.pop())
    assert found is not None
    supported = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    assert f"Programming Language :: Python :: {found[1]}" in supported


def test_it_does_not_run_as_root() -> None:
    *_, user = [rest for word, rest in last_stage() if word == "USER"]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user), "a number: Kubernetes cannot tell whether a name is root"
    made = " ".join(rest for word, rest in last_stage() if word == "RUN")
    number, group = user.split(":")
    assert f"--uid {number} " in made
    assert f"--gid {group} " in made


def test_no_secret_can_get_into_the_image() -> None:
    for word, rest in instructions():
        assert word not in ("ARG", "ADD")
        if word == "COPY":
            *sources, _ = [part for part in rest.split() if not part.startswith("--")]
            assert "." not in sources, "the whole folder may have a configuration with it"
    assert not [name for name in environment() if re.search(r"KEY|SECRET|PASSWORD|TOKEN", name)]


def test_what_is_copied_is_all_that_building_needs() -> None:
    copied = {part for word, rest in instructions() if word == "COPY" for part in rest.split()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}
    assert needed | {*wheel["packages"], *wheel["force-include"]} <= copied


def test_it_finds_configuration_state_and_secrets_and_runs_by_default() -> None:
    found = environment()
    assert found["CONFIGURATION_DIRECTORY"] == "/etc/plexstedi"
    assert found["STATE_DIRECTORY"] == "/var/lib/plexstedi"
    assert found["CREDENTIALS_DIRECTORY"] == "/run/secrets"
    assert ("VOLUME", "/var/lib/plexstedi") in last_stage(), "a state that goes with the container sends nothing again"
    assert ("ENTRYPOINT", '["/opt/plexstedi/bin/plexstedi"]') in last_stage()
    assert ("CMD", '["run"]') in last_stage()


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda one: one["kind"])
def test_kubernetes_takes_the_manifest(manifest: dict[str, Any]) -> None:
    """The last five releases; unknown keys are errors."""
    major, newest, *_ = map(int, kubernetes_validate.latest_version().split("."))
    for minor in range(newest - 4, newest + 1):
        kubernetes_validate.validate(manifest, f"{major}.{minor}", strict=True)


def test_a_misspelt_key_would_be_noticed() -> None:
    wrong = {**CRON_JOB, "spec": {**CRON_JOB["spec"], "concurencyPolicy": "Forbid"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, kubernetes_validate.latest_version(), strict=True)


def test_two_runs_never_meet() -> None:
    assert CRON_JOB["spec"]["concurrencyPolicy"] == "Forbid"
    assert CRON_JOB["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert POD["restartPolicy"] == "Never"
    (claim,) = [one for one in MANIFESTS if one["kind"] == "PersistentVolumeClaim"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]


def test_secrets_are_files_that_others_cannot_read() -> None:
    assert all("valueFrom" not in one for one in CONTAINER["env"])
    assert "envFrom" not in CONTAINER
    (secrets,) = [one["secret"] for one in POD["volumes"] if "secret" in one]
    assert secrets["defaultMode"] == 0o440
    at = {one["mountPath"]: one for one in CONTAINER["volumeMounts"]}
    directory = {one["name"]: one["value"] for one in CONTAINER["env"]}["CREDENTIALS_DIRECTORY"]
    assert at[directory]["readOnly"]
    named = re.findall(r"--from-file=([a-z-]+)(?= |$)", (EXAMPLES / "kubernetes.yaml").read_text(), re.MULTILINE)
    assert set(named) <= {*SecretName}, "the program looks for files of these names"
    assert named


def test_the_pod_is_the_user_of_the_image_and_can_do_little() -> None:
    user = POD["securityContext"]["runAsUser"]
    *_, of_image = [rest for word, rest in last_stage() if word == "USER"]
    assert of_image.split(":")[0] == str(user)
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    written = {one["mountPath"] for one in CONTAINER["volumeMounts"] if not one.get("readOnly")}
    assert written == {environment()["STATE_DIRECTORY"], "/tmp"}


@pytest.mark.parametrize(("ended", "job"), [(0, 0), (3, 0), (5, 0), (6, 0), (1, 1), (4, 4), (7, 7)])
def test_a_job_fails_where_the_unit_would(tmp_path: Path, ended: int, job: int) -> None:
    program = tmp_path / "plexstedi"
    program.write_text(f"#!/bin/sh\nexit {ended}\n")
    program.chmod(0o755)
    command = [*CONTAINER["command"], CONTAINER["args"][0].replace("/opt/plexstedi/bin/plexstedi", str(program))]
    assert subprocess.run(command, env={"PATH": os.environ["PATH"]}, check=False).returncode == job
