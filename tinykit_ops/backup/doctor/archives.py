"""What of the snapshots in a target: were they verified, and can their locks be extended?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.doctor.sign import Mark, Sign
from tinykit_ops.backup.errors import TargetError
from tinykit_ops.backup.holding import Locking, reach
from tinykit_ops.backup.learn import results_of
from tinykit_ops.backup.manifest import UPLOADS
from tinykit_ops.backup.targets import Target, open_target
from tinykit_ops.settings.backup_targets import ArchiveTarget


def look_at_archives(config: AgentConfig, settings: ArchiveTarget) -> Iterator[Sign]:
    """Who verified, and whether the locks of shared uploads can be extended.

    Raises:
        TargetError: the target failed.
    """
    target = open_target(config, settings.name)
    yield _verified(config, target, settings)
    yield from _lock(target)


def _verified(config: AgentConfig, target: Target, settings: ArchiveTarget) -> Sign:
    good, bad = results_of(config, target).latest()
    if bad is not None:
        said = f"snapshot {bad.result.snapshot}: {bad.verified.line}"
        return Sign(Mark.BAD, "verified", said, "`tinykit-ops backup verify` there names the fault")
    if good is None:
        return Sign(
            Mark.NOTE,
            "verified",
            "nobody whose word counts has verified a snapshot yet",
            "`tinykit-ops backup verify`, here or better on a verifier (deploys/verifier.py)",
        )
    hint = ""
    if not settings.signed_by:
        hint = "name who may say so as `signed_by`; whoever may write to the target can, until then"
    return Sign(
        Mark.GOOD, "verified", f"snapshot {good.result.snapshot}: {good.verified.line}", hint
    )


def _lock(target: Target) -> Iterator[Sign]:
    if not isinstance(target, Locking) or target.lock is None:
        return
    stored = next(iter(target.list(UPLOADS)), None)
    if stored is None:
        said = "there is no upload yet whose lock could be extended"
        yield Sign(Mark.UNKNOWN, "extend lock", said)
        return
    try:
        # What the next backup would do to it anyway.
        target.extend_lock(stored.key, datetime.now(UTC) + reach(target.lock))
    except TargetError as error:
        yield Sign(
            Mark.BAD,
            "extend lock",
            f"uploads that snapshots share keep their first lock ({error.what})",
            "let these credentials s3:PutObjectRetention; or else they are free to be deleted "
            "while snapshots that need them are still locked",
        )
        return
    yield Sign(Mark.GOOD, "extend lock", "the locks of uploads that snapshots share are extended")
