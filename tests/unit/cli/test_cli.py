"""How the command line ends: messages on stderr, exit codes, never a traceback."""

import subprocess
import sys

import click
import pytest

from tinykit_ops import cli
from tinykit_ops.errors import (
    AccessError,
    BusyError,
    Exit,
    StorageError,
    TinykitOpsError,
    UnavailableError,
    UsageError,
)


def command_that(does):
    return click.Command("x", callback=does)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TinykitOpsError, 1),
        (UsageError, 64),
        (UnavailableError, 69),
        (StorageError, 74),
        (BusyError, 75),
        (AccessError, 77),
    ],
)
def test_an_error_is_three_lines_on_stderr_and_its_own_exit_code(capsys, error, code):
    def fail():
        raise error("it broke", where="/etc/x", hint="mend it")

    assert cli.run_command(command_that(fail), []) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "error: it broke\n  where: /etc/x\n  hint:  mend it\n"


@pytest.mark.parametrize(("value", "code"), [(None, 0), (1, 1), (Exit.COULD_NOT_SEE, 2)])
def test_what_a_command_returns_is_the_exit_code(value, code):
    assert cli.run_command(command_that(lambda: value), []) == code


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no-such-command"], "No such command"),
        (["--no-such-option"], "No such option"),
        (["host", "artifact", "emacs"], "is not one of"),
        (["host", "release"], "Missing argument"),
    ],
)
def test_wrong_usage_is_64_and_says_what_is_wrong(capsys, arguments, words):
    assert cli.run(arguments) == Exit.USAGE
    assert words in capsys.readouterr().err


def test_ctrl_c_is_130_and_no_traceback(capsys):
    def interrupt():
        raise KeyboardInterrupt

    assert cli.run_command(command_that(interrupt), []) == Exit.INTERRUPTED
    assert "Traceback" not in capsys.readouterr().err


def test_every_command_can_be_asked_for_help(capsys):
    for name in cli.cli.list_commands(click.Context(cli.cli)):
        assert cli.run([name, "--help"]) == 0
        assert "Usage:" in capsys.readouterr().out


def test_a_host_that_was_never_provisioned_is_told_so(capsys, monkeypatch, tmp_path):
    from tinykit_ops.agent.config import load_agent_config
    from tinykit_ops.cli.host import _secrets

    monkeypatch.setattr(_secrets, "load_agent_config", lambda: load_agent_config(tmp_path / "none"))
    assert cli.run(["host", "secrets", "--check"]) == Exit.USAGE
    assert "no tinykit-ops configuration" in capsys.readouterr().err


class Step:
    def __init__(self, left):
        self.left = left
        self.applied = 0

    def pending(self):
        return self.left

    def apply(self):
        self.applied += 1


@pytest.mark.parametrize(
    ("left", "check", "code", "applied"),
    [([], True, 0, 0), (["x"], True, 1, 0), ([], False, 0, 0), (["x"], False, 0, 1)],
)
def test_a_step_is_done_only_when_something_is_left_and_it_is_not_a_check(
    tmp_path, monkeypatch, left, check, code, applied
):
    from tinykit_ops.cli.host import _common

    alone = _common.alone
    monkeypatch.setattr(_common, "alone", lambda: alone(tmp_path / "lock"))
    step = Step(left)
    assert _common.run_step(step, check) == code
    assert step.applied == applied


_A_LOOK = """
import atexit, sys
from tinykit_ops.checks.registry import all_checks
from tinykit_ops.cli.check import command

def tell():
    slow = {name.partition(".")[0] for name in sys.modules} & {"pydantic", "requests", "boto3"}
    print(all_checks.cache_info().currsize, sorted(slow), file=sys.stderr)

atexit.register(tell)
command.main(["https://127.0.0.1:9", "--format", "json"])
"""


def test_a_look_from_outside_starts_without_what_it_does_not_need():
    """Models of settings alone take as long to make as all the rest of a start."""
    words = [sys.executable, "-c", _A_LOOK]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "1 []"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            OSError(28, "No space left on device", "/var/x"),
            Exit.IO_ERROR,
            "error: No space left on device\n  where: /var/x\n  hint:  free some disk space",
        ),
        (
            PermissionError(13, "Permission denied", "/etc/x"),
            Exit.NO_PERMISSION,
            "error: Permission denied\n  where: /etc/x\n  hint:  run this as root",
        ),
        (OSError("nobody numbered it"), Exit.IO_ERROR, "error: nobody numbered it\n"),
        (
            subprocess.TimeoutExpired(["systemctl", "stop", "x"], 300),
            Exit.UNAVAILABLE,
            "error: systemctl stop x did not end within 300 s\n",
        ),
    ],
)
def test_what_the_system_refuses_is_an_error_for_people(capsys, error, code, said):
    def fail():
        raise error

    assert cli.run_command(command_that(fail), []) == code
    assert capsys.readouterr().err.startswith(said)


def test_a_bug_is_70_and_tells_where_it_is(capsys):
    def fail():
        raise ZeroDivisionError("oh")

    assert cli.run_command(command_that(fail), []) == Exit.SOFTWARE
    said = capsys.readouterr().err
    assert "in fail" in said
    assert "ZeroDivisionError: oh" in said
    assert said.endswith("error: this is a bug in tinykit-ops; the lines above say where\n")


def test_what_only_a_controller_has_is_told_on_a_host(capsys):
    def fail():
        raise ModuleNotFoundError("No module named 'gevent'", name="gevent")

    assert cli.run_command(command_that(fail), []) == Exit.UNAVAILABLE
    said = capsys.readouterr().err
    assert said.startswith("error: this command needs gevent, which is not installed here\n")
    assert "Traceback" not in said


def test_output_to_a_full_disk_is_74_and_no_traceback():
    done = _end_of("check list > /dev/full")
    assert (done.returncode, done.stdout) == (Exit.IO_ERROR, "")
    assert done.stderr.startswith("error: No space left on device\n")


def test_a_reader_that_goes_away_is_no_success_and_no_words():
    # The reader is gone before anything is written, so that no moment decides.
    done = _end_of("check list", before="exec 3> >(true); wait $!; exec 1>&3;")
    assert (done.returncode, done.stderr) == (Exit.NO_READER, "")


def _end_of(command, before=""):
    line = f"{before} exec {sys.executable} -m tinykit_ops {command}"
    words = ["bash", "-c", line]
    return subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
