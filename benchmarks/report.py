"""What a benchmark found, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.samples import Goal, Samples


@dataclass(frozen=True)
class Measure:
    """One comparison.

    Attributes:
        title: what was done.
        timings: who did it → how long it took.
        goals: what must be true of the timings.
        fastest: the ratio of the fastest runs, numerator and denominator as in the first goal.
        steps: who did it → (step, median seconds) in the order of the steps.
        proofs: what was seen to be so, in words.
        figures: who did it → what else was measured, its unit in its name → how much.
    """

    title: str
    timings: Mapping[str, Samples]
    goals: Sequence[Goal] = ()
    fastest: float = 0.0
    steps: Mapping[str, Sequence[tuple[str, float]]] = field(default_factory=dict)
    proofs: Sequence[str] = ()
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "title": self.title,
            "timings": {name: samples.as_dict() for name, samples in self.timings.items()},
            "goals": [goal.as_dict() for goal in self.goals],
            "ratio_of_fastest_runs": round(self.fastest, 3),
            "steps": {
                name: [{"step": step, "median": round(seconds, 3)} for step, seconds in rows]
                for name, rows in self.steps.items()
            },
            "proofs": list(self.proofs),
            "figures": {
                name: {what: round(number, 3) for what, number in found.items()}
                for name, found in self.figures.items()
            },
        }


@dataclass(frozen=True)
class Report:
    """All comparisons of one run, and what they were taken on."""

    name: str
    date: str
    conditions: Mapping[str, object]
    measures: Sequence[Measure]

    @property
    def met(self) -> bool:
        """Whether every goal was met."""
        return all(goal.met for measure in self.measures for goal in measure.goals)

    def as_json(self) -> str:
        """The report as one JSON document."""
        document = {
            "benchmark": self.name,
            "date": self.date,
            "met": self.met,
            "conditions": dict(self.conditions),
            "measures": [measure.as_dict() for measure in self.measures],
        }
        return json.dumps(document, indent=2, ensure_ascii=False)

    def as_text(self) -> str:
        """The report for people; `conditions` whose value is a dictionary are left to JSON."""
        lines = [f"{self.name}, {self.date}"]
        lines += [
            f"  {key}: {value}"
            for key, value in self.conditions.items()
            if not isinstance(value, Mapping)
        ]
        for measure in self.measures:
            lines += ["", *_measure_lines(measure)]
        return "\n".join(lines)


def slow_steps(
    runs: Sequence[Sequence[tuple[str, float]]], least: float
) -> list[tuple[str, float]]:
    """The median of each step over several runs, those of `least` seconds or more.

    Steps are told by name, in the order of the first run; a name that comes twice in a run (as a
    check that is asked again) counts with the sum.
    """
    names = dict.fromkeys(name for run in runs for name, _ in run)
    rows = [
        (name, Samples.of([sum(t for step, t in run if step == name) for run in runs]).median)
        for name in names
    ]
    return [row for row in rows if row[1] >= least]


def _measure_lines(measure: Measure) -> list[str]:
    width = max(len(name) for name in (*measure.timings, *measure.figures))
    lines = [measure.title]
    lines += [f"  {name:<{width}}  {samples}" for name, samples in measure.timings.items()]
    for name, found in measure.figures.items():
        told = ", ".join(f"{what} {number:.1f}" for what, number in found.items())
        lines.append(f"  {name:<{width}}  {told}")
    lines += [f"  {goal}" for goal in measure.goals]
    if measure.fastest:
        lines.append(f"  the same of the fastest run of each: {measure.fastest:.2f}")
    lines += [f"  seen: {proof}" for proof in measure.proofs]
    for name, rows in measure.steps.items():
        lines.append(f"  where the time of {name} goes:")
        lines += [f"    {seconds:7.2f} s  {step}" for step, seconds in rows]
    return lines
