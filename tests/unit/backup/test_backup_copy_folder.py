"""Decrypted copies of a verification: none outlives it, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tinykit_ops.backup.copy_folder import PREFIX, copy_folder

SOMEBODY = 4242
#: Verifies a snapshot, and says when the decrypted database lies there.
VERIFYING = """
import sys, time
from pathlib import Path
from archive_kit import Small
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup import verify as looking
from tinykit_ops.backup import verify_run
from tinykit_ops.backup.places import Places
from tinykit_ops.settings import load_settings

root = Path(sys.argv[1])
small = Small(root, sealed=False)
small.backup()
target = {"kind": "directory", "name": "disk", "path": str(small.folder), "encryption": "none"}
config = AgentConfig(load_settings({
    "domains": ["apps.example.com"], "admin_email": "you@example.com",
    "app": {"archive": "app.tar.zst"}, "backup": {"targets": [target]}}, where="web1"))

def wait(*_):
    print("READY", flush=True)
    time.sleep(600)

looking.fetch_boot = wait
places = Places(state=root / "notes", lock=root / "lock", metrics=root / "none")
verify_run.verify_targets(config, places, ["disk"], verify_run.Ask(boot=False))
"""


def left(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir() if PREFIX in path.name)


def test_the_folder_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    with copy_folder(str(tmp_path)) as folder:
        assert folder.parent == tmp_path and folder.name.startswith(PREFIX)
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "data.db").write_bytes(b"secret")
    assert left(tmp_path) == []


def test_what_killed_runs_left_is_removed_and_what_is_in_use_is_not(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}killed" / "pb_data").mkdir(parents=True)
    (tmp_path / f"{PREFIX}killed" / "pb_data" / "data.db").write_bytes(b"secret")
    with copy_folder(str(tmp_path)) as first, copy_folder(str(tmp_path)):
        assert first.exists()
        assert f"{PREFIX}killed" not in left(tmp_path)
        assert len(left(tmp_path)) == 2


def test_a_link_and_a_folder_of_somebody_else_are_left_alone(tmp_path: Path) -> None:
    place, other = tmp_path / "place", tmp_path / "other"
    (place / f"{PREFIX}foreign").mkdir(parents=True)
    other.mkdir()
    (other / "precious").touch()
    (place / f"{PREFIX}link").symlink_to(other)
    if os.geteuid() != 0:
        pytest.skip("only root can make a folder of somebody else")
    os.chown(place / f"{PREFIX}foreign", SOMEBODY, SOMEBODY)
    with copy_folder(str(place)):
        pass
    assert left(place) == [f"{PREFIX}foreign", f"{PREFIX}link"]
    assert (other / "precious").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_verification_that_is_ended_leaves_no_decrypted_copy(
    tmp_path: Path, number: signal.Signals
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    process = subprocess.Popen(
        # Whatever this very run was told to ignore, by `nohup` or `&`.
        ["env", "--default-signal", sys.executable, "-c", VERIFYING, str(tmp_path / "host")],
        env={**os.environ, "TMPDIR": str(place), "PYTHONPATH": str(Path(__file__).parent)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "READY\n"
        assert len(left(place)) == 1
        process.send_signal(number)
        code = process.wait(60)
    finally:
        process.kill()
        process.wait()
    if number == signal.SIGKILL:  # nobody can clear away then: the next one does
        with copy_folder(str(place)):
            assert len(left(place)) == 1
    else:
        assert code == 128 + number
    assert left(place) == []
