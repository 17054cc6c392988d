"""Verifying from the command line: which snapshot, which binary, and what is noted of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.binaries import binary_of_version
from tinykit_ops.backup.catalog import newest_id
from tinykit_ops.backup.keys import read_identities
from tinykit_ops.backup.metrics import write_metrics
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.share import WHOLE, Share
from tinykit_ops.backup.status import TargetStatus, note
from tinykit_ops.backup.targets import open_target
from tinykit_ops.backup.verify import Verdict, verify


def verify_and_note(
    config: AgentConfig,
    places: Places,
    target_name: str,
    snapshot: str | None,
    identity: Path | None,
    *,
    boot: bool = True,
    share: Share = WHOLE,
) -> Verdict:
    """Verify one snapshot, the newest when none is named, and note the verdict on this host.

    A verdict without a boot is noted only when it is bad: it proves too little to be good.

    Raises: as `verify` does.
    """
    target = open_target(config, target_name)
    verdict = verify(
        target,
        snapshot or newest_id(target),
        read_identities(identity) if identity else [],
        find_binary=(lambda version: binary_of_version(version, places)) if boot else None,
        share=share,
    )
    if boot or not verdict.sound:
        status = note(target_name, lambda known: _noted(known, verdict), places.status)
        write_metrics(status, places.metrics)
    return verdict


def _noted(known: TargetStatus, verdict: Verdict) -> TargetStatus:
    now = datetime.now(UTC)
    if verdict.sound:
        return known.model_copy(update={"last_verified": now, "verified_snapshot": verdict.id})
    return known.model_copy(
        update={"last_verify_failure": now, "verify_error": f"{verdict.id}: {verdict.faults[0]}"}
    )
