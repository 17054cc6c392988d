"""Many instances looked at from outside by one process on one core."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.check.errors import BenchmarkError
from benchmarks.check.looking import Ran, check, outcomes
from benchmarks.check.simulated import Fleet, simulated_instances
from benchmarks.machine import Load
from benchmarks.report import Measure
from benchmarks.samples import Goal, Samples

MB = 1_000_000
MANY = 100  #: instances in the run that is timed
LEAST = 120.0  #: instances a minute
MOST = 200.0  #: MB
FLAT = 1.2  #: times the memory of the first size, for the last one
MOST_INSTANCES = 5000  #: the room has addresses for more
OUR_CORE, THEIR_CORE = 0, 1

Say = Callable[[str], None]


def measure(folder: Path, sizes: Sequence[int], rounds: int, load: Load, say: Say) -> Measure:
    """Look at a hundred of them a few times, and at more of them once each for the memory.

    Args:
        sizes: how many, beside the hundred, rising; the memory of the last must not be much more.
        rounds: how often the hundred are looked at.
    Raises: BenchmarkError when a look missed one, or verdicts differ.
    """
    with simulated_instances(folder, THEIR_CORE) as fleet:
        _look(fleet, 1, folder)  # warms the page cache; does not count
        ran = []
        for number in range(1, rounds + 1):
            load.before_a_run()
            ran.append(_look(fleet, MANY, folder))
            say(f"fleet, round {number} of {rounds}: {MANY} in {ran[-1].seconds:.1f} s")
        bigger = {}
        for size in sizes:
            bigger[size] = _look(fleet, size, folder)
            say(f"fleet: {size} in {bigger[size].seconds:.1f} s, {_memory(bigger[size]):.0f} MB")
    return _told(ran, bigger)


def _told(ran: Sequence[Ran], bigger: dict[int, Ran]) -> Measure:
    timed = Samples.of([each.seconds for each in ran])
    most = {MANY: max(map(_memory, ran)), **{size: _memory(each) for size, each in bigger.items()}}
    goals = [
        Goal("instances a minute", MANY / timed.median * 60, LEAST, at_most=False),
        Goal("memory at its peak, MB", max(most.values()), MOST, at_most=True),
    ]
    if bigger:
        last = max(bigger)
        growth = most[last] / most[MANY]
        goals.append(Goal(f"memory of {last} / of {MANY}", growth, FLAT, at_most=True))
    runs = {MANY: min(ran, key=lambda each: each.seconds), **bigger}
    return Measure(
        f"Many instances: {MANY} simulated ones, from one core",
        {f"tinykit-ops check, {MANY} addresses": timed},
        goals=goals,
        figures={
            f"{size} instances": {
                "a minute": size / each.seconds * 60,
                "peak MB": most[size],
                "processor, ms an instance": each.processor / size * 1000,
            }
            for size, each in runs.items()
        },
        proofs=[
            "every instance was told, with the same verdicts as all others",
            "the instances are a stand-in on the other core: no network between that delays or "
            "loses, and a firewall that drops what is not for the web",
        ],
    )


def _look(fleet: Fleet, count: int, folder: Path) -> Ran:
    words = ["--only=outside", "--only=outsider", "--vantage=stranger", "--format=jsonl"]
    pinned = ["taskset", "--cpu-list", str(OUR_CORE)]
    ran = check([*fleet.words(count), *words], folder, before=pinned)
    _refuse_other_verdicts(ran.output, fleet.names(count))
    return ran


def _refuse_other_verdicts(output: str, names: Sequence[str]) -> None:
    """Raises: BenchmarkError when one is missing, twice there, or seen otherwise than the rest."""
    told: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for line in output.splitlines():
        (instance,) = json.loads(line)["instances"]
        told[instance["target"]] += 1
        kinds[json.dumps(outcomes(instance), sort_keys=True)] += 1
    if told != Counter(f"https://{name}" for name in names):
        raise BenchmarkError(f"{told.total()} instances were told, and {len(names)} were asked for")
    if len(kinds) > 1:
        raise BenchmarkError(
            f"{len(kinds)} kinds of verdicts on instances that are all alike",
            hint="a figure of looks that saw less would be wrong; is the machine overloaded?",
        )


def _memory(ran: Ran) -> float:
    return ran.peak / MB
