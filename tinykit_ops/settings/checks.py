"""The nightly look at the host's own checklist."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tinykit_ops.settings.secrets import Secret
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import CronSchedule, Source


class CheckSettings(Section):
    """The nightly look at the host's own checklist."""

    enabled: bool = Field(
        default=True,
        description="Whether the host runs `tinykit-ops check --host` by itself, keeps the "
        "results, and tells what is new.",
        examples=[True],
    )
    schedule: CronSchedule = Field(
        default="41 4 * * *",
        description="When: the five fields of crontab(5), in the host's time zone.",
        examples=["41 4 * * *"],
    )
    jitter_minutes: int = Field(
        default=20,
        ge=0,
        le=120,
        description="Each host begins up to this much later, always by the same amount, so that a "
        "fleet does not begin at once.",
        examples=[20],
    )
    alert_on: Literal["critical", "high", "medium", "low"] = Field(
        default="low",
        description="The least severity of which something new is told by the hooks of "
        "`backup.notify`; metrics and history have all of it.",
        examples=["medium"],
    )
    ping_url: Secret | None = Field(
        default=None,
        description="Address that is called as healthchecks.io wants it: `/start` when a look "
        "begins, `/fail` when something new is wrong, nothing added when not. Left out, "
        "`backup.notify.ping_url` is told of failures only.",
        examples=[{"env": "TINYKIT_CHECKS_PING_URL"}],
    )
    waivers: Source | None = Field(
        default=None,
        description="File of accepted findings on the controller, each with a reason and an end; "
        "docs/check-reports.md has an example.",
        examples=["waivers.toml"],
    )
