"""Metrics of runs for Prometheus, in the text format that its node exporter reads from a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from plexstedi import __version__
from plexstedi.config.load import Config
from plexstedi.durable import replace_file
from plexstedi.state.cursors import Fact
from plexstedi.state.run_records import HealthFile, RunTally
from plexstedi.state.statistics import Statistics
from plexstedi.state.store import Store
from plexstedi.sync.health import Health, read_health
from plexstedi.sync.keys.record import KeyRecord

_READABLE = 0o644
"""The exporter is another user. The file has no names of orders or suppliers."""
_MINUTE = 60.0


class Sample(Struct, frozen=True):
    """One value with its labels."""

    value: int | float
    labels: tuple[tuple[str, str], ...] = ()


class Family(Struct, frozen=True):
    """One metric."""

    name: str
    kind: str
    """`counter` or `gauge`."""
    help: str
    samples: Sequence[Sample]


def metrics_path(config: Config, given: str) -> Path:
    """The whole path of the configured file."""
    return config.file.parent / Path(given).expanduser()


def write_metrics(path: Path, families: Sequence[Family]) -> None:
    """Replace the file atomically: the exporter never reads half of it. Raise OSError."""
    replace_file(path, render(families).encode(), _READABLE)


def render(families: Sequence[Family]) -> str:
    """The text format. Pure."""
    lines = []
    for family in families:
        if not family.samples:
            continue
        lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
        for sample in family.samples:
            labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels)
            lines.append(f"{family.name}{{{labels}}} {sample.value}" if labels else f"{family.name} {sample.value}")
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def gather(store: Store | None, state: Path, config: Config, now: datetime) -> list[Family]:
    """The metrics after a run. `store` None: the state cannot be read now; then only what is recorded beside it."""
    health = read_health(store, state, config, now)
    tally = RunTally() if store is None else RunTally.load(store.cursors)
    families = [*_of_runs(health, tally, HealthFile.load(state).runs), *_of_program(state)]
    if store is not None:
        families += [*_of_state(store), *_of_calls(tally, store, config, now), *_of_keys(store, health)]
    return families


def _of_runs(health: Health, tally: RunTally, uncounted: Mapping[str, int]) -> Iterator[Family]:
    runs = {name: tally.runs.get(name, 0) + uncounted.get(name, 0) for name in sorted({*tally.runs, *uncounted})}
    yield Family(
        "plexstedi_runs_total",
        "counter",
        "Ended commands of a timer, by exit code (0, 3: the run was carried out).",
        [
            Sample(count, (("command", command), ("exit_code", code)))
            for name, count in runs.items()
            for command, _, code in (name.rpartition(" "),)
        ],
    )
    last = health.last_run
    yield Family(
        "plexstedi_last_run_timestamp_seconds",
        "gauge",
        "When the last command of a timer ended.",
        [] if last is None else [Sample(last.at.timestamp())],
    )
    yield Family(
        "plexstedi_last_run_exit_code",
        "gauge",
        "Exit code of the last command of a timer.",
        [] if last is None else [Sample(last.exit_code)],
    )
    yield Family(
        "plexstedi_last_run_duration_seconds", "gauge", "Duration of the last command.", [Sample(tally.seconds)]
    )
    yield Family(
        "plexstedi_stage_last_success_timestamp_seconds",
        "gauge",
        "When the stage last succeeded.",
        [
            Sample(record.succeeded_at.timestamp(), (("stage", stage),))
            for stage, record in health.stages.items()
            if record.succeeded_at is not None
        ],
    )
    codes = [fault.code for fault in health.faults]
    yield Family("plexstedi_healthy", "gauge", "1 if no fault persists.", [Sample(int(health.ok))])
    yield Family(
        "plexstedi_faults",
        "gauge",
        "Faults that persist, by code.",
        [Sample(codes.count(code), (("code", code),)) for code in sorted(set(codes))],
    )


def _of_program(state: Path) -> Iterator[Family]:
    yield Family("plexstedi_build_info", "gauge", "The version of plexstedi.", [Sample(1, (("version", __version__),))])
    size = sum(_size(path) for path in (state, state.with_name(f"{state.name}-wal")))
    yield Family("plexstedi_state_size_bytes", "gauge", "Size of the state file.", [Sample(size)])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        # A missing file has no size; what cannot be read is reported by the run.
        return 0


def _of_state(store: Store) -> Iterator[Family]:
    statistics = Statistics(store.database)
    yield Family("plexstedi_attention", "gauge", "Open review items.", [Sample(store.reviews.attention())])
    yield Family(
        "plexstedi_documents_in_doubt",
        "gauge",
        "Documents of which it is not known whether Stedi has them.",
        [Sample(statistics.in_doubt())],
    )
    yield Family(
        "plexstedi_orders",
        "gauge",
        "Orders by phase.",
        [Sample(count, (("phase", phase),)) for phase, count in statistics.orders_by_phase().items()],
    )
    yield Family(
        "plexstedi_documents",
        "gauge",
        "Documents by state.",
        [Sample(count, (("state", name),)) for name, count in statistics.documents_by("state").items()],
    )
    yield Family(
        "plexstedi_review_items",
        "gauge",
        "Open review items by kind.",
        [Sample(count, (("kind", kind),)) for kind, count in store.reviews.open_by_kind().items()],
    )


def _of_calls(tally: RunTally, store: Store, config: Config, now: datetime) -> Iterator[Family]:
    yield Family(
        "plexstedi_calls_total",
        "counter",
        "Attempts of calls to Plex and Stedi, by outcome.",
        [
            Sample(count, (("service", service.lower()), ("outcome", outcome)))
            for name, count in tally.calls.items()
            for service, _, outcome in (name.partition(" "),)
        ],
    )
    times = [datetime.fromisoformat(text) for text in (store.cursors.get(Fact.PLEX_CALLS) or "").split()]
    recent = sum(1 for at in times if 0.0 <= (now - at).total_seconds() < _MINUTE)
    yield Family(
        "plexstedi_plex_calls_last_minute", "gauge", "Calls to Plex in the minute before the end.", [Sample(recent)]
    )
    yield Family(
        "plexstedi_plex_calls_per_minute_limit",
        "gauge",
        "plex.requests_per_minute.",
        [Sample(config.plex.requests_per_minute)],
    )


def _of_keys(store: Store, health: Health) -> Iterator[Family]:
    since = {
        name: record.since
        for name, fact in (("plex", Fact.PLEX_KEY), ("stedi", Fact.STEDI_KEY))
        if (record := KeyRecord.load(store.cursors, fact)).since is not None
    }
    yield Family(
        "plexstedi_key_since_timestamp_seconds",
        "gauge",
        "Since when the key is in use.",
        [Sample(at.timestamp(), (("key", name),)) for name, at in since.items() if at is not None],
    )
    yield Family(
        "plexstedi_key_due_timestamp_seconds",
        "gauge",
        "When the Stedi key is to be replaced.",
        [] if health.key is None else [Sample(health.key.at.timestamp())],
    )
