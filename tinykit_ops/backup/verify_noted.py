"""What was found is noted: on this host, and beside the snapshot for all others."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import UTC, datetime

from tinykit_ops.backup.keys import Identity
from tinykit_ops.backup.metrics import write_metrics
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.sign_off import sign_off, store
from tinykit_ops.backup.status import TargetStatus
from tinykit_ops.backup.status import note as note_status
from tinykit_ops.backup.targets import Target
from tinykit_ops.backup.targets.volume import VolumeStore
from tinykit_ops.backup.verified import Verified
from tinykit_ops.backup.verify import Verdict
from tinykit_ops.errors import TinykitOpsError


def note(places: Places, target: str, verdict: Verdict, *, is_newest: bool) -> None:
    """A verdict without a boot is noted only when it is bad: it proves too little to be good."""
    now = datetime.now(UTC)

    def change(known: TargetStatus) -> TargetStatus:
        update: dict[str, object] = {"verify_runs": known.verify_runs + 1}
        if verdict.sound:
            update |= {"last_verified": now, "verified_snapshot": verdict.id}
            update |= {"verified_by": socket.gethostname()}
        else:
            update |= {"last_verify_failure": now}
            update |= {"verify_error": f"{verdict.id}: {verdict.faults[0]}"}
        if places.of and is_newest and verdict.index:
            # A verifier makes no backups: how old the newest is, it learns by looking.
            created = verdict.index.created
            update |= {"last_success": created, "first_success": known.first_success or created}
            update |= {"snapshot": verdict.id, "data_bytes": verdict.index.data_bytes}
        return known.model_copy(update=update)

    write_metrics(note_status(target, change, places.status), places.metrics, places.of)


def store_result(target: Target, verdict: Verdict, identities: Sequence[Identity]) -> None:
    """Beside the snapshot; what was found holds also when it cannot be said there."""
    signing = identities if verdict.index is not None and verdict.index.encrypted else []
    try:
        store(target, sign_off(verdict), signing)
    except TinykitOpsError as error:
        verdict.warnings.append(f"the result could not be stored in the target: {error.what}")


def tag(volume: VolumeStore, verdict: Verdict) -> None:
    try:
        result = Verified(verdict.sound, datetime.now(UTC), socket.gethostname())
        volume.sign_off(verdict.id, result)
    except TinykitOpsError as error:
        verdict.warnings.append(f"the result could not be noted at the snapshot: {error.what}")
