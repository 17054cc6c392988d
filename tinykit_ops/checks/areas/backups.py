"""Backups: there is one, it is young, and it is somewhere else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tinykit_ops.checks.backup_status import NEVER, backup_status
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import (
    Area,
    Need,
    Remedy,
    Severity,
    Tally,
    Vantage,
    Verdict,
    failed,
)
from tinykit_ops.checks.registry import check

if TYPE_CHECKING:
    from tinykit_ops.backup.status import TargetStatus


@check(
    id="backups.fresh",
    title="Every backup target got a snapshot lately",
    area=Area.BACKUPS,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    needs=(Need.SETTINGS,),
    checklist="Backups: automated by cron, or by volume snapshot",
    remedy=Remedy(
        by_hand="Name a target in the inventory (`tinykit-ops settings explain backup`) and "
        "deploy. With one, `tinykit-ops backup run` on the host says what is wrong. The schedule "
        "is in /etc/cron.d/tinykit-ops, its output in `journalctl -t tinykit-ops`."
    ),
)
def backups_are_fresh(look: Context) -> Verdict:
    """Reads what the last backups came to, on the host."""
    wanted = look.known.backup
    if not wanted.targets:
        return failed("the settings name no backup target")
    status = backup_status(look)
    if status is None:
        return failed(NEVER)
    tally = Tally()
    for target in wanted.targets:
        limit = wanted.plan(target).max_age_hours
        fault, line = _judge(target.name, status.targets.get(target.name), limit)
        (tally.bad if fault else tally.good).append(fault or line)
    return tally.verdict()


def _judge(name: str, status: TargetStatus | None, limit: int) -> tuple[str, str]:
    """(what is wrong, what is right) with one target."""
    age = status.age_hours(datetime.now(UTC)) if status else None
    if status is None or age is None:
        reason = f": {status.error}" if status and status.error else ""
        return f"{name}: no backup has succeeded{reason}", ""
    line = f"{name}: snapshot {status.snapshot} is {age:.1f} hours old (at most {limit})"
    if age < -1:
        return f"{line}: the clock of this host was wrong, then or now", ""
    if age > limit:
        return f"{line}; {status.error}" if status.failing and status.error else line, ""
    return "", line
