"""What every backup target may say beside where it is: its own schedule and retention."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tinykit_ops.settings.retention import RetentionSettings
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import CronSchedule, Slug

TargetName = Annotated[
    Slug, Field(description="A name for logs, metrics and `--target`.", examples=["offsite"])
]


class PlannedTarget(Section):
    """Base of all kinds of target. What is left out here is as `backup` says for all."""

    kind: str
    name: TargetName
    schedule: CronSchedule | None = Field(
        default=None,
        description="When to back up to this target, if not by `backup.schedule`.",
        examples=["17 4 * * sun"],
    )
    retention: RetentionSettings | None = Field(
        default=None,
        description="Which snapshots stay in this target, if not by `backup.retention`. What is "
        "left out in it has the usual default, not what `backup.retention` says.",
        examples=[{"keep_last": 2, "weekly": 8}],
    )
    max_age_hours: int | None = Field(
        default=None,
        ge=1,
        le=10000,
        description="Longest age of its newest backup, if not by `backup.max_age_hours`.",
        examples=[170],
    )
