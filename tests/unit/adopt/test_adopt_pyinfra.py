"""What pyinfra says of a run, in the words of a person."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tinykit_ops.adopt import pyinfra_runs
from tinykit_ops.adopt.pyinfra_runs import Deploys
from tinykit_ops.errors import UnavailableError

FAILED = """\
--> Starting operation: Make folders
    [web1] Success
--> Starting operation: Write the schedule of backups
    [web1] mv: cannot overwrite directory '/etc/cron.d/tinykit-ops'
    [web1] Error: executed 0 commands
--> pyinfra error: No hosts remaining!
"""


@pytest.fixture
def pyinfra(monkeypatch):
    def answers(code, out="", err=""):
        done = subprocess.CompletedProcess([], code, out, err)
        monkeypatch.setattr(pyinfra_runs.subprocess, "run", lambda *_, **__: done)
        return Deploys(Path("x.py"), "web1")

    return answers


def test_a_run_that_fails_says_what_the_operation_said(pyinfra):
    with pytest.raises(UnavailableError) as told:
        pyinfra(1, "", FAILED).run("full.py")
    assert "cannot overwrite directory" in told.value.what
    assert "Make folders" not in told.value.what


def test_changes_are_those_of_the_plan_without_the_looks(pyinfra):
    plan = [
        {"name": "deploys/preflight.py | See that this host fits", "hosts_with_change": ["web1"]},
        {"name": "deploys/app.py | Write tinykit's units", "hosts_with_change": ["web1"]},
        {"name": "deploys/base.py | Install packages", "hosts_with_change": []},
    ]
    deploys = pyinfra(0, json.dumps({"plan": plan}))
    assert deploys.changes("full.py") == ["deploys/app.py | Write tinykit's units"]


def test_a_plan_that_cannot_be_read_is_an_error(pyinfra):
    with pytest.raises(UnavailableError, match="is not known"):
        pyinfra(1, "", "no connection").changes("full.py")
