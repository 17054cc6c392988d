"""What the backup commands print, as text or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tinykit_ops.backup.catalog import Summary
from tinykit_ops.backup.judgement import Judgement, worst
from tinykit_ops.backup.manifest import Index, index_key
from tinykit_ops.backup.outcome import Outcome
from tinykit_ops.backup.prune import Pruned
from tinykit_ops.backup.retention import Decision
from tinykit_ops.backup.status import BackupStatus
from tinykit_ops.errors import TinykitOpsError

if TYPE_CHECKING:
    from tinykit_ops.backup.doctor.sign import Sign
    from tinykit_ops.backup.sign_offs import Found
    from tinykit_ops.backup.verify_run import Examined


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
        elif outcome.snapshot is not None:
            data = f"{size(outcome.index.data_bytes)} of data, " if outcome.index else ""
            sent = f"{size(outcome.sent_bytes)} sent in {outcome.seconds:.1f} s"
            yield f"ok {outcome.target}: snapshot {outcome.snapshot}, {data}{sent}"
        yield from (f"  warning: {warning}" for warning in outcome.warnings)
        if outcome.pruned is not None and outcome.pruned.denied:
            yield f"  old snapshots stay: {outcome.pruned.denied}"


def run_json(outcomes: Sequence[Outcome]) -> str:
    """The same as JSON."""
    return _json(
        [
            {
                "target": one.target,
                "snapshot": one.snapshot,
                "error": str(one.error) if one.error else None,
                "warnings": one.warnings,
                "sent_bytes": one.sent_bytes,
                "seconds": one.seconds,
                "pruned": _pruned(one.pruned) if one.pruned else None,
            }
            for one in outcomes
        ]
    )


def list_lines(target: str, found: Sequence[Summary]) -> Iterator[str]:
    """The snapshots of a target as a table, newest first."""
    yield f"{target}: {len(found)} snapshot(s)"
    rows = [("ID", "DATA", "UPLOADS", "ITS OWN", "SEALED", "VERIFIED")]
    for one in reversed(found):
        if one.fault is not None:
            rows.append((one.id, f"DAMAGED: {one.fault}", "", "", "", ""))
            continue
        sealed = "encrypted" if one.encrypted else "not encrypted"
        sizes = size(one.data_bytes), str(one.uploads), size(one.own_bytes)
        verified = one.verified.line if one.verified else "not yet"
        rows.append((one.id, *sizes, sealed, verified))
    if found:
        yield from columns(rows)


def columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Lines with every column as wide as its widest cell; what is alone in its row may be wider."""
    full = [row for row in rows if any(row[2:])] or rows
    widths = [max(len(row[place]) for row in full) for place in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()


def list_json(found: dict[str, list[Summary]]) -> str:
    """The same as JSON."""
    return _json({name: [asdict(one) for one in summaries] for name, summaries in found.items()})


def show_lines(index: Index, found: Sequence[Found] = ()) -> Iterator[str]:
    """One snapshot: what is stored for it, and what was found when it was verified."""
    yield f"snapshot {index.id}, made {index.created.isoformat()}"
    yield f"encrypted: {'yes' if index.encrypted else 'no'}"
    yield f"data: {size(index.data_bytes)}"
    for stored in [index.manifest, *index.parts]:
        yield f"  {stored.key}  {size(stored.size)}  sha256 {stored.sha256}"
    total = sum(stored.size for stored in index.uploads)
    yield f"uploads: {len(index.uploads)} objects, {size(total)} (shared between snapshots)"
    yield "verified:" if found else "verified: not yet"
    for one in found:
        pocketbase = one.result.pocketbase or "unknown"
        faults = f"{one.result.faults} fault(s), " if one.result.faults else ""
        booted = f"PocketBase {pocketbase} booted" if one.result.booted else "not booted"
        yield f"  {one.verified.line}: {faults}{booted}, uploads read: {one.result.uploads_read}"


def show_json(index: Index, found: Sequence[Found]) -> str:
    """The same as JSON: the index, with the results as `verified`."""
    told = [{**one.result.model_dump(mode="json"), "trusted": one.trusted} for one in found]
    return _json({**index.model_dump(mode="json"), "verified": told})


def verify_lines(found: Sequence[Examined]) -> Iterator[str]:
    """What was looked at, every fault, and the verdict, of each snapshot."""
    for verdict in [verdict for one in found for verdict in one.verdicts]:
        yield from (f"  looked at: {step}" for step in verdict.steps)
        yield from (f"  FAULT: {fault}" for fault in verdict.faults)
        yield from (f"  warning: {warning}" for warning in verdict.warnings)
        if verdict.damaged:
            yield f"  to do: {verdict.remedy}"
        yield f"{verdict.id}: {'it comes back' if verdict.sound else 'it does NOT come back'}"


def prune_lines(target: str, pruned: Pruned, *, dry_run: bool) -> Iterator[str]:
    """Why each snapshot stays or goes."""
    yield f"{target}:"
    for one in pruned.decisions:
        yield f"  {one.id}  " + _fate(one, pruned, dry_run)
    verb = "would be removed" if dry_run else "removed"
    yield (
        f"  unnamed content: {len(pruned.content_removed)} object(s) {verb}, "
        f"{pruned.waiting} within the grace time or locked"
    )
    if pruned.denied:
        yield "  these credentials may not delete here, so `prune` belongs where others can: "
        yield f"  {pruned.denied}"
    elif pruned.locked:
        yield f"  locked, tried again next time: {len(pruned.locked)} object(s)"


def _fate(one: Decision, pruned: Pruned, dry_run: bool) -> str:
    if one.stays:
        return f"stays ({', '.join(one.reasons)})"
    if index_key(one.id) in pruned.locked:
        return f"should go, and could not: {pruned.locked[index_key(one.id)]}"
    if dry_run:
        return "would go (no rule keeps it)"
    return "stays for now" if pruned.denied else "went (no rule keeps it)"


def prune_json(done: Mapping[str, Pruned]) -> str:
    """The same as JSON."""
    return _json({name: _pruned(pruned) for name, pruned in done.items()})


def _pruned(pruned: Pruned) -> dict[str, Any]:
    told = asdict(pruned)
    for row, decision in zip(told["decisions"], pruned.decisions, strict=True):
        row["stays"] = decision.stays
    return told


def unknown_json(error: TinykitOpsError) -> str:
    """What `status` says as JSON when it cannot look."""
    return _json({"level": "UNKNOWN", "reason": error.what, "targets": []})


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


def doctor_lines(seen: Mapping[str, Sequence[Sign]]) -> Iterator[str]:
    """What the doctor saw, a table for each patient; hints stand below their sign."""
    for name, signs in seen.items():
        yield f"{name}:"
        for sign in signs:
            yield f"  {sign.mark:<8}{sign.about:<12}{sign.said}"
            if sign.hint:
                yield f"{'':22}→ {sign.hint}"


def doctor_json(seen: Mapping[str, Sequence[Sign]]) -> str:
    """The same as JSON."""
    return _json({name: [asdict(sign) for sign in signs] for name, signs in seen.items()})


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, default=str)
