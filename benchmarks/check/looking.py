"""Running a program that looks at something: how long it took, what it used, what it said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.check.errors import BenchmarkError
from tinykit_ops.errors import Exit

#: The command as it is installed beside this Python.
TINYKIT_OPS = str(Path(sys.executable).with_name("tinykit-ops"))
LOOKED = (Exit.OK, Exit.FINDINGS, Exit.COULD_NOT_SEE)
_TOLD = 1500  #: characters of last words


@dataclass(frozen=True)
class Ran:
    """A program that ended.

    Attributes:
        seconds: from its start to its end.
        processor: seconds that it computed, its own and the kernel's for it.
        peak: the most memory that it had in RAM at once, bytes. Never less than this process has:
            Linux counts what a program shared with its parent before it became itself.
    """

    code: int
    seconds: float
    processor: float
    peak: int
    output: str


def run(words: Sequence[str], folder: Path) -> Ran:
    """Run a program to its end, whatever its exit code.

    Args:
        folder: for its output, in files: a pipe would have to be read meanwhile.
    """
    out, errors = folder / "look.out", folder / "look.err"
    with out.open("wb") as sink, errors.open("wb") as complaints:
        began = time.monotonic()
        process = subprocess.Popen(list(words), stdout=sink, stderr=complaints)
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)  # else Popen would wait once more
    processor = used.ru_utime + used.ru_stime
    said = out.read_text(errors="replace")
    return Ran(process.returncode, seconds, processor, used.ru_maxrss * 1024, said)


def check(words: Sequence[str], folder: Path, *, before: Sequence[str] = ()) -> Ran:
    """Run `tinykit-ops check` with these words.

    Args:
        before: a command that runs it, such as taskset.
    Raises: BenchmarkError when it could not look.
    """
    ran = run([*before, TINYKIT_OPS, "check", *words], folder)
    if ran.code not in LOOKED:
        last = (folder / "look.err").read_text(errors="replace")[-_TOLD:]
        raise BenchmarkError(f"tinykit-ops check ended with {ran.code}", hint=last)
    return ran


def outcomes(instance: dict[str, Any]) -> dict[str, str]:
    """Check → outcome, of one instance of a JSON report."""
    return {each["id"]: each["outcome"] for each in instance["results"]}


def only_instance(report: str) -> dict[str, Any]:
    """The one instance of a JSON report. Raises: BenchmarkError."""
    try:
        (instance,) = json.loads(report)["instances"]
    except (ValueError, KeyError) as error:
        raise BenchmarkError(f"A report cannot be read: {error}") from None
    return dict(instance)
