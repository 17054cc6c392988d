"""What the backup commands print, as text or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from tinykit_ops.backup.catalog import Summary
from tinykit_ops.backup.judgement import Judgement, worst
from tinykit_ops.backup.manifest import Index
from tinykit_ops.backup.prune import Pruned
from tinykit_ops.backup.run import Outcome
from tinykit_ops.backup.status import BackupStatus


def size(count: float) -> str:
    """Bytes for people, such as 1.5 MiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def run_lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What a run came to, a line a target, with warnings below."""
    for outcome in outcomes:
        if outcome.error is not None:
            yield f"FAILED {outcome.target}: {outcome.error}"
        if outcome.index is not None:
            index = outcome.index
            yield (
                f"ok {outcome.target}: snapshot {index.id}, {size(index.data_bytes)} of data, "
                f"{size(outcome.sent_bytes)} sent in {outcome.seconds:.1f} s"
            )
        yield from (f"  warning: {warning}" for warning in outcome.warnings)
        if outcome.pruned is not None and outcome.pruned.denied:
            yield f"  old snapshots stay: {outcome.pruned.denied}"


def list_lines(target: str, found: Sequence[Summary]) -> Iterator[str]:
    """The snapshots of a target, newest first."""
    yield f"{target}: {len(found)} snapshot(s)"
    for one in reversed(found):
        if one.fault is not None:
            yield f"  {one.id}  DAMAGED: {one.fault}"
            continue
        sealed = "encrypted" if one.encrypted else "not encrypted"
        yield (
            f"  {one.id}  {size(one.data_bytes)} of data, {one.uploads} uploads, "
            f"{size(one.own_bytes)} of its own, {sealed}"
        )


def list_json(found: dict[str, list[Summary]]) -> str:
    """The same as JSON."""
    return _json({name: [asdict(one) for one in summaries] for name, summaries in found.items()})


def show_lines(index: Index) -> Iterator[str]:
    """One snapshot: what is stored for it."""
    yield f"snapshot {index.id}, made {index.created.isoformat()}"
    yield f"encrypted: {'yes' if index.encrypted else 'no'}"
    yield f"data: {size(index.data_bytes)}"
    for stored in [index.manifest, *index.parts]:
        yield f"  {stored.key}  {size(stored.size)}  sha256 {stored.sha256}"
    total = sum(stored.size for stored in index.uploads)
    yield f"uploads: {len(index.uploads)} objects, {size(total)} (shared between snapshots)"


def prune_lines(target: str, pruned: Pruned, *, dry_run: bool) -> Iterator[str]:
    """Why each snapshot stays or goes."""
    verb = "would go" if dry_run else "went"
    yield f"{target}:"
    for one in pruned.decisions:
        yield f"  {one.id}  " + (f"stays ({', '.join(one.reasons)})" if one.stays else verb)
    if not dry_run:
        yield (
            f"  unnamed content: {len(pruned.content_removed)} object(s) removed, "
            f"{pruned.waiting} within the grace time"
        )
    if pruned.denied:
        yield f"  stopped: {pruned.denied}"


def status_lines(judgements: Sequence[Judgement]) -> Iterator[str]:
    """One line as Nagios wants it first, then one a target."""
    level = worst(judgements)
    yield f"BACKUP {level.name}" + ("" if judgements else ": the settings name no target")
    yield from (f"{one.level.name} {one.target}: {one.reason}" for one in judgements)


def status_json(judgements: Sequence[Judgement], status: BackupStatus | None) -> str:
    """The same as JSON, with everything that the status file says."""
    told = status.model_dump(mode="json")["targets"] if status else {}
    return _json(
        {
            "level": worst(judgements).name,
            "targets": [
                {
                    "name": one.target,
                    "level": one.level.name,
                    "reason": one.reason,
                    "status": told.get(one.target),
                }
                for one in judgements
            ],
        }
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, default=str)
