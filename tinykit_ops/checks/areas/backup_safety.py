"""Backups: they are made by themselves, proven, elsewhere, sealed, and not stuck."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tinykit_ops import layout
from tinykit_ops.backup.places import Places
from tinykit_ops.checks.backup_status import NEVER, backup_status
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import (
    Area,
    CannotLook,
    Need,
    Remedy,
    Severity,
    Tally,
    Vantage,
    Verdict,
    failed,
    passed,
)
from tinykit_ops.checks.registry import check

if TYPE_CHECKING:
    from tinykit_ops.backup.status import TargetStatus
    from tinykit_ops.settings.backup_targets import Target

_LINE = "Backups: automated by cron, or by volume snapshot"
_LONGEST_RUN = 12  #: hours; a backup that is at it for longer hangs
_NETWORK_FS = frozenset({"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "ceph", "glusterfs", "9p"})


@check(
    id="backups.scheduled",
    title="Backups are made by themselves, as the settings say",
    area=Area.BACKUPS,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    needs=(Need.SETTINGS,),
    checklist=_LINE,
    remedy=Remedy(by_hand="Run deploys/backups.py again, and `systemctl enable --now cron`."),
)
def backups_are_scheduled(look: Context) -> Verdict:
    """Compares the cron file with the settings, and asks whether cron runs."""
    # Not above: a look from outside needs no settings, which take longer to import than all else.
    from tinykit_ops.backup.schedule import jobs

    tally, wanted = Tally(), jobs(look.known)
    text = look.machine.read(layout.CRON_FILE)
    if not wanted:
        return failed("the settings name no backup target")
    if text is None:
        return failed(f"there is no {layout.CRON_FILE}")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    for job in wanted:
        named = all(f"--target {name}" in text for name in job.targets)
        there = any(
            line.startswith(f"{job.schedule} root ") and " backup run " in line for line in lines
        )
        line = f"{layout.CRON_FILE}: {', '.join(job.targets)} at {job.schedule}"
        (tally.good if named and there else tally.bad).append(
            line if named and there else f"{line} is missing"
        )
    state = look.machine.run("systemctl", "is-active", "cron.service").out.strip()
    (tally.good if state == "active" else tally.bad).append(f"cron is {state or 'unknown'}")
    return tally.verdict()


@check(
    id="backups.verified",
    title="A restored copy of every target was found good lately",
    area=Area.BACKUPS,
    severity=Severity.MEDIUM,
    looks_from=Vantage.HOST,
    needs=(Need.SETTINGS,),
    checklist=_LINE,
    remedy=Remedy(
        by_hand="`tinykit-ops backup verify`, on a host that has the private key; it fetches, "
        "decrypts, checks, and boots a copy. Let it run every week (docs/backup.md)."
    ),
)
def backups_are_verified(look: Context) -> Verdict:
    """Reads what the last verification of each target came to; a first one has its time."""
    limit, tally, now = look.known.backup.max_verified_age_hours, Tally(), datetime.now(UTC)
    known = backup_status(look)
    if known is None:
        raise CannotLook(NEVER)
    for target in look.known.backup.targets:
        one = known.targets.get(target.name)
        if one is None or one.first_success is None:
            tally.unseen.append(f"{target.name}: there is no snapshot that could be verified")
            continue
        fault, line = _proof(target.name, one, limit, now)
        (tally.bad if fault else tally.good).append(line)
    return tally.verdict()


def _proof(name: str, one: TargetStatus, limit: int, now: datetime) -> tuple[bool, str]:
    if one.last_verify_failure and one.last_verify_failure > (
        one.last_verified or now.min.replace(tzinfo=UTC)
    ):
        return True, f"{name}: the last restored copy was bad: {one.verify_error or 'no reason'}"
    since = one.last_verified or one.first_success or now
    hours = (now - since).total_seconds() / 3600
    what = "verified" if one.last_verified else "the first snapshot, not verified yet,"
    return hours > limit, f"{name}: {what} {hours / 24:.1f} days ago (at most {limit / 24:.0f})"


@check(
    id="backups.off-host",
    title="A backup is somewhere else than the host",
    area=Area.BACKUPS,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    needs=(Need.SETTINGS,),
    checklist=_LINE,
    remedy=Remedy(
        by_hand="Name a target of the kind `s3` or `ebs` in the inventory, or a folder on a "
        "network file system: fire, theft and a deleted machine take the host's disks with them."
    ),
)
def a_backup_is_off_host(look: Context) -> Verdict:
    """Reads the targets of the settings, and on what file system a folder lies."""
    tally = Tally()
    for target in look.known.backup.targets:
        away, line = _is_away(look, target)
        (tally.good if away else tally.bad).append(line)
    if tally.good:
        return passed(*tally.good)
    return failed(*(tally.bad or ["the settings name no backup target"]))


def _is_away(look: Context, target: Target) -> tuple[bool, str]:
    if target.kind in ("s3", "ebs"):
        return (
            True,
            f"{target.name} is {'a bucket' if target.kind == 's3' else 'with the provider'}",
        )
    if target.kind == "directory":
        found = look.machine.run("findmnt", "--noheadings", "-o", "FSTYPE", "-T", target.path)
        kind = found.out.strip()
        return kind in _NETWORK_FS, f"{target.name} is a folder on {kind or 'a disk of this host'}"
    return False, f"{target.name} is on a disk of this host"


@check(
    id="backups.encrypted",
    title="What leaves the host is sealed to a key that the host has not",
    area=Area.BACKUPS,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    needs=(Need.SETTINGS,),
    checklist="Use environment variables for secrets",
    remedy=Remedy(
        by_hand="`age-keygen` away from the host, and its public key as `encryption` of the target "
        "in the inventory. The private key belongs where restores are made, and on paper."
    ),
)
def backups_are_sealed(look: Context) -> Verdict:
    """Reads the targets that the host's agent is configured with."""
    tally = Tally()
    if look.machine.stat(layout.CONFIG_FILE) is None:
        raise CannotLook(f"there is no {layout.CONFIG_FILE}, so this host's backups are not known")
    for target in look.known.backup.targets:
        if target.kind == "s3":
            sealed = target.encryption != "none"
            words = "sealed" if sealed else "readable by whoever has the bucket"
            (tally.good if sealed else tally.bad).append(f"{target.name} is {words}")
        else:
            tally.good.append(f"{target.name} stays with the host or its provider")
    if not tally.good and not tally.bad:
        raise CannotLook("the settings name no backup target")
    return tally.verdict()


@check(
    id="backups.not-stuck",
    title="No backup hangs and keeps the others waiting",
    area=Area.BACKUPS,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="The evidence has the number of the process: see what it waits for "
        "(`journalctl -t tinykit-ops`), and end it. A lock ends with its process."
    ),
)
def no_backup_hangs(look: Context) -> Verdict:
    """Reads who holds the lock of backups, and since when."""
    path = str(Places().lock)
    text = look.machine.read(path)
    if look.machine.stat(layout.LOCK_DIR) is None:
        raise CannotLook(f"there is no {layout.LOCK_DIR}")
    found = re.search(r"process (\d+), since (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", text or "")
    if not found:
        return passed("no backup is running")
    if look.machine.stat(f"/proc/{found[1]}") is None:
        return passed(f"process {found[1]}, which began at {found[2]}, has ended")
    began = datetime.fromisoformat(found[2]).replace(tzinfo=UTC)
    hours = (datetime.now(UTC) - began).total_seconds() / 3600
    line = f"process {found[1]} is at a backup for {hours:.1f} hours (at most {_LONGEST_RUN})"
    return passed(line) if hours <= _LONGEST_RUN else failed(line)
