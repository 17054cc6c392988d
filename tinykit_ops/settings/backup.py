"""Backups: when, and how long they stay. Where to: `backup_targets`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from tinykit_ops.settings import cron
from tinykit_ops.settings.backup_targets import Target
from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import CronSchedule, ListLike


class RetentionSettings(Section):
    """Which snapshots stay; the newest always does."""

    keep_last: int = Field(
        default=3, ge=1, le=1000, description="How many of the newest stay.", examples=[3]
    )
    daily: int = Field(
        default=7, ge=0, le=1000, description="Days of which the last one stays.", examples=[7]
    )
    weekly: int = Field(
        default=5, ge=0, le=1000, description="Weeks of which the last one stays.", examples=[5]
    )
    monthly: int = Field(
        default=12, ge=0, le=1000, description="Months of which the last one stays.", examples=[12]
    )


def _names_differ(backup: BackupSettings) -> Iterator[Problem]:
    names = [target.name for target in backup.targets]
    for number, name in enumerate(names):
        if name in names[:number]:
            first = names.index(name)
            reason = f'"{name}" is the name of targets[{first}] already'
            yield Problem(f"targets[{number}].name", reason, "give every target a name of its own")


def _age_fits_schedule(backup: BackupSettings) -> Iterator[Problem]:
    hours = cron.parse(backup.schedule).gaps_minutes()[1] / 60
    if hours > backup.max_age_hours:
        reason = (
            f"is {backup.max_age_hours}, but the schedule leaves up to {hours:g} hours between "
            "backups: the check would fail without a fault"
        )
        yield Problem("max_age_hours", reason, f"give it {int(hours) + 2} or more")


class BackupSettings(Section):
    """Scheduled snapshots of PocketBase's data."""

    rules = (_names_differ, _age_fits_schedule)

    schedule: CronSchedule = Field(
        default="17 3 * * *",
        description="When to back up: the five fields of crontab(5), in the host's time zone; at "
        "most every 5 minutes.",
        examples=["17 3 * * *"],
    )
    targets: Annotated[list[Target], ListLike] = Field(
        default=[],
        description="Where snapshots go. Each is of a kind: `s3` or `directory`.",
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
