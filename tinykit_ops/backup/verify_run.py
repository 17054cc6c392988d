"""Verifying from the command line: which snapshots, which binary, and who is told."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.binaries import binary_of_version
from tinykit_ops.backup.catalog import newest_id, snapshot_ids
from tinykit_ops.backup.delivery import unexpected, wanted_targets
from tinykit_ops.backup.errors import BackupError, BackupSettingsError, local_failure
from tinykit_ops.backup.keys import Identity, read_identities
from tinykit_ops.backup.lock import only_one
from tinykit_ops.backup.notify import BACKUP, VERIFY, Notifier
from tinykit_ops.backup.outcome import Outcome
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.progress import Progress, Silent, watched
from tinykit_ops.backup.share import WHOLE, Share
from tinykit_ops.backup.status import known_of
from tinykit_ops.backup.targets import open_target
from tinykit_ops.backup.targets.volume import is_volume_target, open_volume
from tinykit_ops.backup.verify import Verdict, verify
from tinykit_ops.backup.verify_noted import note, store_result, tag
from tinykit_ops.backup.verify_volume import verify_data
from tinykit_ops.backup.volumes import newest_complete
from tinykit_ops.ending import ending_in_order
from tinykit_ops.errors import TinykitOpsError


class NotRestorableError(BackupError):
    """A snapshot does not come back."""


@dataclass(frozen=True)
class Ask:
    """What is to be verified, and how far.

    Attributes:
        snapshot: its id; the newest when None.
        every: all of the target.
        share: which part of the uploads to read, or of how many parts the next one.
        at: where that one snapshot of a volume can be seen, when this host does not know.
    """

    snapshot: str | None = None
    every: bool = False
    identity: Path | None = None
    boot: bool = True
    share: Share | int = WHOLE
    at: Path | None = None


@dataclass(frozen=True)
class How:
    """How it is done.

    Attributes:
        wait_seconds: for another scheduled verification of this host; None for one by hand, which
            waits for nobody.
        log: is told what a person may want to read later.
        progress: is told how much was fetched.
    """

    wait_seconds: float | None = None
    log: Callable[[str], None] = lambda _: None
    run: str = field(default_factory=lambda: str(uuid.uuid4()))
    progress: Progress = field(default_factory=Silent)


@dataclass
class Examined:
    """What became of one target.

    Attributes:
        error: what kept us from looking; it says nothing about the snapshots.
    """

    outcome: Outcome
    verdicts: list[Verdict] = field(default_factory=list)
    error: TinykitOpsError | None = None


def verify_targets(
    config: AgentConfig, places: Places, names: Sequence[str], ask: Ask, how: How | None = None
) -> list[Examined]:
    """Verify snapshots of some targets; one that cannot be looked at stops no other.

    Each verdict is noted on this host and beside the snapshot, and the hooks are told.

    Raises:
        BackupBusyError: another scheduled verification is at work, still.
        BackupSettingsError: there is no target, or not one of that name; or nobody said which
            snapshot it is that can be seen at `ask.at`.
    """
    how = how or How()
    if ask.at and (ask.every or ask.snapshot is None):
        raise BackupSettingsError(
            "Which snapshot is it that lies there?",
            where=f"--at {ask.at}",
            hint="give its ID, and only that one: what is found is noted for it "
            "(`tinykit-ops backup list`)",
        )
    found = [Examined(Outcome(name)) for name in wanted_targets(config, names)]
    main_job = VERIFY if places.of else BACKUP
    notifier = Notifier(config, how.run, job=VERIFY, main_job=main_job)
    stopped: BaseException | None = None
    try:
        with ending_in_order(), _alone(places, how):  # no decrypted copy stays behind
            notifier.started()
            for one in found:
                _examine(config, places, one, ask, how.progress)
    except BaseException as error:
        stopped = error
        raise
    finally:
        notifier.finished([one.outcome for one in found], stopped)
        for failure in notifier.failures:
            how.log(f"warning: {failure}")
    return found


def _alone(places: Places, how: How) -> AbstractContextManager[None]:
    """By hand, a person may verify as much at once as the host can bear."""
    if how.wait_seconds is None:
        return nullcontext()

    def waiting(holder: str) -> None:
        how.log(f"waiting for another verification: {holder}")

    lock = places.lock.with_name("verify.lock")
    wait = how.wait_seconds
    return only_one(lock, wait_seconds=wait, on_wait=waiting, what="A verification")


def _examine(
    config: AgentConfig, places: Places, one: Examined, ask: Ask, progress: Progress
) -> None:
    outcome, began = one.outcome, time.monotonic()
    try:
        if is_volume_target(config, outcome.target):
            _volume(config, places, one, ask)
        else:
            _archives(config, places, one, ask, progress)
    except TinykitOpsError as error:
        one.error = outcome.error = error
    except OSError as error:
        one.error = outcome.error = local_failure(error)
    except Exception as error:
        one.error = outcome.error = unexpected(error)
    outcome.seconds = time.monotonic() - began
    if outcome.error is None:
        outcome.error = _complaint(one.verdicts)
        outcome.said = f"{len(one.verdicts)} snapshot(s) verified"
    outcome.snapshot = one.verdicts[-1].id if one.verdicts and not outcome.error else None
    outcome.warnings = [text for verdict in one.verdicts for text in verdict.warnings]


def _complaint(verdicts: Sequence[Verdict]) -> NotRestorableError | None:
    bad = [verdict for verdict in verdicts if not verdict.sound]
    if not bad:
        return None
    more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
    return NotRestorableError(
        f"snapshot {bad[0].id}{more} does not come back: {bad[0].faults[0]}",
        hint=f"`tinykit-ops backup verify` names every fault; {bad[0].remedy}",
    )


# Archives ----------------------------------------------------------------------------------------


def _archives(
    config: AgentConfig, places: Places, one: Examined, ask: Ask, progress: Progress
) -> None:
    target = watched(open_target(config, one.outcome.target), progress)
    identities = _identities(config, ask)
    newest = newest_id(target)
    for snapshot in snapshot_ids(target) if ask.every else [ask.snapshot or newest]:
        share = _share(places, target.name, ask.share)
        verdict = verify(
            target,
            snapshot,
            identities,
            find_binary=(lambda version: binary_of_version(version, places)) if ask.boot else None,
            share=share,
        )
        one.verdicts.append(verdict)
        if ask.boot or not verdict.sound:
            note(places, target.name, verdict, is_newest=snapshot == newest)
            store_result(target, verdict, identities)


def _identities(config: AgentConfig, ask: Ask) -> list[Identity]:
    """Of the file that was named, else those that the settings gave this host, else none."""
    if ask.identity:
        return read_identities(ask.identity)
    wanted = config.settings.backup.verify
    if wanted is None or wanted.identity is None:
        return []
    config.secret(layout.VERIFY_IDENTITY)  # refuses what others may read
    return read_identities(config.secret_path(layout.VERIFY_IDENTITY))


def _share(places: Places, target: str, wanted: Share | int) -> Share:
    if isinstance(wanted, Share):
        return wanted
    return Share(known_of(target, places.status).verify_runs % wanted + 1, wanted)


# Volumes -----------------------------------------------------------------------------------------


def _volume(config: AgentConfig, places: Places, one: Examined, ask: Ask) -> None:
    volume = open_volume(config, one.outcome.target)
    newest = newest_complete(volume)
    complete = [snapshot.id for snapshot in volume.list() if snapshot.complete]
    if ask.at and ask.snapshot not in complete:
        raise BackupSettingsError(
            f"There is no complete snapshot {ask.snapshot!r} of target {volume.name!r}",
            hint="`tinykit-ops backup list` shows all of them",
        )
    for snapshot in complete if ask.every else [ask.snapshot or newest]:
        data = ask.at or volume.folder_of(snapshot, places.data)
        verdict = verify_data(snapshot, data, places, boot=ask.boot)
        one.verdicts.append(verdict)
        if ask.boot or not verdict.sound:
            note(places, volume.name, verdict, is_newest=snapshot == newest)
            tag(volume, verdict)
