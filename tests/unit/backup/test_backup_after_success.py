"""What comes after a success: its failure is told, and is no other target's."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup import delivery
from tinykit_ops.backup.delivery import Delivery
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.progress import Silent
from tinykit_ops.settings import load_settings


@pytest.fixture
def done(tmp_path: Path) -> Delivery:
    """A run that brought a snapshot to two targets."""
    targets = [{"kind": "directory", "name": name, "path": f"/mnt/{name}"} for name in "ab"]
    config = AgentConfig(
        load_settings(
            {
                "domains": ["apps.example.com"],
                "admin_email": "you@example.com",
                "app": {"archive": "app.tar.zst"},
                "backup": {"targets": targets},
            },
            where="web1",
        )
    )
    one = Delivery(config, Places(state=tmp_path), ["a", "b"], Silent())
    for outcome in one.outcomes.values():
        outcome.snapshot = "20261101T000000Z-aaaaaa"
    return one


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.EIO, "Input/output error", "/mnt/a"), "disk failed (Input/output error)"),
        (RecursionError("secret text"), "A bug in tinykit-ops"),
    ],
)
@pytest.mark.parametrize(
    ("step", "after"), [("prune_one", "prune_succeeded"), ("learn", "learn_succeeded")]
)
def test_a_failure_after_the_success_is_a_warning_and_stops_no_other_target(
    done: Delivery,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    after: str,
    error: Exception,
    told: str,
) -> None:
    tried: list[str] = []

    def fail(_: AgentConfig, __: Places, name: str, **___: Any) -> None:
        tried.append(name)
        raise error

    monkeypatch.setattr(delivery, step, fail)
    getattr(done, after)()

    assert tried == ["a", "b"]
    for outcome in done.outcomes.values():
        assert outcome.error is None
        assert told in outcome.warnings[0] and "secret" not in outcome.warnings[0]
