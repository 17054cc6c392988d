import threading
from pathlib import Path

import pytest

from tinykit_ops.errors import BusyError
from tinykit_ops.lab.locks import locked


def test_only_one_holds_a_folder(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "lab"),
        pytest.raises(BusyError, match="working on this lab"),
        locked(tmp_path / "lab"),
    ):
        pass


def test_a_lock_ends_with_its_block_also_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inside"), locked(tmp_path / "lab"):
        raise ValueError("inside")
    with locked(tmp_path / "lab"):
        pass


def test_a_folder_removed_by_its_holder_is_made_again_for_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    got = threading.Event()

    def next_one() -> None:
        with locked(folder, wait_seconds=60):
            got.set()
            (folder / "mine").touch()

    with locked(folder):
        waiting = threading.Thread(target=next_one)
        waiting.start()
        assert not got.wait(0.3)
        folder.rmdir()
    waiting.join(timeout=60)
    assert (folder / "mine").exists()
