"""The backup status as Prometheus metrics, in a text file that node-exporter picks up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from tinykit_ops.backup.files import write_atomically
from tinykit_ops.backup.status import BackupStatus, TargetStatus
from tinykit_ops.exposition import head, sample

FILE = "tinykit_backup.prom"


def _seconds(time: datetime | None) -> float:
    return time.timestamp() if time else 0.0


_GAUGES: list[tuple[str, str, Callable[[TargetStatus], float]]] = [
    (
        "tinykit_backup_last_success_timestamp_seconds",
        "When the last complete snapshot was finished (0: never).",
        lambda one: _seconds(one.last_success),
    ),
    (
        "tinykit_backup_last_failure_timestamp_seconds",
        "When a backup last failed (0: never).",
        lambda one: _seconds(one.last_failure),
    ),
    (
        "tinykit_backup_last_verified_timestamp_seconds",
        "When a restored copy was last found good (0: never).",
        lambda one: _seconds(one.last_verified),
    ),
    (
        "tinykit_backup_last_verify_failure_timestamp_seconds",
        "When a restored copy was last found bad (0: never).",
        lambda one: _seconds(one.last_verify_failure),
    ),
    (
        "tinykit_backup_failing",
        "Whether the last attempt failed (1) or not (0).",
        lambda one: float(one.failing),
    ),
    (
        "tinykit_backup_data_bytes",
        "What the last snapshot holds, uncompressed.",
        lambda one: one.data_bytes,
    ),
    (
        "tinykit_backup_sent_bytes",
        "What travelled for the last snapshot.",
        lambda one: one.sent_bytes,
    ),
    (
        "tinykit_backup_duration_seconds",
        "How long the last snapshot took.",
        lambda one: one.seconds,
    ),
]


#: What a host does not know that makes no backups itself.
_OF_RUNS = {
    "tinykit_backup_last_failure_timestamp_seconds",
    "tinykit_backup_failing",
    "tinykit_backup_sent_bytes",
    "tinykit_backup_duration_seconds",
}


def render(status: BackupStatus, of: str = "") -> str:
    """The metrics in Prometheus' text format.

    Args:
        of: the instance, on a host that verifies the snapshots of others.
    """
    return "\n".join(_lines(status, of)) + "\n"


def _lines(status: BackupStatus, of: str) -> Iterator[str]:
    whose = {"of": of} if of else {}
    for name, meaning, value in _GAUGES:
        if of and name in _OF_RUNS:
            continue
        yield from head(name, meaning)
        for target, one in sorted(status.targets.items()):
            yield sample(name, {"target": target, **whose}, value(one))


def write_metrics(status: BackupStatus, folder: Path, of: str = "") -> None:
    """Write the file when node-exporter's folder is there."""
    if folder.is_dir():
        name = f"tinykit_backup_{of}.prom" if of else FILE
        write_atomically(folder / name, render(status, of).encode())
