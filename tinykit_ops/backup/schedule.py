"""When each target's turn is, as lines for cron."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from tinykit_ops.settings import Settings, cron
from tinykit_ops.settings.backup import archive_targets
from tinykit_ops.settings.verifier import VerifierSettings, folder_name

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


@dataclass(frozen=True)
class VerifyJob:
    """One line of the cron file: targets that are verified one after the other.

    Attributes:
        parts: of how many parts of the uploads each time reads one.
        instance: whose they are, on a verifier; empty on the instance's own host.
        prune: whether they are pruned after the newest snapshots were found good.
    """

    schedule: str
    targets: tuple[str, ...]
    delay_seconds: int
    wait_minutes: int
    parts: int
    instance: str = ""
    prune: bool = False


def verify_jobs(settings: Settings) -> list[VerifyJob]:
    """The lines of an instance that verifies its own snapshots."""
    backup, wanted = settings.backup, settings.backup.verify
    targets = tuple(target.name for target in archive_targets(backup))
    if wanted is None or not targets:
        return []
    gap = cron.parse(wanted.schedule).gaps_minutes()[0]
    most = min(backup.jitter_minutes * 60, gap * 30)
    later = delay(f"verify {settings.domains[0]}", most)
    wait = min(gap, LONGEST_WAIT_MINUTES)
    return [VerifyJob(wanted.schedule, targets, later, wait, wanted.read_data_parts)]


def verifier_jobs(verifier: VerifierSettings) -> list[VerifyJob]:
    """The lines of a verifier: one a target, each a little later than the others; they wait for
    one another."""
    gap = cron.parse(verifier.schedule).gaps_minutes()[0]
    most = min(verifier.jitter_minutes * 60, gap * 30)
    return [
        VerifyJob(
            verifier.schedule,
            (target.target,),
            delay(f"verify {target.name}", most),
            min(gap, LONGEST_WAIT_MINUTES),
            verifier.read_data_parts,
            folder_name(target.instance),
            target.prune,
        )
        for target in verifier.targets
    ]


def delay(host: str, most_seconds: int) -> int:
    """A number of seconds from 0 to `most_seconds`: always the same for a host, and spread evenly
    over a fleet."""
    digest = hashlib.sha256(f"backup {host}".encode()).digest()
    return int.from_bytes(digest[:8]) % (most_seconds + 1)
