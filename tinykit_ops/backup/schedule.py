"""When each target's turn is, as lines for cron."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from tinykit_ops.settings import Settings, cron

LONGEST_WAIT_MINUTES = 6 * 60


@dataclass(frozen=True)
class Job:
    """One line of the cron file: targets that have the same schedule share a snapshot.

    Attributes:
        delay_seconds: how much later than the schedule this host begins.
        wait_minutes: how long to wait for a run of another line; the next run of this line comes
            no sooner, so that no more than one waits.
    """

    schedule: str
    targets: tuple[str, ...]
    delay_seconds: int
    wait_minutes: int


def jobs(settings: Settings) -> list[Job]:
    """The lines of a host, in the order in which its targets name their schedules."""
    backup = settings.backup
    by_schedule: dict[str, list[str]] = {}
    for target in backup.targets:
        by_schedule.setdefault(backup.plan(target).schedule, []).append(target.name)
    found: list[Job] = []
    for schedule, names in by_schedule.items():
        gap = cron.parse(schedule).gaps_minutes()[0]
        most = min(backup.jitter_minutes * 60, gap * 30)
        wait = min(gap, LONGEST_WAIT_MINUTES)
        found.append(Job(schedule, tuple(names), delay(settings.domains[0], most), wait))
    return found


def delay(host: str, most_seconds: int) -> int:
    """A number of seconds from 0 to `most_seconds`: always the same for a host, and spread evenly
    over a fleet."""
    digest = hashlib.sha256(f"backup {host}".encode()).digest()
    return int.from_bytes(digest[:8]) % (most_seconds + 1)
