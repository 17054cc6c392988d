"""How backups stand, in the words and exit codes of Nagios plugins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

from tinykit_ops.backup.status import BackupStatus, TargetStatus


class Level(IntEnum):
    """Nagios' states, which are also the exit codes of `tinykit-ops backup status`."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True)
class Judgement:
    """How one target stands, and why."""

    target: str
    level: Level
    reason: str


def judge(
    names: Sequence[str],
    status: BackupStatus | None,
    max_age_hours: float,
    now: datetime | None = None,
) -> list[Judgement]:
    """Judge every target of the settings.

    Critical: no snapshot, one older than `max_age_hours`, or the last restored copy was bad.
    Warning: the last attempt failed although there is a fresh snapshot.
    """
    known = status.targets if status else {}
    now = now or datetime.now(UTC)
    return [_judge(name, known.get(name, TargetStatus()), max_age_hours, now) for name in names]


def _judge(name: str, one: TargetStatus, max_age_hours: float, now: datetime) -> Judgement:
    age = one.age_hours(now)
    last_error = _first_line(one.error)
    if age is None:
        reason = f"the last attempt failed: {last_error}" if one.failing else "none was tried"
        return Judgement(name, Level.CRITICAL, f"no snapshot yet; {reason}")
    if age > max_age_hours:
        reason = f"; the last attempt failed: {last_error}" if one.failing else ""
        text = f"the last snapshot is {age:.1f} hours old, {max_age_hours:g} are allowed{reason}"
        return Judgement(name, Level.CRITICAL, text)
    if _verify_is_bad(one):
        return Judgement(name, Level.CRITICAL, f"not restorable: {_first_line(one.verify_error)}")
    if one.failing:
        text = f"the last snapshot is {age:.1f} hours old; the last attempt failed: {last_error}"
        return Judgement(name, Level.WARNING, text)
    if age < -1:
        return Judgement(name, Level.WARNING, "the last snapshot is from the future: check clocks")
    return Judgement(name, Level.OK, f"snapshot {one.snapshot} is {max(age, 0):.1f} hours old")


def worst(judgements: Sequence[Judgement]) -> Level:
    """The level of all together; UNKNOWN when there is nothing to judge."""
    return max((one.level for one in judgements), default=Level.UNKNOWN)


def _verify_is_bad(one: TargetStatus) -> bool:
    if one.last_verify_failure is None:
        return False
    return one.last_verified is None or one.last_verify_failure > one.last_verified


def _first_line(text: str | None) -> str:
    return (text or "unknown").splitlines()[0]
