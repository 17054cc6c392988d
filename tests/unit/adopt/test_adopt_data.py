"""The old data is copied as its owner reads it, whole, and the old folder stays as it is."""

from __future__ import annotations

import getpass

import pytest

from tinykit_ops.adopt.data import OldData
from tinykit_ops.errors import StorageError

ME = getpass.getuser()


@pytest.fixture
def folders(tmp_path):
    """(the old data folder, a folder of root's)."""
    old = tmp_path / "old"
    for name, content in (("c1/r1/cat.png", "cat"), ("c1/r2/a name\nin two lines.txt", "text")):
        file = old / "storage" / name
        file.parent.mkdir(parents=True)
        file.write_text(content)
    (old / ".setup_complete").write_text("a password")
    (old / "backups").mkdir()
    (old / "backups" / "all.zip").write_text("a password, too")
    (tmp_path / "root").mkdir()
    return old, tmp_path / "root"


def files(folder):
    return {
        str(file.relative_to(folder)): file.read_text()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_uploads_are_copied_and_nothing_that_holds_a_password(folders, tmp_path):
    old, root = folders
    before = files(old)
    data = OldData(old, root)
    data.copy_uploads(still=True)
    data.place(tmp_path / "new" / "pb_data", ME)
    wanted = {name: text for name, text in before.items() if name.startswith("storage/")}
    assert files(tmp_path / "new" / "pb_data") == wanted
    assert files(old) == before


def test_what_a_killed_run_left_half_copied_is_copied_anew(folders, tmp_path):
    old, root = folders
    data = OldData(old, root)
    data.copy_uploads(still=True)
    (root / "pb_data" / "storage" / "c1" / "r1" / "cat.png").write_text("c")
    (old / "storage" / "c1" / "r1" / "new.png").write_text("came meanwhile")
    data.copy_uploads(still=True)
    data.place(tmp_path / "new", ME)
    wanted = {name: text for name, text in files(old).items() if name.startswith("storage/")}
    assert files(tmp_path / "new") == wanted


def test_a_link_in_the_old_folder_brings_nothing_along(folders, tmp_path):
    old, root = folders
    (tmp_path / "shadow").write_text("root:secret")
    (old / "storage" / "c1" / "r1" / "link.png").symlink_to(tmp_path / "shadow")
    OldData(old, root).copy_uploads(still=True)
    assert not any("link.png" in name for name in files(root))
    assert "root:secret" not in files(root).values()


def test_what_lies_in_the_place_of_the_data_is_not_touched(folders, tmp_path):
    old, root = folders
    data = OldData(old, root)
    data.copy_uploads(still=True)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "data.db").write_text("of somebody")
    with pytest.raises(StorageError, match="taken"):
        data.place(tmp_path / "new", ME)
    assert files(tmp_path / "new") == {"data.db": "of somebody"}


def test_a_killed_run_that_had_placed_the_data_is_gone_on_with(folders, tmp_path):
    old, root = folders
    data = OldData(old, root)
    data.copy_uploads(still=True)
    data.place(tmp_path / "new", ME)
    data.place(tmp_path / "new", ME)
    assert files(tmp_path / "new")


def test_what_is_uploaded_and_deleted_while_uploads_are_copied_is_so_in_the_copy(
    folders, tmp_path, monkeypatch
):
    old, root = folders
    data = OldData(old, root)
    take = OldData._take

    def people_go_on(self, names, into, **more):
        (old / "storage" / "c1" / "r1" / "cat.png").unlink()
        (old / "storage" / "c1" / "r1" / "dog.png").write_text("dog")
        take(self, names, into, **more)

    monkeypatch.setattr(OldData, "_take", people_go_on)
    data.copy_uploads(still=False)
    monkeypatch.setattr(OldData, "_take", take)
    (old / "storage" / "c1" / "r2" / "a name\nin two lines.txt").unlink()
    data.copy_uploads(still=True)
    data.place(tmp_path / "new", ME)
    assert files(tmp_path / "new") == {"storage/c1/r1/dog.png": "dog"}


def test_what_goes_while_nobody_may_change_anything_is_no_copy(folders, monkeypatch):
    old, root = folders
    take = OldData._take

    def somebody_does(self, names, into, **more):
        (old / "storage" / "c1" / "r1" / "cat.png").unlink()
        take(self, names, into, **more)

    monkeypatch.setattr(OldData, "_take", somebody_does)
    with pytest.raises(StorageError, match="could not be copied"):
        OldData(old, root).copy_uploads(still=True)
