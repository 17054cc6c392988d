"""Whatever happens to `lab up`, `lab down --all` leaves nothing."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from waiting import PATIENCE, until

from tinykit_ops.lab.lab import Lab
from tinykit_ops.lab.names import LabNames

pytestmark = pytest.mark.lab
LAB = "crash"


def killed_up(
    labs: Any, *, after: str, seconds: float = 0, when: Callable[[], object] = lambda: True
) -> None:
    """Start `lab up`, and SIGKILL it some seconds after it has said `after`, and `when` is true."""
    process = subprocess.Popen(
        labs.command("up", "--name", LAB),
        env={**labs.environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if after in line:
            break
    assert after in said
    until(when, "the moment of the kill", pause=0.01)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE)
    process.stdout.close()


POINTS = [
    ("network", 0),
    ("network", 0.1),
    ("network", 0.3),
    ("S3 server", 0),
    ("S3 server", 0.1),
    ("booting", 0),
    ("booting", 0.1),
    ("booting", 1),
    ("is ready", 0),
]


@pytest.mark.parametrize(("after", "seconds"), POINTS)
def test_nothing_is_left_after_a_kill(labs: Any, after: str, seconds: float) -> None:
    killed_up(labs, after=after, seconds=seconds)
    labs("down", "--all")
    labs.leaves_nothing()


@pytest.mark.parametrize(("after", "seconds"), POINTS[::3])
def test_up_goes_on_where_it_was_killed(labs: Any, after: str, seconds: float) -> None:
    killed_up(labs, after=after, seconds=seconds)
    labs("up", "--name", LAB)
    lab = Lab.load(LAB, labs.root)
    assert len(lab.hosts) == 1
    assert lab.host("tk-1").ssh(["whoami"], user="ops").stdout == "ops\n"
    labs("down", "--name", LAB)
    labs.leaves_nothing()


def test_a_half_made_base_tree_is_removed_and_made_again(labs: Any, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    labs.env = {"TINYKIT_LAB_CACHE": str(cache)}
    try:
        killed_up(
            labs,
            after="making the base tree",
            when=lambda: list(cache.glob(".partial-*/root/*")),
            seconds=2,
        )
        assert list(cache.glob(".partial-*"))
        labs("down", "--all")
        labs.leaves_nothing()
        assert list(cache.iterdir()) == []
    finally:
        labs.env = {}


@pytest.mark.parametrize("notes", [None, "", "{", '{"hosts": 1}'])
def test_lost_or_broken_notes_do_not_stop_the_removal(labs: Any, notes: str | None) -> None:
    labs("up", "--name", LAB, "--no-s3")
    state = LabNames(labs.root, LAB).folder / "state.json"
    state.unlink()
    if notes is not None:
        state.write_text(notes)
        assert "lab down" in labs("up", "--name", LAB, code=69)
    assert LAB in labs("list")
    labs("down", "--all")
    labs.leaves_nothing()


def test_a_lab_whose_folder_was_deleted_is_found_by_its_names(labs: Any) -> None:
    labs("up", "--name", LAB)
    shutil.rmtree(labs.root)
    assert labs.traces()["interfaces"]
    labs("down", "--all")
    labs.leaves_nothing()


def test_down_of_one_lab_leaves_the_other_alone(labs: Any) -> None:
    labs("up", "--name", "one", "--no-s3")
    labs("up", "--name", "two", "--no-s3")
    labs("down", "--name", "one")
    lab = Lab.load("two", labs.root)
    assert lab.host("tk-1").ssh(["true"]).returncode == 0
    assert "one" not in labs("list")
    labs("down", "--name", "two")
    labs.leaves_nothing()


def test_down_of_what_is_not_there_is_fine(labs: Any) -> None:
    labs("down", "--name", "never-was")
    labs("down", "--all")
    labs.leaves_nothing()


def test_what_runs_on_the_outside_client_ends_with_the_lab(labs: Any) -> None:
    labs("up", "--name", LAB, "--no-s3")
    lab = Lab.load(LAB, labs.root)
    words = lab.outside.command(["sh", "-c", "echo inside; exec sleep 600"])
    sleeper = subprocess.Popen(words, start_new_session=True, stdout=subprocess.PIPE, text=True)
    assert sleeper.stdout is not None and sleeper.stdout.readline() == "inside\n"
    labs("down", "--name", LAB)
    assert sleeper.wait(PATIENCE) == -signal.SIGKILL
    sleeper.stdout.close()
    labs.leaves_nothing()


def test_two_ups_at_once_make_one_lab(labs: Any) -> None:
    running = [
        subprocess.Popen(
            labs.command("up", "--name", LAB, "--no-s3"),
            env=labs.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=600)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert len(Lab.load(LAB, labs.root).hosts) == 1
    labs("down", "--name", LAB)
    labs.leaves_nothing()
