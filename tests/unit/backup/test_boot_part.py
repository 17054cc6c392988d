"""The tar of hooks and migrations is unpacked by any Python 3.11, and nothing leaves its folder."""

import io
import tarfile

import pytest

from tinykit_ops.backup.boot_part import unpack_boot


def tar_of(path, *entries):
    with tarfile.open(path, "w") as tar:
        for name, kind, content in entries:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            entry.size = len(content)
            entry.linkname = "/etc/passwd" if kind != tarfile.REGTYPE else ""
            tar.addfile(entry, io.BytesIO(content))
    return path


def test_files_and_folders_are_unpacked(tmp_path, monkeypatch):
    monkeypatch.delattr(tarfile, "data_filter", raising=False)  # as in Debian 12
    monkeypatch.delattr(tarfile.TarFile, "extractall")
    tar = tar_of(
        tmp_path / "boot.tar",
        ("hooks", tarfile.DIRTYPE, b""),
        ("hooks/a/one.js", tarfile.REGTYPE, b"one"),
        ("settings.json", tarfile.REGTYPE, b"{}"),
    )
    unpack_boot(tar, tmp_path / "into")
    found = {
        str(path.relative_to(tmp_path / "into")): path.read_bytes()
        for path in (tmp_path / "into").rglob("*")
        if path.is_file()
    }
    assert found == {"hooks/a/one.js": b"one", "settings.json": b"{}"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../out", tarfile.REGTYPE),
        ("hooks/../../out", tarfile.REGTYPE),
        ("/tmp/out", tarfile.REGTYPE),
        ("hooks/link", tarfile.SYMTYPE),
        ("hooks/link", tarfile.LNKTYPE),
        ("hooks/pipe", tarfile.FIFOTYPE),
    ],
)
def test_what_would_leave_the_folder_or_is_no_file_is_refused(tmp_path, name, kind):
    tar = tar_of(tmp_path / "boot.tar", (name, kind, b""))
    with pytest.raises(tarfile.TarError, match="no file or folder within"):
        unpack_boot(tar, tmp_path / "into")
    assert not list(tmp_path.rglob("out"))
