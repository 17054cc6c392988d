"""The deploy under test, from a copy of this checkout that nobody edits meanwhile."""

from __future__ import annotations

import compileall
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from benchmarks.provision import timed_run
from benchmarks.provision.fresh_lab import Setting
from benchmarks.provision.timed_run import Run
from tinykit_ops.deploy.templates import ROOT

_PARTS = ("tinykit_ops", "deploys", "templates", "requirements", "benchmarks")


def copy_checkout(folder: Path) -> Path:
    """Copy what a deploy reads, and compile it, as it is after anybody's first run.

    A change of the agent's source between two runs would make the second one install it.

    Returns: the copy, to be set as `Setting.source`.
    """
    copy = folder / "source"
    for part in _PARTS:
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(str(copy / "tinykit_ops"), quiet=1)
    return copy


def deploy(setting: Setting, *options: str) -> Run:
    """Run `pyinfra -y INVENTORY deploys/full.py`. Raises: BenchmarkError when it fails.

    With "--json", the output is that; else it is pyinfra's progress, which goes to stderr.
    """
    pyinfra = str(Path(sys.executable).with_name("pyinfra"))
    full = str(setting.source / "deploys" / "full.py")
    return _run(setting, [pyinfra, "-y", *options, str(setting.inventory), full], not options)


def operation_steps(run: Run) -> list[tuple[str, float]]:
    """(operation, seconds) of a run without "--json"; of its name only what a person reads."""
    steps = run.steps("--> Starting operation:")
    return [(name.rpartition(" | ")[2], seconds) for name, seconds in steps]


def read_resources(setting: Setting) -> dict[str, Any]:
    """What the deploy wants of the host in the lab; see `resources`."""
    module = "benchmarks.provision.resources"
    _run(setting, [sys.executable, "-m", module, str(setting.inventory), str(setting.folder)])
    found: dict[str, Any] = json.loads((setting.folder / "resources.json").read_text())
    return found


def _run(setting: Setting, command: list[str], merged: bool = False) -> Run:
    environment = {"PYTHONPATH": str(setting.source)}
    return timed_run.run(command, cwd=setting.folder, environment=environment, merged=merged)
