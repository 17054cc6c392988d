"""Ending a run of `deploys/full.py` at an operation: how, when, and what it said."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from firewall_trials import cut_off
from tests_e2e_support import BIN, DEPLOY_SECONDS, ROOT, until

from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.lab import Lab

WAYS = ("kill", "interrupt", "terminate", "network", "power")
SIGNALS = {"interrupt": signal.SIGINT, "terminate": signal.SIGTERM}
NOT_BEGUN = "before the first"
OPERATIONS = 40  #: about as many as a whole run has
LONGEST_DELAY = 3.0  #: seconds from the start of the operation
END_SECONDS = 200  #: until a run that was not killed has to be over; a dead line is noticed in 60
OFF_SECONDS = 10


@dataclass(frozen=True)
class Ending:
    """How a run is ended.

    Attributes:
        operation: the number of the one at which it is; 0: before the first.
        delay: seconds after that operation began.
        lingers: without network or power, the controller lives on and has to notice by itself.
        away: seconds without network.
    """

    way: str
    operation: int
    delay: float
    lingers: bool
    away: float

    def __str__(self) -> str:
        how = self.way
        if self.way == "network":
            how = f"{how} for {self.away:.0f} s"
        if self.way in ("network", "power"):
            how += ", controller lives" if self.lingers else " and controller"
        return f"{how} at {self.operation}+{self.delay:.1f} s"


def drawn(rng: random.Random, ways: tuple[str, ...]) -> Ending:
    """Any way to end a run, anywhere in it."""
    away = 80.0 if rng.random() < 0.1 else rng.uniform(1, 20)  # 60 s break a connection
    delay = rng.uniform(0, LONGEST_DELAY)
    number = rng.randrange(OPERATIONS)
    return Ending(rng.choice(ways), number, delay, rng.random() < 0.5, away)


@dataclass
class Ended:
    """A run that was ended.

    Attributes:
        reached: it was still running then.
        code: its exit code; None when it had to be killed, because it did not end.
        at: the operation, in its own words.
        said: everything.
    """

    reached: bool
    code: int | None
    at: str
    said: str

    def faults(self, ending: Ending) -> list[str]:
        """What a person should not have seen."""
        found = []
        if "Traceback" in self.said:
            found.append(f"a traceback: {self.said[-3000:]}")
        if self.code is None:
            found.append(f"the run did not end: {self.said[-1500:]}")
        is_whole = "Grand total" in self.said  # it was faster
        failed = self.code not in (0, None, -signal.SIGKILL) and not is_whole
        if failed and "hint:" not in self.said and self.at != NOT_BEGUN:
            found.append(f"it does not say what to do: {self.said[-1500:]}")
        is_stopped = self.reached and self.at != NOT_BEGUN and ending.way in SIGNALS
        if is_stopped and self.code != 128 + SIGNALS[ending.way] and not is_whole:
            found.append(f"it was stopped, and its exit code is {self.code}: {self.said[-1500:]}")
        return found


class Running:
    """A run whose operations are counted while it lasts."""

    def __init__(self, command: list[str], operation: int) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._wanted = operation
        self._there = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def reaches(self) -> bool:
        """Wait for the operation; whether the run came so far."""
        until(lambda: self._there.is_set() or self.is_over, DEPLOY_SECONDS, 0.02)
        return self._there.is_set()

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None

    def wait(self, seconds: float) -> bool:
        """Whether it is over within some seconds."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return self.is_over

    def kill(self) -> None:
        """What a controller that loses power looks like to the host."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    @property
    def said(self) -> str:
        """All that it said, once it is over."""
        self._reader.join(10)
        return "".join(self._lines)

    @property
    def at(self) -> str:
        """The operation that it is at."""
        begun = [line for line in self._lines if line.startswith("--> Starting operation:")]
        return begun[-1].partition("operation: ")[2].strip() if begun else NOT_BEGUN

    def _read(self) -> None:
        begun = 0
        for line in self.process.stdout or ():  # the first line comes once Python has begun
            self._lines.append(line)
            begun += line.startswith("--> Starting operation:")
            if begun == self._wanted:
                self._there.set()


def end(command: list[str], ending: Ending, lab: Lab, host: LabHost) -> Ended:
    """Run a command and end it; afterwards network and power are back."""
    run = Running(command, ending.operation)
    try:
        reached = run.reaches() and not run.wait(ending.delay)
        at = run.at
        if reached:
            _break_off(run, ending, lab, host)
        code = run.process.returncode if run.wait(END_SECONDS) else None
    finally:
        run.kill()
        run.process.wait()
    return Ended(reached, code, at, run.said)


def _break_off(run: Running, ending: Ending, lab: Lab, host: LabHost) -> None:
    if ending.way == "kill":
        run.kill()
    elif ending.way == "interrupt":  # a terminal tells the whole group
        os.killpg(run.process.pid, signal.SIGINT)
    elif ending.way == "terminate":
        run.process.terminate()
    elif ending.way == "network":
        with cut_off(lab, host):
            time.sleep(ending.away / 2)
            run.kill() if not ending.lingers else None
            time.sleep(ending.away / 2)
    else:
        host.kill()
        run.kill() if not ending.lingers else None
        until(lambda: not host.is_running, OFF_SECONDS, 0.1)
        host.boot()
        host.wait_until_ready()
