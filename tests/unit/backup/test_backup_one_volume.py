"""Looking whether all data lies on one volume, while PocketBase goes on working."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinykit_ops.backup.errors import VolumeLayoutError
from tinykit_ops.backup.targets import one_volume
from tinykit_ops.backup.targets.one_volume import refuse_spanning


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for record in ("r1", "r2"):
        (tmp_path / "storage" / "c1" / record).mkdir(parents=True)
    return tmp_path


def test_a_record_that_is_deleted_while_we_look_is_no_failure(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really: Callable[..., Any] = os.scandir
    gone: list[str] = []

    def scandir(folder: Path) -> Any:
        if folder.name.startswith("r"):
            folder.rmdir()
            gone.append(folder.name)
        return really(folder)

    monkeypatch.setattr(one_volume.os, "scandir", scandir)
    refuse_spanning(data)
    assert sorted(gone) == ["r1", "r2"]


def test_a_folder_that_goes_between_the_list_and_the_look_is_no_failure(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = one_volume._entries

    def entries(folder: Path) -> Any:
        found = really(folder)
        if folder.name == "c1":
            for entry in found:
                Path(entry.path).rmdir()
        return found

    monkeypatch.setattr(one_volume, "_entries", entries)
    refuse_spanning(data)
    assert not list((data / "storage" / "c1").iterdir())


def test_a_link_to_another_volume_is_refused_still(data: Path) -> None:
    (data / "storage" / "elsewhere").symlink_to("/proc")
    with pytest.raises(VolumeLayoutError, match="leads to another"):
        refuse_spanning(data)
