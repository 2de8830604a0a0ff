"""Prometheus reads the metrics of runs from a file that is always whole, under names as it wants them."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sync.report.metrics import Family, Sample, render

from .conftest import Bench, MakeBench


def configured(bench: Bench) -> Path:
    path = bench.place / "metrics" / "plexstedi.prom"
    path.parent.mkdir()
    bench.write_config(lambda text: text + f'\n[run]\nmetrics_file = "{path}"\n')
    return path


def read(path: Path) -> dict[str, Metric]:
    """The families by name; a counter's name is without `_total`."""
    return {family.name: family for family in text_string_to_metric_families(path.read_text())}


def value(families: dict[str, Metric], name: str, **labels: str) -> float:
    (found,) = [sample.value for sample in families[name].samples if sample.labels == labels]
    return found


def test_what_runs_did_and_what_stands_is_in_the_file(make_bench: MakeBench) -> None:
    bench = make_bench(orders=4, suppliers=1)
    path = configured(bench)
    for hours in (0, 3, 1):
        bench.later(hours=hours)
        bench.run("run", "--json")
    bench.sandbox.inject(FaultRule(FaultKind.UNAVAILABLE, origin="plex", times=None))
    bench.run("run")
    bench.run("status")
    found = read(path)
    now = bench.sandbox.clock.now().timestamp()
    runs = {sample.labels["exit_code"]: sample.value for sample in found["plexstedi_runs"].samples}
    assert (sum(runs.values()), runs["5"]) == (4, 1)
    assert value(found, "plexstedi_last_run_exit_code") == 5
    assert abs(now - value(found, "plexstedi_last_run_timestamp_seconds")) < 900
    assert value(found, "plexstedi_healthy") == 0
    assert value(found, "plexstedi_faults", code="unavailable") == 1
    assert now - value(found, "plexstedi_stage_last_success_timestamp_seconds", stage="poll") > -1
    assert value(found, "plexstedi_documents", state="delivered") > 0
    assert sum(sample.value for sample in found["plexstedi_documents"].samples) == len(bench.sandbox.generated())
    assert value(found, "plexstedi_calls", service="plex", outcome="failed") > 0
    assert value(found, "plexstedi_calls", service="stedi", outcome="ok") > 4
    assert value(found, "plexstedi_plex_calls_per_minute_limit") == 190
    assert value(found, "plexstedi_plex_calls_last_minute") >= 1
    assert value(found, "plexstedi_state_size_bytes") > 10_000
    assert value(found, "plexstedi_key_since_timestamp_seconds", key="stedi") <= now
    assert value(found, "plexstedi_key_due_timestamp_seconds") > now
    assert value(found, "plexstedi_attention") == len(bench.run("review", "list", "--json").json["reviews"])


def test_names_are_as_prometheus_wants_them_and_tell_nothing_of_orders(make_bench: MakeBench) -> None:
    bench = make_bench(orders=3, suppliers=1)
    path = configured(bench)
    bench.run("run")
    text = path.read_text()
    for name, family in read(path).items():
        assert re.fullmatch(r"plexstedi_[a-z_]+", name)
        assert family.documentation.endswith("."), name
        assert family.type in ("counter", "gauge"), name
        assert (family.type == "counter") == any(sample.name.endswith("_total") for sample in family.samples), name
        assert not re.search(r"_(days|minutes|ms|milliseconds|kb|mb)$", name), "base units only"
        assert ("timestamp" in name) <= name.endswith("_timestamp_seconds"), name
    assert text.count("# HELP") == text.count("# TYPE") == len(read(path))
    assert not [number for number in bench.numbers_sent() if number in text]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644, "the exporter is another user"
    assert [each.name for each in path.parent.iterdir()] == ["plexstedi.prom"]


def test_runs_that_could_not_use_the_state_are_written_and_counted_later(make_bench: MakeBench) -> None:
    bench = make_bench(orders=2, suppliers=1)
    path = configured(bench)
    bench.run("run")
    away = bench.state.with_name("away")
    bench.state.rename(away)
    assert bench.run("run").code == 7
    found = read(path)
    assert (value(found, "plexstedi_healthy"), value(found, "plexstedi_last_run_exit_code")) == (0, 7)
    assert value(found, "plexstedi_runs", command="run", exit_code="7") == 1
    away.rename(bench.state)
    bench.later(hours=1)
    bench.run("run")
    found = read(path)
    assert value(found, "plexstedi_runs", command="run", exit_code="7") == 1
    assert sum(sample.value for sample in found["plexstedi_runs"].samples) == 3


def test_a_dry_run_writes_none_and_a_missing_folder_is_a_warning(make_bench: MakeBench) -> None:
    bench = make_bench(orders=2, suppliers=1)
    path = configured(bench)
    bench.run("poll", "--dry-run")
    assert not path.exists()
    path.parent.rmdir()
    ran = bench.run("run", "--json")
    assert ran.code == 0
    (warning,) = [each for each in ran.json["warnings"] if "metrics" in each]
    assert str(path) in warning
    assert "run.metrics_file" in warning
    (found,) = [
        each
        for each in bench.run("check", "--offline", "--json").json["findings"]
        if each["subject"] == "run.metrics_file"
    ]
    assert found["verdict"] == "warn"
    path.parent.mkdir()
    bench.later(hours=1)
    assert bench.run("run", "--json").json["warnings"] == []


@pytest.mark.parametrize("text", ['a"b', "a\\b", "a\nb", "a{b}"])
def test_any_label_is_read_as_it_was(text: str) -> None:
    (family,) = text_string_to_metric_families(
        render([Family("plexstedi_x", "gauge", "X.", [Sample(1, (("name", text),))])])
    )
    assert family.samples[0].labels == {"name": text}
