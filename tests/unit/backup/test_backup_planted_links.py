"""Links planted by a broken-into PocketBase lead root nowhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tinykit_ops.backup import uploads
from tinykit_ops.backup.beneath import PlantedLinkError, open_file, opened_folder
from tinykit_ops.backup.errors import BackupError, SnapshotError
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.snapshot import clear_leftovers
from tinykit_ops.backup.takeover import take_over
from tinykit_ops.backup.uploads import list_uploads, open_upload

SOMEBODY = 4242


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of PocketBase's user, beside a folder with secrets of root."""
    (tmp_path / "root-only" / "storage").mkdir(parents=True)
    (tmp_path / "root-only" / "shadow").write_text("root:secret")
    (tmp_path / "root-only" / "other.db").write_text("of somebody else")
    (tmp_path / "root-only" / "storage" / "shadow").write_text("root:secret")
    state = tmp_path / "pocketbase"
    state.mkdir()
    if os.geteuid() == 0:
        os.chown(state, SOMEBODY, SOMEBODY)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)  # then this user is the foreign one
    return state


def link(path: Path, to: Path) -> Path:
    path.symlink_to(to)
    if os.getuid() == 0:
        os.lchown(path, SOMEBODY, SOMEBODY)
    return path


def test_a_link_for_a_file_is_not_read(state: Path) -> None:
    link(state / "data.db", state.parent / "root-only" / "shadow")
    with pytest.raises(PlantedLinkError):
        open_file(state / "data.db")


def test_a_link_for_a_folder_on_the_way_is_not_followed(state: Path) -> None:
    link(state / "pb_data", state.parent / "root-only")
    with pytest.raises(PlantedLinkError) as caught:
        open_file(state / "pb_data" / "shadow")
    assert "pb_data" in caught.value.where


def test_a_pipe_is_not_waited_for(state: Path) -> None:
    os.mkfifo(state / "data.db")
    with pytest.raises(PlantedLinkError):
        open_file(state / "data.db")


def test_links_that_only_root_can_have_made_are_followed(tmp_path: Path) -> None:
    (tmp_path / "disk" / "pb").mkdir(parents=True)
    (tmp_path / "disk" / "pb" / "file").write_text("x")
    (tmp_path / "absolute").symlink_to(tmp_path / "disk")
    (tmp_path / "relative").symlink_to("absolute/pb")
    with open_file(tmp_path / "absolute" / "pb" / "file") as file:
        assert file.read() == b"x"
    with opened_folder(tmp_path / "relative") as folder:
        assert os.stat("file", dir_fd=folder).st_size == 1


def test_links_that_go_round_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(PlantedLinkError):
        open_file(tmp_path / "a" / "x")


def test_a_snapshot_folder_that_became_a_link_neither_gives_nor_loses_files(state: Path) -> None:
    """Else root would move /etc/shadow away, and remove it after the run."""
    secrets = state.parent / "root-only"
    link(state / "snapshots", secrets)
    with pytest.raises(PlantedLinkError):
        take_over(state / "snapshots" / "shadow", state.parent / "copy")
    with pytest.raises(PlantedLinkError):
        clear_leftovers(Places(snapshots=state / "snapshots", state=state.parent / "state"))
    assert (secrets / "shadow").read_text() == "root:secret"
    assert (secrets / "other.db").exists()
    assert not (state.parent / "copy").exists()


def test_a_copy_that_is_a_link_or_has_a_second_name_is_refused_and_stays(state: Path) -> None:
    snapshots = state / "snapshots"
    snapshots.mkdir()
    secret = state.parent / "root-only" / "shadow"
    link(snapshots / "a.db", secret)
    os.link(secret, snapshots / "b.db")
    for name in ("a.db", "b.db"):
        with pytest.raises(SnapshotError, match="not a regular file of its own"):
            take_over(snapshots / name, state.parent / "copy")
    assert secret.read_text() == "root:secret"


def test_a_copy_that_pocketbase_wrote_is_taken(state: Path) -> None:
    snapshots = state / "snapshots"
    snapshots.mkdir()
    (snapshots / "a.db").write_text("copy")
    take_over(snapshots / "a.db", state.parent / "copy")
    assert (state.parent / "copy").read_text() == "copy"
    assert not (snapshots / "a.db").exists()
    with pytest.raises(SnapshotError, match="not there"):
        take_over(snapshots / "a.db", state.parent / "copy")


def test_uploads_of_a_data_folder_that_became_a_link_are_not_read(state: Path) -> None:
    link(state / "pb_data", state.parent / "root-only")
    storage = state / "pb_data" / "storage"
    with pytest.raises(BackupError):
        list_uploads(storage)
    with pytest.raises(BackupError):
        open_upload(storage, "shadow")


def test_uploads_that_are_links_are_left_out(state: Path) -> None:
    storage = state / "storage"
    (storage / "c" / "r").mkdir(parents=True)
    (storage / "c" / "r" / "file.png").write_text("x")
    link(storage / "c" / "r" / "shadow.png", state.parent / "root-only" / "shadow")
    link(storage / "c" / "other", state.parent / "root-only")
    assert list_uploads(storage) == ["c/r/file.png"]
    with pytest.raises(BackupError):
        open_upload(storage, "c/r/shadow.png")
    with pytest.raises(BackupError):
        open_upload(storage, "c/other/shadow")


def test_a_file_that_is_deleted_while_the_folder_is_listed_is_just_not_there(tmp_path, monkeypatch):
    record = tmp_path / "c1" / "r1"
    record.mkdir(parents=True)
    for name in ("a.png", "b.png"):
        (record / name).write_text("x")
    stat = os.stat

    def deleted_meanwhile(path, **more):
        if path == "b.png":
            (record / "b.png").unlink()
        return stat(path, **more)

    monkeypatch.setattr(uploads.os, "stat", deleted_meanwhile)
    assert list_uploads(tmp_path) == ["c1/r1/a.png"]
