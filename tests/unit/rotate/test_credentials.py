"""A credential of a running unit gets another text, in place."""

import pytest

from tinykit_ops.rotate.credentials import mark_as_read, replace_credential


def test_the_file_keeps_its_mode_and_identity(tmp_path):
    (tmp_path / "a.service").mkdir()
    file = tmp_path / "a.service" / "password"
    file.write_text("a-long-old-value")
    file.chmod(0o440)
    before = file.stat()
    replace_credential("a.service", "password", "new", tmp_path, tmp_path)
    after = file.stat()
    assert file.read_text() == "new"
    assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)


@pytest.mark.parametrize("there", [True, False])
def test_a_unit_that_has_no_such_credential_gets_none(tmp_path, there):
    if there:
        (tmp_path / "a.service").mkdir()
    replace_credential("a.service", "password", "new", tmp_path, tmp_path)
    assert not list(tmp_path.glob("a.service/*"))


def test_a_container_gets_the_new_text_where_it_has_its_copy_from(tmp_path):
    copies = tmp_path / "containers"
    (copies / "pocketbase").mkdir(parents=True)
    file = copies / "pocketbase" / "password"
    file.write_text("a-long-old-value")
    before = file.stat()
    replace_credential("pocketbase.service", "password", "new", tmp_path, copies)
    assert file.read_text() == "new"
    assert file.stat().st_ino == before.st_ino


def test_a_unit_that_never_started_is_not_marked(tmp_path):
    mark_as_read("a.service", tmp_path)
    assert list(tmp_path.iterdir()) == []
