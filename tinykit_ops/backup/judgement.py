"""How backups stand, in the words and exit codes of Nagios plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from tinykit_ops.backup.status import BackupStatus, TargetStatus

CLOCKS_DIFFER = timedelta(hours=1)  #: at most, on hosts that are well


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


@dataclass(frozen=True)
class Limits:
    """How old a target's last snapshot, and its last proof that one comes back, may be: hours."""

    max_age: float
    max_verified_age: float


def judge(
    limits: Mapping[str, Limits], status: BackupStatus | None, now: datetime | None = None
) -> list[Judgement]:
    """Judge every target, by name.

    Critical: no snapshot, one that is too old, or the last restored copy was bad.
    Warning: the last attempt failed although there is a fresh snapshot; no restored copy was found
    good for too long, or ever since the first snapshot; a snapshot or a proof from the future.
    Such a one hides no failure: which of them came first, nobody can tell.
    """
    known = status.targets if status else {}
    now = now or datetime.now(UTC)
    return [
        Judgement(name, *_judge(known.get(name, TargetStatus()), limit, now))
        for name, limit in limits.items()
    ]


def _judge(one: TargetStatus, limit: Limits, now: datetime) -> tuple[Level, str]:
    age = one.age_hours(now)
    last_error = _first_line(one.error)
    failing = _counts(one.last_failure, one.last_success, now)
    if age is None:
        reason = f"the last attempt failed: {last_error}" if failing else "none was tried"
        return Level.CRITICAL, f"no snapshot yet; {reason}"
    if age > limit.max_age:
        reason = f"; the last attempt failed: {last_error}" if failing else ""
        text = f"the last snapshot is {age:.1f} hours old, {limit.max_age:g} are allowed{reason}"
        return Level.CRITICAL, text
    if _counts(one.last_verify_failure, one.last_verified, now):
        return Level.CRITICAL, f"not restorable: {_first_line(one.verify_error)}"
    if failing:
        old = f"{max(age, 0):.1f} hours old"
        return Level.WARNING, f"the last snapshot is {old}; the last attempt failed: {last_error}"
    if _is_future(one.last_success, now):
        return Level.WARNING, "the last snapshot is from the future: check clocks"
    fresh = f"snapshot {one.snapshot} is {max(age, 0):.1f} hours old"
    if _is_future(one.last_verified, now):
        return Level.WARNING, f"{fresh}, but its proof is from the future: check clocks"
    unproven = _unproven_hours(one, now)
    if unproven is not None and unproven > limit.max_verified_age:
        proof = "was ever restored" if one.last_verified is None else "was restored and found good"
        text = f"{fresh}, but none {proof} for {unproven / 24:.0f} days: `backup verify`"
        return Level.WARNING, text
    return Level.OK, f"{fresh}, {_proof(one, now)}"


def _unproven_hours(one: TargetStatus, now: datetime) -> float | None:
    since = one.last_verified or one.first_success
    return (now - since).total_seconds() / 3600 if since else None


def _proof(one: TargetStatus, now: datetime) -> str:
    if one.last_verified is None:
        return "not verified yet"
    days = (now - one.last_verified).total_seconds() / 86400
    by = f" by {one.verified_by}" if one.verified_by else ""
    return f"verified {max(days, 0):.1f} days ago{by}"


def worst(judgements: Sequence[Judgement]) -> Level:
    """The level of all together; UNKNOWN when there is nothing to judge."""
    return max((one.level for one in judgements), default=Level.UNKNOWN)


def _counts(failure: datetime | None, success: datetime | None, now: datetime) -> bool:
    """Whether the last attempt failed, as far as anybody can tell."""
    if failure is None:
        return False
    return success is None or failure > success or _is_future(success, now)


def _is_future(time: datetime | None, now: datetime) -> bool:
    return time is not None and time - now > CLOCKS_DIFFER


def _first_line(text: str | None) -> str:
    return (text or "unknown").splitlines()[0]
