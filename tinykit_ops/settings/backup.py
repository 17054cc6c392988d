"""Backups: when, and how long they stay. Where to: `backup_targets`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from tinykit_ops.settings import cron
from tinykit_ops.settings.backup_targets import ArchiveTarget, DirectoryTarget, S3Target, Target
from tinykit_ops.settings.backup_verify import VerifySettings
from tinykit_ops.settings.notify import NotifySettings
from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.retention import RetentionSettings
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import CronSchedule, ListLike

#: All of them may stand in one line of cron, which takes no command of 1000 characters.
MAX_TARGETS = 16


def _targets_are_few(backup: BackupSettings) -> Iterator[Problem]:
    if len(backup.targets) > MAX_TARGETS:
        reason = f"names {len(backup.targets)} targets, and {MAX_TARGETS} are the most"
        yield Problem("targets", reason, "take some off the list")


def _names_differ(backup: BackupSettings) -> Iterator[Problem]:
    names = [target.name for target in backup.targets]
    for number, name in enumerate(names):
        if name in names[:number]:
            first = names.index(name)
            reason = f'"{name}" is the name of targets[{first}] already'
            yield Problem(f"targets[{number}].name", reason, "give every target a name of its own")


def _age_fits_schedule(backup: BackupSettings) -> Iterator[Problem]:
    yield from _too_old(backup.schedule, backup.max_age_hours, "max_age_hours")


def _ages_fit_schedules(backup: BackupSettings) -> Iterator[Problem]:
    for number, target in enumerate(backup.targets):
        if target.schedule or target.max_age_hours:
            plan = _plan(backup, target)
            yield from _too_old(
                plan.schedule, plan.max_age_hours, f"targets[{number}].max_age_hours"
            )


def _too_old(schedule: str, limit: int, key: str) -> Iterator[Problem]:
    hours = cron.parse(schedule).gaps_minutes()[1] / 60
    if hours > limit:
        reason = (
            f"is {limit}, but the schedule leaves up to {hours:g} hours between "
            "backups: the check would fail without a fault"
        )
        yield Problem(key, reason, f"give it {int(hours) + 2} or more")


def _sealed_needs_a_key(backup: BackupSettings) -> Iterator[Problem]:
    if backup.verify is None or backup.verify.identity is not None:
        return
    sealed = [target.name for target in archive_targets(backup) if target.encryption != "none"]
    if sealed:
        reason = f"is missing, and {', '.join(sealed)} is sealed"
        hint = "verify on a verifier (docs/backup.md), or name the private key here"
        yield Problem("verify.identity", reason, hint)


def archive_targets(backup: BackupSettings) -> list[ArchiveTarget]:
    """The targets that a verification reads by itself."""
    return [one for one in backup.targets if isinstance(one, S3Target | DirectoryTarget)]


@dataclass(frozen=True)
class Plan:
    """What holds for one target: its own settings, else those for all."""

    schedule: str
    retention: RetentionSettings
    max_age_hours: int
    max_verified_age_hours: int


def _plan(backup: BackupSettings, target: Target) -> Plan:
    return Plan(
        target.schedule or backup.schedule,
        target.retention or backup.retention,
        target.max_age_hours or backup.max_age_hours,
        backup.max_verified_age_hours,
    )


class BackupSettings(Section):
    """Scheduled snapshots of PocketBase's data."""

    rules = (
        _targets_are_few,
        _names_differ,
        _age_fits_schedule,
        _ages_fit_schedules,
        _sealed_needs_a_key,
    )

    schedule: CronSchedule = Field(
        default="17 3 * * *",
        description="When to back up: the five fields of crontab(5), in the host's time zone; at "
        "most every 5 minutes.",
        examples=["17 3 * * *"],
    )
    jitter_minutes: int = Field(
        default=10,
        ge=0,
        le=120,
        description="Each host begins up to this much later, always by the same amount, so that a "
        "fleet does not begin at once; never more than half the time between two runs.",
        examples=[10],
    )
    targets: Annotated[list[Target], ListLike] = Field(
        default=[],
        description=f"Where snapshots go, at most {MAX_TARGETS}. Each is of a kind: `s3` or "
        "`directory`.",
        examples=[[{"kind": "directory", "name": "disk", "path": "/mnt/backup/tinykit"}]],
    )
    retention: RetentionSettings = Field(
        default=RetentionSettings(),
        description="Which snapshots stay when old ones are pruned.",
        examples=[{"keep_last": 3, "daily": 7}],
    )
    max_age_hours: int = Field(
        default=26,
        ge=1,
        le=10000,
        description="A newest backup older than this is a finding; longer than the schedule's "
        "longest gap.",
        examples=[26],
    )
    max_verified_age_hours: int = Field(
        default=24 * 8,
        ge=1,
        le=10000,
        description="`backup status` warns when no restored copy was found good for longer: the "
        "default is a week and a day.",
        examples=[192],
    )
    verify: VerifySettings | None = Field(
        default=None,
        description="Verify by a schedule on this host. Better on another one, which holds the "
        "private key: a verifier (docs/backup.md).",
        examples=[{"schedule": "41 5 * * sun", "identity": {"file": "~/tinykit-backup.key"}}],
    )
    notify: NotifySettings = Field(
        default=NotifySettings(),
        description="Whom a backup tells how it went.",
        examples=[{"email": "ops@example.com"}],
    )

    def plan(self, target: Target) -> Plan:
        """What holds for one of the targets."""
        return _plan(self, target)
