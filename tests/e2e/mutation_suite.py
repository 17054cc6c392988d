"""Break one thing, look, mend it, look again: what was found of what was broken."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from mutation_bench import MutationBench, outcomes
from mutation_kinds import Mutation
from mutations_care import CARE
from mutations_containers import CONTAINERS
from mutations_database import DATABASE
from mutations_edge import ROUTES, SERVED
from mutations_guards import GUARDS
from mutations_host import FILES, UNITS
from mutations_network import NETWORK, VERSIONS

from tinykit_ops.checks.model import Outcome
from tinykit_ops.checks.runner import InstanceReport

ALL: tuple[Mutation, ...] = (
    *(*ROUTES, *SERVED, *GUARDS),
    *DATABASE,
    *CONTAINERS,
    *(*FILES, *UNITS, *NETWORK, *VERSIONS),
    *CARE,
)


@dataclass
class Score:
    """What a campaign came to.

    Attributes:
        seeded: breakages made.
        detected: of these, with exactly the findings that belong to them.
        false_alarms: findings and unknowns that do not belong to what was broken.
        looks: how often the whole checklist was gone through.
        found: ids of checks that found something.
        wrong: one line for everything that was not as it should be.
    """

    seeded: int = 0
    detected: int = 0
    false_alarms: int = 0
    looks: int = 0
    found: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.detected}/{self.seeded} detected, {self.false_alarms} false alarms, "
            f"{len(self.found)} checks, {self.looks} looks"
        )


def of_kind(kind: str, runtime: str = "systemd") -> list[Mutation]:
    """The mutations that can be made with this proxy, in this runtime."""
    return [each for each in ALL if each.only in ("", kind) and each.runtime in ("", runtime)]


def named(*names: str) -> list[Mutation]:
    """Mutations by their names."""
    known = {each.name: each for each in ALL}
    return [known[name] for name in names]


def healthy(bench: MutationBench, score: Score, when: str) -> bool:
    """Does the whole checklist pass, with nothing unknown?"""
    report = bench.look()
    score.looks += 1
    strange = _strange(report)
    score.false_alarms += len(strange)
    score.wrong += [f"{when}: {line}" for line in strange]
    return not strange


def try_all(bench: MutationBench, mutations: Iterable[Mutation], score: Score) -> None:
    """Make each of them, and look."""
    for each in mutations:
        began = time.monotonic()
        wrong = len(score.wrong)
        try:
            _try(bench, each, score)
        except Exception as error:  # one break that cannot be made must not end the campaign
            score.wrong.append(f"{each.name}: {type(error).__name__}: {str(error)[:300]}")
        healthy(bench, score, f"after {each.name}")
        state = "ok" if len(score.wrong) == wrong else "WRONG"
        print(f"{bench.kind} {each.name}: {state} ({time.monotonic() - began:.0f} s)", flush=True)
        for line in score.wrong[wrong:]:
            print(f"  {line}", flush=True)


def _try(bench: MutationBench, each: Mutation, score: Score) -> None:
    score.seeded += 1
    with each.breaks(bench):
        report = bench.look()
    score.looks += 1
    seen = outcomes(report)
    failing = {check for check, outcome in seen.items() if outcome == Outcome.FAIL}
    unknown = {check for check, outcome in seen.items() if outcome == Outcome.UNKNOWN}
    missed = each.finds - failing
    alarms = (failing - each.finds) | (unknown - each.blinds - each.finds)
    score.detected += not missed
    score.found |= failing & each.finds
    score.false_alarms += len(alarms)
    if missed:
        score.wrong.append(f"{each.name}: not found by {', '.join(sorted(missed))}")
    lines = {line.split(":")[0]: line for line in _strange(report)}
    score.wrong += [f"{each.name}: false alarm: {lines.get(check, check)}" for check in alarms]


def _strange(report: InstanceReport) -> list[str]:
    """What does not pass, one line a check."""
    return [
        f"{each.check.id}: {each.verdict.outcome}: {'; '.join(each.verdict.evidence)[:300]}"
        for each in report.results
        if each.verdict.outcome not in (Outcome.PASS, Outcome.WAIVED)
    ]
