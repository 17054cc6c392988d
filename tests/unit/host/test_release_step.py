"""Unpacking a release: whole or not at all, and the running one stays until then."""

import shutil
import stat
from types import SimpleNamespace

import pytest
import requests

from tinykit_ops import layout
from tinykit_ops.artifacts import file_sha256
from tinykit_ops.errors import StorageError, UnavailableError
from tinykit_ops.host import release_step
from tinykit_ops.host.release_step import ReleaseStep, release_id
from tinykit_ops.release.pack import pack

FILES = {
    "build/index.js": "console.log(1)\n",
    "node_modules/tool/cli.js": "#!/usr/bin/env node\n",
    "package.json": '{"name": "tinykit"}\n',
    "pocketbase/pb_migrations/1_first.js": "migrate(() => {})\n",
}


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home/incoming").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def send(tmp_path, home):
    """Packs a release with this text in it, and puts it where the deploy uploads to."""

    def make(text="one"):
        tree = tmp_path / f"tree-{text}"
        for name, content in {**FILES, "build/text.txt": text}.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(content)
        archive = tmp_path / f"{text}.tar.zst"
        pack(tree, archive, mtime=1, metadata={"commit": "c" * 40, "node": "20.1.0"})
        sha256 = file_sha256(archive)
        shutil.copy(archive, home / f"incoming/{release_id(sha256)}.tar.zst")
        return ReleaseStep(sha256, home=home)

    return make


def text_of_current(home):
    return (home / "current/build/text.txt").read_text()


def test_the_first_release_is_unpacked_and_becomes_the_current_one(send, home):
    step = send()
    assert len(step.pending()) == 2
    step.apply()
    assert step.pending() == []
    assert text_of_current(home) == "one"
    assert list((home / "incoming").iterdir()) == []


def test_what_interrupted_runs_left_of_any_release_is_removed(send, home):
    unpacked = send("one")
    unpacked.apply()
    # Its archive once more, another one that was cut off, and half of that one's files.
    send("one")
    other = send("two")
    half = unpacked.folder.with_name(f".{other.id}.unpacking")
    (half / "build").mkdir(parents=True)
    assert unpacked.pending() == ["remove what an interrupted run left"]
    unpacked.apply()
    assert unpacked.pending() == []
    assert list((home / "incoming").iterdir()) == []
    assert not half.exists()
    assert text_of_current(home) == "one"


def test_the_marker_says_claimed_holds_nothing_and_cannot_be_written(send, home):
    send().apply()
    marker = home / "current" / layout.TINYKIT_MARKER
    assert marker.read_text() == "{}\n"
    assert stat.S_IMODE(marker.stat().st_mode) == 0o444
    assert str((home / "current/pocketbase/pocketbase").readlink()) == layout.POCKETBASE_COMMAND


def test_an_archive_with_another_hash_is_refused_and_the_running_release_stays(send, home):
    send("one").apply()
    step = send("two")
    step.archive.write_bytes(step.archive.read_bytes()[:-1])
    with pytest.raises(StorageError, match="SHA-256"):
        step.apply()
    assert text_of_current(home) == "one"
    assert not step.archive.exists()  # so that the next run sends it again


def test_an_archive_that_never_came_is_told_as_such(home):
    with pytest.raises(StorageError, match="of no file"):
        ReleaseStep("ab" * 32, home=home).apply()


def test_a_full_disk_is_told_before_anything_is_unpacked(send, home, monkeypatch):
    usage = SimpleNamespace(disk_usage=lambda _: SimpleNamespace(free=1024), rmtree=shutil.rmtree)
    monkeypatch.setattr(release_step, "shutil", usage)
    step = send()
    with pytest.raises(StorageError, match="are needed to unpack"):
        step.apply()
    assert list((home / "releases").iterdir()) == []


def test_what_an_interrupted_run_left_is_cleared_and_done_again(send, home):
    step = send()
    (home / f"releases/.{step.id}.unpacking/build").mkdir(parents=True)
    step.apply()
    assert [entry.name for entry in (home / "releases").iterdir()] == [step.id]


def test_another_release_is_unpacked_and_the_one_that_serves_stays_current(send, home):
    send("one").apply()
    step = send("two")
    assert step.pending() == [f"unpack release {step.id}"]
    step.apply()
    assert step.pending() == []
    assert text_of_current(home) == "one"
    assert (home / f"releases/{step.id}/build/text.txt").read_text() == "two"


def test_pocketbase_gets_the_migrations_of_the_first_release(send, home):
    send().apply()
    assert (home / "migrations/current/1_first.js").read_text() == "migrate(() => {})\n"


def test_a_host_from_before_there_was_a_folder_of_migrations_gets_one(send, home):
    send("one").apply()
    shutil.rmtree(home / "migrations")
    step = send("two")
    assert "give PocketBase its migrations" in step.pending()
    step.apply()
    assert (home / "migrations/current/1_first.js").exists()
    assert text_of_current(home) == "one"


def test_a_signed_address_is_not_told_to_whoever_reads_the_log(home, monkeypatch):
    url = "https://store.example.com/app.tar.zst?X-Signature=kanarie"

    def refuse(asked, **_):
        raise requests.ConnectionError(f"Max retries exceeded with url: {asked}")

    monkeypatch.setattr(release_step.requests, "get", refuse)
    with pytest.raises(UnavailableError, match="Max retries") as error:
        ReleaseStep("0" * 64, url, home=home).apply()
    assert "https://store.example.com/app.tar.zst?…" in str(error.value)
    assert "kanarie" not in str(error.value)
