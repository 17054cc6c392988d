"""Run a command, and note when each of its steps began."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.provision.errors import BenchmarkError

TIMEOUT_SECONDS = 900.0
_TOLD = 25  #: last lines of a failed run that are shown


@dataclass(frozen=True)
class Run:
    """A command that ended well.

    Attributes:
        began: time.monotonic() when it was started.
        seconds: how long it took.
        lines: (seconds since it began, line) of its output.
    """

    began: float
    seconds: float
    lines: tuple[tuple[float, str], ...]

    @property
    def output(self) -> str:
        """Its output."""
        return "\n".join(line for _, line in self.lines)

    def steps(self, mark: str) -> list[tuple[str, float]]:
        """(step, seconds) for the lines that start with `mark`; a step lasts until the next."""
        marks = [(0.0, "(start)")]
        marks += [
            (at, line[len(mark) :].strip()) for at, line in self.lines if line.startswith(mark)
        ]
        ends = [at for at, _ in marks[1:]] + [self.seconds]
        return [(name, end - at) for (at, name), end in zip(marks, ends, strict=True)]


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    merged: bool = False,
    timeout: float | None = None,
) -> Run:
    """Run `command` in `cwd` and wait for it.

    Args:
        stdin: sent to it.
        environment: variables beside this process's own.
        merged: take lines of its standard error for output, too.
        timeout: in seconds; TIMEOUT_SECONDS when left out.
    Raises: BenchmarkError when it fails or takes longer than that, with its last words.
    """
    variables = {**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})}
    errors = cwd / "stderr"
    began = time.monotonic()
    lines: list[tuple[float, str]] = []
    with (
        errors.open("wb") as sink,
        subprocess.Popen(
            command,
            cwd=cwd,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else sink,
            start_new_session=True,  # so that what it started can be ended with it
        ) as process,
    ):
        watchdog = threading.Timer(timeout or TIMEOUT_SECONDS, _end, [process])
        watchdog.start()
        try:
            feeder = threading.Thread(target=_feed, args=(process, stdin))
            feeder.start()
            for raw in process.stdout or ():
                lines.append((time.monotonic() - began, raw.decode(errors="replace").rstrip("\n")))
            feeder.join()
            process.wait()
        finally:
            watchdog.cancel()
            if process.poll() is None:
                _end(process)
    seconds = time.monotonic() - began
    if process.returncode != 0:
        said = [line for _, line in lines] + errors.read_text(errors="replace").splitlines()
        raise BenchmarkError(
            f"{Path(command[0]).name} ended with {process.returncode} after {seconds:.0f} s.",
            hint="Its last words:\n" + "\n".join(said[-_TOLD:]),
        )
    return Run(began, seconds, tuple(lines))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and its children: Ansible's workers outlive their parent."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    if process.stdin is None:
        return
    # It may end before it has read all; then its exit code tells.
    with suppress(BrokenPipeError), process.stdin as sink:
        sink.write(data)
