"""Running a program or a pipeline of some, and what it took: seconds and memory."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.backup.errors import BenchmarkError

LOOK_SECONDS = 0.05
LONGEST_SECONDS = 3600.0
#: tar ends so when a folder got a new file while it was read, which people's writes bring about.
_HARMLESS = {"tar": 1}

Command = Sequence[str]


@dataclass(frozen=True)
class Took:
    """What a command, or several in turn, needed.

    Attributes:
        memory: the most that its processes had in RAM together, bytes.
    """

    seconds: float
    memory: int

    def __add__(self, other: Took) -> Took:
        return Took(self.seconds + other.seconds, max(self.memory, other.memory))


def run(pipe: Sequence[Command], environment: Mapping[str, str], folder: Path) -> Took:
    """Run commands as one pipeline, each reading what the one before writes.

    Args:
        environment: beside this process's own.
        folder: where they run, and where their standard errors go.
    Raises: BenchmarkError when one fails, with its last words.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        errors = stack.enter_context((folder / "stderr").open("wb"))
        processes: list[subprocess.Popen[bytes]] = []
        for number, words in enumerate(pipe):
            last = number == len(pipe) - 1
            process = stack.enter_context(
                subprocess.Popen(
                    list(words),
                    cwd=folder,
                    env={**os.environ, **environment},
                    stdin=processes[-1].stdout if processes else subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL if last else subprocess.PIPE,
                    stderr=errors,
                )
            )
            if processes and (given := processes[-1].stdout):
                given.close()  # it is the next one's now
            processes.append(process)
        with watched([process.pid for process in processes]) as peak:
            _wait(processes, began)
    seconds = time.monotonic() - began
    for process, words in zip(processes, pipe, strict=True):
        if process.returncode not in (0, _HARMLESS.get(words[0], 0)):
            said = (folder / "stderr").read_text(errors="replace")[-1500:]
            raise BenchmarkError(f"{words[0]} ended with {process.returncode}", hint=said)
    return Took(seconds, peak.bytes)


def _wait(processes: Sequence[subprocess.Popen[bytes]], began: float) -> None:
    try:
        for process in processes:
            process.wait(max(1.0, began + LONGEST_SECONDS - time.monotonic()))
    except BaseException:
        for process in processes:
            process.send_signal(signal.SIGKILL)
        raise


class Peak:
    """The most memory seen."""

    def __init__(self) -> None:
        self.bytes = 0


@contextmanager
def watched(roots: Sequence[int]) -> Iterator[Peak]:
    """Look at the memory of processes and their children again and again meanwhile."""
    peak, end = Peak(), threading.Event()

    def look() -> None:
        while not end.is_set():
            peak.bytes = max(peak.bytes, sum(resident(pid) for pid in _with_children(roots)))
            end.wait(LOOK_SECONDS)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        end.set()
        thread.join()


def _with_children(roots: Sequence[int]) -> list[int]:
    found, left = [], list(roots)
    while left:
        pid = left.pop()
        found.append(pid)
        with suppress(OSError):  # it ended just now
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                left += [int(word) for word in _text(task).split()]
    return found


def resident(pid: int) -> int:
    """Bytes in RAM, pages shared with other processes in equal parts: a child that was forked
    just now is not counted as a second parent (proc(5), smaps_rollup: Pss)."""
    for line in _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""  # it ended just now
