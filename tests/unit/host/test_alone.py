"""One change of the host at a time."""

import stat
import subprocess
import sys

import pytest

from tinykit_ops.errors import BusyError
from tinykit_ops.host.alone import alone

HOLD = """\
import sys
from pathlib import Path
from tinykit_ops.host.alone import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path):
    return tmp_path / "run" / "deploy"


@pytest.fixture
def other(lock):
    """Another run that holds the lock until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_run_is_told_that_the_host_is_busy(lock, other):
    with pytest.raises(BusyError, match="another run"), alone(lock, seconds=0):
        pass


def test_a_run_that_was_killed_leaves_no_lock_behind(lock, other):
    other.kill()
    other.wait()
    with alone(lock, seconds=60):
        pass


def test_a_run_waits_for_the_one_before_it(lock, other):
    other.stdin.close()
    with alone(lock, seconds=60):
        pass


def test_the_lock_can_be_opened_by_its_owner_alone(lock):
    with alone(lock):
        assert stat.S_IMODE(lock.stat().st_mode) == 0o600
