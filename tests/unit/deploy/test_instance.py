"""What a deploy reads on the controller before it changes anything."""

import hashlib

import pytest

from tinykit_ops.deploy import instance
from tinykit_ops.settings.pyinfra_error import InventoryError


@pytest.fixture(autouse=True)
def afresh(monkeypatch):
    monkeypatch.setattr(instance, "_SEEN", {})


def test_an_archive_with_another_hash_is_refused_also_where_the_inventory_does_not_look(
    make_settings, tmp_path
):
    archive = tmp_path / "app.tar.zst"
    archive.write_bytes(b"another release")
    settings = make_settings(app={"archive": str(archive), "sha256": "0" * 64})
    with pytest.raises(InventoryError, match="is not the hash of") as error:
        instance.see_files_of("web1", settings)
    assert "web1" in str(error.value)
    digest = hashlib.sha256(b"another release").hexdigest()
    instance.see_files_of("web1", make_settings(app={"archive": str(archive), "sha256": digest}))


def test_a_file_that_is_missing_is_told_for_each_host_that_wants_it(make_settings, tmp_path):
    archive = tmp_path / "app.tar.zst"
    archive.write_bytes(b"a release")
    good = make_settings(app={"archive": str(archive)})
    instance.see_files_of("web1", good)
    bad = make_settings(app={"archive": str(tmp_path / "none")})
    for host in ("web1", "web2", "web2"):
        with pytest.raises(InventoryError, match="there is no file"):
            instance.see_files_of(host, bad)


def test_files_are_read_once_for_each_host(make_settings, tmp_path):
    archive = tmp_path / "app.tar.zst"
    archive.write_bytes(b"a release")
    settings = make_settings(app={"archive": str(archive)})
    instance.see_files_of("web1", settings)
    archive.unlink()
    instance.see_files_of("web1", settings)  # a deploy asks a dozen times
