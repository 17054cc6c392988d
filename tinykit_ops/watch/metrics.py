"""What a look saw, as Prometheus metrics, in a text file that node-exporter picks up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.backup.files import write_atomically
from tinykit_ops.exposition import head, sample
from tinykit_ops.settings import Settings
from tinykit_ops.watch.baseline import HOURS
from tinykit_ops.watch.state import State
from tinykit_ops.watch.traffic import BINS, Slice, bin_end

#: Every third bin of the watch is a bucket: each ends at about twice the one before.
_BUCKETS = range(0, BINS - 1, 3)


@dataclass(frozen=True)
class Seen:
    """What is asked for the metrics only.

    Attributes:
        faults: program → why it is not well; empty when it is.
        versions: program → version.
        activated: when the release that serves was switched to, in seconds since 1970.
    """

    faults: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    activated: float = 0.0


def write_metrics(path: Path, settings: Settings, state: State) -> None:
    """Look at the programs and write the file, when node-exporter's folder is there."""
    if path.parent.is_dir():
        write_atomically(path, render(state, _see(settings)).encode())


def render(state: State, seen: Seen) -> str:
    """The metrics in Prometheus' text format."""
    return "\n".join(_lines(state, seen)) + "\n"


def _see(settings: Settings) -> Seen:
    # Bring an HTTP library, which a host without exporters does not need every minute.
    from tinykit_ops.status.health import health_faults
    from tinykit_ops.status.versions import versions_of

    try:
        activated = Path(layout.TINYKIT_CURRENT).lstat().st_mtime
    except OSError:
        activated = 0.0
    return Seen(health_faults(settings), versions_of(settings), activated)


def _lines(state: State, seen: Seen) -> Iterator[str]:
    healthy = {name: float(not fault) for name, fault in seen.faults.items()}
    yield from _gauge("tinykit_healthy", "Whether a program answers.", "program", healthy)
    yield from head("tinykit_version_info", "What is installed.")
    for program, version in sorted(seen.versions.items()):
        yield sample("tinykit_version_info", {"program": program, "version": version}, 1.0)
    yield from _plain(
        "tinykit_release_activated_timestamp_seconds",
        "When the release that serves was switched to (0: unknown).",
        seen.activated,
    )
    begins = {name: life[0] for name, life in state.shown.items()}
    ends = {name: life[1] for name, life in state.shown.items()}
    stem = "tinykit_certificate_not"
    yield from _gauge(f"{stem}_before_timestamp_seconds", "When it began.", "name", begins)
    yield from _gauge(f"{stem}_after_timestamp_seconds", "When it ends.", "name", ends)
    problems = {name: float(one.since > 0) for name, one in state.watched.items()}
    yield from _gauge(
        "tinykit_watch_problem", "Whether the watch calls it a problem now.", "id", problems
    )
    yield from _plain(
        "tinykit_watch_last_look_timestamp_seconds", "When it last looked.", state.looked
    )
    yield from _plain(
        "tinykit_watch_learnt_ratio",
        "Part of the hours of a week that were seen.",
        len(state.learnt.requests.week) / HOURS,
    )
    owed = {channel: float(len(news)) for channel, news in state.owed.items()}
    yield from _gauge(
        "tinykit_watch_owed_messages", "That a channel was not told yet.", "channel", owed
    )
    yield from _traffic(state.totals)


def _traffic(totals: Slice) -> Iterator[str]:
    for name, meaning, value in (
        ("requests", "Requests in the edge's log.", totals.requests),
        ("failed_requests", "Requests answered with 500 or above.", totals.errors),
        ("refused_logins", "Logins that were refused.", totals.refused_logins),
    ):
        yield from _plain(f"tinykit_edge_{name}_total", meaning, value, kind="counter")
    name = "tinykit_edge_request_duration_seconds"
    yield from head(name, "How long answers took.", "histogram")
    for last in _BUCKETS:
        within = sum(times for number, times in totals.slow.items() if number <= last)
        yield sample(f"{name}_bucket", {"le": f"{bin_end(last):.3g}"}, within)
    yield sample(f"{name}_bucket", {"le": "+Inf"}, totals.requests)
    yield sample(f"{name}_sum", {}, max(0.0, totals.seconds))
    yield sample(f"{name}_count", {}, totals.requests)


def _plain(name: str, meaning: str, value: float, kind: str = "gauge") -> Iterator[str]:
    yield from head(name, meaning, kind)
    yield sample(name, {}, value)


def _gauge(name: str, meaning: str, label: str, values: Mapping[str, float]) -> Iterator[str]:
    yield from head(name, meaning)
    for which, value in sorted(values.items()):
        yield sample(name, {label: which}, value)
