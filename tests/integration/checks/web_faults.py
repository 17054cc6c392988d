"""Faults on the way to an instance, from a seed, and how a look through them is judged.

The instance is raw: what is a finding without a fault must be no pass with one. Where every answer
but the first is broken, nothing at all that is seen by HTTP may pass.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from faulty_web import FOREIGN, KINDS, FaultyWeb

TIMEOUT = 0.5  #: seconds a request, as the command is told
LONGEST = 300.0  #: seconds for the command, on a busy machine
CODES = {0, 1, 2, 69}
#: Parts of JSON may change to what is right: then only that nothing breaks is judged.
_TELLS_NOTHING = {"strange JSON"}
Say = Callable[[str], None]


@dataclass
class Look:
    """One run of the command."""

    code: int
    said: str
    seconds: float
    outcomes: Mapping[str, str] = field(default_factory=dict)
    evidence: str = ""


@dataclass(frozen=True)
class Fault:
    """Which answers are broken, and how.

    Attributes:
        first: requests that go well before it begins.
        path: only on this path; empty for all.
    """

    kind: str
    first: int = 1
    path: str = ""

    def hits(self, number: int, _: str, path: str) -> bool:
        return number >= self.first and self.path in ("", path)

    def __str__(self) -> str:
        return f"{self.kind} on {self.path or 'everything'} after {self.first}"


def look(url: str, environment: Mapping[str, str], timeout: float = TIMEOUT) -> Look:
    """Run `tinykit-ops check` in a process of its own, for what is seen by HTTP.

    Args:
        timeout: seconds a request. With few of them, a machine that is busy for a moment looks
            like an instance that is silent, and after three of these nothing more is asked.
    """
    words = [sys.executable, "-m", "tinykit_ops", "check", url, "--format=json"]
    words += [f"--timeout={timeout}", "--skip=host", "--skip=network"]
    began = time.monotonic()
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Look(-1, "it hangs", LONGEST)
    said, seconds = done.stdout + done.stderr, time.monotonic() - began
    try:
        results = json.loads(done.stdout)["instances"][0]["results"]
    except ValueError:
        return Look(done.returncode, said, seconds)
    outcomes = {each["id"]: each["outcome"] for each in results}
    return Look(done.returncode, said, seconds, outcomes, json.dumps(results))


def faults(seed: int, count: int, paths: list[str]) -> list[Fault]:
    """So many, every kind in turn: on all answers, on all from some time on, on one path."""
    rng, made = random.Random(seed), []
    for number in range(count):
        kind, way = KINDS[number % len(KINDS)], number // len(KINDS) % 4
        if way == 0:
            made.append(Fault(kind))
        elif way == 1:
            made.append(Fault(kind, 0))
        elif way == 2 or kind in FOREIGN:
            made.append(Fault(kind, rng.randrange(2, len(paths))))
        else:
            made.append(Fault(kind, 1, rng.choice(paths)))
    return made


def judge(fault: Fault, seen: Look, sound: Look) -> list[str]:
    """What was answered wrongly, in words."""
    wrong = []
    if seen.code not in CODES:
        wrong.append(f"ended with {seen.code}: {seen.said[-300:]}")
    if "Traceback" in seen.said or "this check broke" in seen.said:
        wrong.append("a check broke")
    if fault.kind in _TELLS_NOTHING:
        return wrong
    passes = {check for check, outcome in seen.outcomes.items() if outcome == "pass"}
    if hidden := sorted(each for each in passes if sound.outcomes.get(each) == "fail"):
        wrong.append(f"passed although it is a hole: {', '.join(hidden)}")
    if fault.first <= 1 and not fault.path and fault.kind != "expired login" and passes:
        wrong.append(f"passed without a good answer: {', '.join(sorted(passes))}")
    return wrong


def campaign(
    upstream: int, environment: Mapping[str, str], seed: int, count: int, show: Say
) -> list[str]:
    """Look through every fault; returns what was wrong."""
    rng, wrong = random.Random(seed), []
    with FaultyWeb(upstream, rng) as web:
        sound = look(web.url, environment)
        paths = [path for _, path in web.seen[1:]]
    if "fail" not in sound.outcomes.values():
        return [f"the instance is not raw: {sound.said[-300:]}"]
    for fault in faults(seed, count, paths):
        with FaultyWeb(upstream, rng) as web:
            web.kind, web.hits = fault.kind, fault.hits
            seen = look(web.url, environment)
            found = judge(fault, seen, sound)
        show(f"{fault}: {'; '.join(found) or 'ok'} ({web.hit} hit, {seen.seconds:.1f} s)")
        wrong += [f"{fault}: {each}" for each in found]
    return wrong
