"""What this host learns from a target: what others found who verified its snapshots."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.metrics import write_metrics
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.sign_offs import Found, SignOffs
from tinykit_ops.backup.status import TargetStatus, note
from tinykit_ops.backup.targets import Target, open_target, target_settings
from tinykit_ops.backup.targets.volume import is_volume_target, open_volume
from tinykit_ops.backup.verified import Verified
from tinykit_ops.settings.backup_targets import ArchiveTarget

Change = Callable[[TargetStatus], TargetStatus]
News = tuple[str, Verified]  #: a snapshot's id, and what was found


def signers_of(config: AgentConfig, name: str) -> list[str]:
    """Whose results count for a target; an empty list: everybody's."""
    settings = target_settings(config, name)
    return list(settings.signed_by) if isinstance(settings, ArchiveTarget) else []


def results_of(config: AgentConfig, target: Target) -> SignOffs:
    """The results that lie in a target. Raises TargetError."""
    return SignOffs(target, signers_of(config, target.name))


def learn(config: AgentConfig, places: Places, name: str) -> None:
    """Note on this host what others found. Raises as opening and reading the target does."""
    good, bad = _news(config, name)
    if good or bad:
        status = note(name, _learned(good, bad), places.status)
        write_metrics(status, places.metrics, places.of)


def _news(config: AgentConfig, name: str) -> tuple[News | None, News | None]:
    """The last good and the last bad result."""
    if is_volume_target(config, name):
        found = [(one.id, one.verified) for one in open_volume(config, name).list()]
        known = [(snapshot, verified) for snapshot, verified in found if verified]
        latest = sorted(known, key=lambda pair: pair[1].when, reverse=True)
        return (
            next((pair for pair in latest if pair[1].good), None),
            next((pair for pair in latest if not pair[1].good), None),
        )
    good, bad = results_of(config, open_target(config, name)).latest()
    return _told(good), _told(bad)


def _told(found: Found | None) -> News | None:
    return (found.result.snapshot, found.verified) if found else None


def _learned(good: News | None, bad: News | None) -> Change:
    def change(known: TargetStatus) -> TargetStatus:
        update: dict[str, object] = {}
        if good and _is_news(good, known.last_verified):
            snapshot, told = good
            update |= {"last_verified": told.when, "verified_by": told.host}
            update |= {"verified_snapshot": snapshot}
        if bad and _is_news(bad, known.last_verify_failure):
            snapshot, told = bad
            update |= {"last_verify_failure": told.when}
            update |= {"verify_error": f"{snapshot}: found bad by {told.host}, see its journal"}
        return known.model_copy(update=update)

    return change


def _is_news(one: News, known: datetime | None) -> bool:
    return known is None or one[1].when > known
