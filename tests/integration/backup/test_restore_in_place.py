"""Restoring over a running PocketBase, and getting the old data back when that fails."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from backup_kit import Instance

from tinykit_ops.backup.catalog import newest_id
from tinykit_ops.backup.errors import BackupSettingsError
from tinykit_ops.backup.in_place import InPlace, Replaced, unfinished
from tinykit_ops.backup.restore import DATA
from tinykit_ops.backup.targets import open_target
from tinykit_ops.errors import UnavailableError


@dataclass
class Programs:
    """PocketBase without systemd; told to, it fails to come up on new data."""

    instance: Instance
    ill: bool = False
    calls: list[str] = field(default_factory=list)
    die_at: str = ""

    def stop(self) -> None:
        self._note("stop")
        self.instance.server.stop()

    def start(self, rows: dict[str, int]) -> None:
        self._note("start")
        if self.ill and rows:
            raise UnavailableError("PocketBase was not healthy")
        if self.instance.server.process is None:
            self.instance.server.start()
        found = {name: self.instance.server.pb.count(name) for name in rows if name == "notes"}
        assert found == {name: rows[name] for name in found}

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if self.die_at == call:
            self.die_at = ""
            raise KeyboardInterrupt


@pytest.fixture
def backed_up(instance: Instance) -> Instance:
    """Four notes in a snapshot, and a fifth that came later."""
    instance.add_directory()
    assert instance.run("run") == 0
    instance.server.pb.create_record("notes", {"title": "later"})
    return instance


def restore(instance: Instance, programs: Programs, safety: Callable[[], None] = int) -> Replaced:
    target = open_target(instance.config(), "disk")
    run = InPlace(instance.places, programs)
    return run.run(target, newest_id(target), [], safety, lambda _: None)


def titles(instance: Instance) -> set[str]:
    return {row["title"] for row in instance.server.pb.records("notes")}


OLD = {"plain", "picture", "copy", "secret"}


def test_the_data_of_the_snapshot_serves_and_the_old_data_is_kept(backed_up):
    done = restore(backed_up, Programs(backed_up))
    assert titles(backed_up) == OLD
    assert (done.kept / "data.db").is_file()
    assert done.kept.parent == backed_up.places.data.parent
    names = {path.name for path in backed_up.places.data.parent.iterdir()}
    assert f".{DATA}.restoring" not in names


def test_the_safety_snapshot_comes_before_anything_is_stopped(backed_up):
    programs = Programs(backed_up)

    def fail() -> None:
        assert programs.calls == []
        raise UnavailableError("the bucket does not answer")

    with pytest.raises(UnavailableError, match="bucket"):
        restore(backed_up, programs, fail)
    assert programs.calls == []
    assert titles(backed_up) == OLD | {"later"}


def test_data_that_does_not_come_up_gives_way_to_the_old(backed_up):
    with pytest.raises(UnavailableError, match="not healthy"):
        restore(backed_up, Programs(backed_up, ill=True))
    assert titles(backed_up) == OLD | {"later"}
    restore(backed_up, Programs(backed_up))
    assert titles(backed_up) == OLD


@pytest.mark.parametrize("moment", ["stop", "start"])
def test_an_interruption_brings_the_old_data_back(backed_up, moment):
    programs = Programs(backed_up, die_at=moment)
    with pytest.raises(KeyboardInterrupt):
        restore(backed_up, programs)
    assert titles(backed_up) == OLD | {"later"}


class _PowerCutError(BaseException):
    """The run ends here, and nothing of it runs any more."""


@pytest.mark.parametrize("moment", ["stop", "start"])
def test_after_a_power_cut_the_next_run_goes_back_first_and_then_through(
    backed_up, moment, monkeypatch
):
    programs = Programs(backed_up)
    cut = InPlace(backed_up.places, programs)
    # What a cut leaves is what is there when nothing is undone.
    monkeypatch.setattr(cut, "_return", lambda _: None)

    def die(*_: object) -> None:
        backed_up.server.stop()
        raise _PowerCutError

    monkeypatch.setattr(programs, moment, die)
    target = open_target(backed_up.config(), "disk")
    with pytest.raises(_PowerCutError):
        cut.run(target, newest_id(target), [], int, lambda _: None)
    said: list[str] = []
    again = InPlace(backed_up.places, Programs(backed_up))
    again.recover(said.append)
    assert "interrupted" in said[0]
    assert titles(backed_up) == OLD | {"later"}
    restore(backed_up, Programs(backed_up))
    assert titles(backed_up) == OLD


def notes_in(folder: Path) -> set[str]:
    with closing(sqlite3.connect(f"file:{folder}/data.db?mode=ro", uri=True)) as database:
        return {title for (title,) in database.execute("SELECT title FROM notes")}


def beside(instance: Instance, what: str) -> list[Path]:
    return sorted(instance.places.data.parent.glob(f"{DATA}.{what}-*"))


@pytest.mark.parametrize("again", [False, True], ids=["at once", "after another power cut"])
def test_what_was_written_after_a_power_cut_is_never_lost(backed_up, monkeypatch, again):
    target = open_target(backed_up.config(), "disk")
    snapshot = newest_id(target)
    cut = InPlace(backed_up.places, Programs(backed_up))
    monkeypatch.setattr(cut, "_return", lambda _: None)
    monkeypatch.setattr(cut, "_keep", _cut)
    with pytest.raises(_PowerCutError):
        cut.run(target, snapshot, [], int, lambda _: None)
    assert snapshot in unfinished(backed_up.places)
    # The host boots, PocketBase serves the restored data, and people work with it for a week.
    backed_up.server.pb.create_record("notes", {"title": "of that week"})
    if again:
        back = InPlace(backed_up.places, Programs(backed_up))
        monkeypatch.setattr(back, "_free", _cut)
        with pytest.raises(_PowerCutError):
            back.recover(lambda _: None)
        backed_up.server.start()
    said: list[str] = []
    InPlace(backed_up.places, Programs(backed_up)).recover(said.append)
    assert titles(backed_up) == OLD | {"later"}
    (served,) = beside(backed_up, "interrupted")
    assert str(served) in said[-1]
    assert notes_in(served) == OLD | {"of that week"}
    assert not unfinished(backed_up.places)


def _cut(*_: object) -> Path:
    raise _PowerCutError


def test_the_same_snapshot_restored_twice_keeps_the_data_from_before_both(backed_up):
    restore(backed_up, Programs(backed_up))
    backed_up.server.pb.create_record("notes", {"title": "in between"})
    restore(backed_up, Programs(backed_up))
    first, second = beside(backed_up, "before")
    assert notes_in(first) == OLD | {"later"}
    assert notes_in(second) == OLD | {"in between"}


def test_a_closed_terminal_does_not_keep_the_old_data_away(backed_up):
    def say(line: str) -> None:
        if "did not work" in line or "meanwhile" in line:
            raise BrokenPipeError

    target = open_target(backed_up.config(), "disk")
    run = InPlace(backed_up.places, Programs(backed_up, ill=True))
    with pytest.raises(UnavailableError):
        run.run(target, newest_id(target), [], int, say)
    assert titles(backed_up) == OLD | {"later"}
    assert not unfinished(backed_up.places)


def test_a_snapshot_of_a_newer_pocketbase_is_refused_before_anything_happens(
    backed_up, monkeypatch
):
    monkeypatch.setattr("tinykit_ops.backup.in_place.pocketbase_version", lambda _: "0.23.4")
    programs = Programs(backed_up)
    with pytest.raises(BackupSettingsError, match=r"0\.23\.4 is installed"):
        restore(backed_up, programs)
    assert programs.calls == []


def test_a_data_folder_that_is_a_link_is_refused(backed_up, tmp_path):
    moved = tmp_path / "elsewhere"
    backed_up.places.data.rename(moved)
    backed_up.places.data.symlink_to(moved)
    with pytest.raises(BackupSettingsError, match="cannot be replaced"):
        restore(backed_up, Programs(backed_up))
    backed_up.places.data.unlink()
    moved.rename(backed_up.places.data)


def test_the_restored_files_belong_to_whom_the_old_ones_did(backed_up):
    for path in [backed_up.places.data, *backed_up.places.data.rglob("*")]:
        os.chown(path, 12345, 12345)
    mode = backed_up.places.data.stat().st_mode
    restore(backed_up, Programs(backed_up))
    restored = [backed_up.places.data, *(backed_up.places.data / "storage").rglob("*")]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in restored} == {(12345, 12345)}
    assert backed_up.places.data.stat().st_mode == mode
