"""A run that somebody stops does not look like one that went well."""

import subprocess
import sys

import pytest

RUN = """\
import os, signal, sys, pyinfra
from tinykit_ops.settings import pyinfra_stop as stopped
pyinfra.is_cli = sys.argv[2] == "cli"
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever this was started under
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
stopped.say_when_stopped()
try:
    os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    signal.sigtimedwait([], 0)
finally:
    print("hung up")
"""


def run(name, where="cli"):
    words = [sys.executable, "-c", RUN, name, where]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_stopped_run_hangs_up_in_order_says_so_and_what_to_do_and_fails(name, code):
    done = run(name)
    assert done.returncode == code
    assert done.stdout == "hung up\n"
    assert f"error: this run was stopped ({name})" in done.stderr
    assert "run the same again" in done.stderr
    assert "Traceback" not in done.stderr


def test_who_ignores_a_signal_goes_on():
    assert run("SIGHUP").returncode == 0


def test_a_program_that_uses_pyinfra_keeps_its_own_ways():
    assert "was stopped" not in run("SIGTERM", "library").stderr
