"""The look at traffic and host every few minutes, for people without Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.secrets import Secret
from tinykit_ops.settings.section import Section


def _quiet_hours_differ(watch: WatchSettings) -> Iterator[Problem]:
    if (watch.quiet_from is None) != (watch.quiet_until is None):
        given = "quiet_from" if watch.quiet_until is None else "quiet_until"
        reason = f"is set, and the other end of the quiet hours is not ({given} alone)"
        yield Problem(given, reason, 'example: "quiet_from": 22, "quiet_until": 7')


class WatchSettings(Section):
    """`tinykit-ops watch`: it tells the channels of `backup.notify` what is unusual."""

    rules = (_quiet_hours_differ,)

    enabled: bool = Field(
        default=False,
        description="Whether the host looks at its own traffic, disks, memory, certificates, "
        "backups and units every minute, and tells the hooks of `backup.notify` what is unusual.",
        examples=[True],
    )
    ping_url: Secret | None = Field(
        default=None,
        description="Address that is called after every look, as healthchecks.io wants it, so that "
        "somebody notices when the host falls silent.",
        examples=[{"env": "TINYKIT_WATCH_PING_URL"}],
    )
    quiet_from: int | None = Field(
        default=None,
        ge=0,
        le=23,
        description="Hour, in the host's time zone, from which on news that is not critical waits.",
        examples=[22],
    )
    quiet_until: int | None = Field(
        default=None,
        ge=0,
        le=23,
        description="Hour at which what waited is told.",
        examples=[7],
    )
    login_failures: int = Field(
        default=30,
        ge=3,
        le=100_000,
        description="Refused logins in five minutes, of all addresses together, that are guessing.",
        examples=[30],
    )
    disk_free_percent: int = Field(
        default=10, ge=1, le=50, description="Less free space is a problem.", examples=[10]
    )
    memory_free_percent: int = Field(
        default=5, ge=1, le=50, description="Less available memory is a problem.", examples=[5]
    )
    certificate_days: int = Field(
        default=10,
        ge=1,
        le=60,
        description="A certificate that ends sooner is a problem: it should have been renewed. For "
        "one that lives for less than six times as long, a sixth of its life counts.",
        examples=[10],
    )
    backup_hours: int = Field(
        default=30,
        ge=1,
        le=2000,
        description="A last complete snapshot that is older is a problem.",
        examples=[30],
    )
    verify_days: int = Field(
        default=10,
        ge=1,
        le=400,
        description="A last verified restore that is older is a problem.",
        examples=[10],
    )
