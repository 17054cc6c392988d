"""A snapshot of a volume that a person mounted: what is found there is noted for that one alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup import verify_run
from tinykit_ops.backup.errors import BackupSettingsError
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.targets.volume import VolumeSnapshot
from tinykit_ops.backup.verified import Verified
from tinykit_ops.backup.verify import Verdict
from tinykit_ops.backup.verify_run import Ask, verify_targets
from tinykit_ops.errors import Exit
from tinykit_ops.settings import load_settings

IDS = [f"2026110{day}T000000Z-aaaaaa" for day in (1, 2, 3)]


class Volume:
    """Three snapshots, and who was called good."""

    name = "ebs"

    def __init__(self) -> None:
        self.noted: list[str] = []

    def list(self) -> list[VolumeSnapshot]:
        return [VolumeSnapshot(one, "snap-1") for one in IDS]

    def sign_off(self, snapshot: str, result: Verified) -> None:
        self.noted.append(snapshot)


@pytest.fixture
def volume(monkeypatch: pytest.MonkeyPatch) -> Volume:
    one = Volume()
    monkeypatch.setattr(verify_run, "open_volume", lambda *_: one)
    monkeypatch.setattr(
        verify_run, "verify_data", lambda snapshot, *_, boot: Verdict(snapshot, booted=boot)
    )
    return one


def verify(tmp_path: Path, ask: Ask) -> list[str]:
    """Returns the errors."""
    config = AgentConfig(
        load_settings(
            {
                "domains": ["apps.example.com"],
                "admin_email": "you@example.com",
                "app": {"archive": "app.tar.zst"},
                "backup": {"targets": [{"kind": "ebs", "name": "ebs"}]},
            },
            where="web1",
        )
    )
    places = Places(state=tmp_path / "state", lock=tmp_path / "lock", metrics=tmp_path / "none")
    found = verify_targets(config, places, ["ebs"], ask)
    return [str(one.error) for one in found if one.error]


def test_the_one_that_is_named_is_noted_and_no_other(tmp_path: Path, volume: Volume) -> None:
    assert verify(tmp_path, Ask(snapshot=IDS[1], at=tmp_path)) == []
    assert volume.noted == [IDS[1]]


@pytest.mark.parametrize("ask", [Ask(every=True), Ask()], ids=["all", "newest"])
def test_a_mounted_folder_is_refused_unless_its_id_is_said(
    tmp_path: Path, volume: Volume, ask: Ask
) -> None:
    ask = Ask(every=ask.every, at=tmp_path)
    with pytest.raises(BackupSettingsError, match="Which snapshot") as refused:
        verify(tmp_path, ask)
    assert refused.value.exit_code == Exit.USAGE
    assert volume.noted == [] and not (tmp_path / "state").exists()


def test_an_id_that_is_none_is_refused_and_nothing_is_noted(tmp_path: Path, volume: Volume) -> None:
    errors = verify(tmp_path, Ask(snapshot="20261104T000000Z-aaaaaa", at=tmp_path))
    assert "no complete snapshot" in errors[0]
    assert volume.noted == [] and not (tmp_path / "state" / "status.json").exists()
