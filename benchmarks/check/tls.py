"""The verdict on twenty ways to serve HTTPS, beside that of testssl.sh."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.check import testssl
from benchmarks.check.looking import Ran, check, only_instance, outcomes
from benchmarks.check.tls_cases import CASES
from benchmarks.check.tls_edges import Edge, served
from benchmarks.machine import Load
from benchmarks.report import Measure
from benchmarks.samples import Goal, Samples

OURS, PEER = "tinykit-ops check --only https", "testssl"
LEAST = 20.0  #: times faster
_MEANS = {"pass": True, "fail": False}

Say = Callable[[str], None]
Verdicts = Mapping[str, bool | None]


@dataclass(frozen=True)
class Compared:
    """What both said about one configuration: question → all well, not well, or nothing."""

    what: str
    ours: Verdicts
    theirs: Verdicts

    @property
    def agree(self) -> bool:
        """Did both answer every question, and alike?"""
        return not self.differences()

    def differences(self) -> list[str]:
        """In words; empty when they agree."""
        return [
            f"{self.what}: {question} is {_word(self.ours.get(question))} to us and "
            f"{_word(self.theirs.get(question))} to testssl"
            for question in testssl.QUESTIONS
            if self.ours.get(question) is None
            or self.ours.get(question) != self.theirs.get(question)
        ]


def measure(folder: Path, load: Load, say: Say) -> Measure:
    """Serve them, and let both look at one after the other.

    Args:
        folder: for all files.
    Raises: BenchmarkError when one of them could not look.
    """
    seen: list[Compared] = []
    times: dict[str, list[float]] = {OURS: [], PEER: []}
    with served(CASES, folder) as edges:
        _look(edges.each[0], edges.ca_file, folder)  # warms the page cache; does not count
        for edge in edges.each:
            load.before_a_run()
            ours, said = _look(edge, edges.ca_file, folder)
            theirs, findings = testssl.look(edge.host, edge.address, edges.ca_file, folder)
            times[OURS].append(ours.seconds)
            times[PEER].append(theirs.seconds)
            seen.append(Compared(edge.case.what, said, testssl.verdicts(findings)))
            say(
                f"{edge.case.what}: {'agreed' if seen[-1].agree else 'DISAGREED'}, "
                f"{ours.seconds:.2f} s and {theirs.seconds:.1f} s"
            )
        together = _all_in_one(edges.each, edges.ca_file, folder)
    return _told(seen, times, together)


def _told(seen: Sequence[Compared], times: Mapping[str, Sequence[float]], together: Ran) -> Measure:
    timings = {name: Samples.of(seconds) for name, seconds in times.items()}
    ratio = timings[PEER].median / timings[OURS].median
    agreed = sum(each.agree for each in seen)
    bad = sum(False in each.ours.values() for each in seen)
    return Measure(
        f"TLS: the verdict on {len(seen)} configurations",
        timings,
        goals=[
            Goal(f"same verdict, of {len(seen)}", agreed, len(seen), at_most=False),
            Goal(f"{PEER} / {OURS}", ratio, LEAST, at_most=False),
        ],
        fastest=timings[PEER].fastest / timings[OURS].fastest,
        figures={
            "all in one command": {
                "seconds": together.seconds,
                "times faster than testssl on one after the other": sum(times[PEER])
                / together.seconds,
            }
        },
        proofs=[
            f"{bad} configurations have something wrong, {len(seen) - bad} have not",
            f"asked of both: {', '.join(testssl.QUESTIONS)}",
            *(line for each in seen for line in each.differences()),
        ],
    )


def _look(edge: Edge, ca_file: Path, folder: Path) -> tuple[Ran, Verdicts]:
    words = [f"https://{edge.host}", *_common(ca_file), _place(edge)]
    ran = check([*words, "--format=json"], folder)
    found = outcomes(only_instance(ran.output))
    return ran, {
        question: _MEANS.get(found.get(ours, "")) for question, ours in testssl.QUESTIONS.items()
    }


def _all_in_one(edges: Sequence[Edge], ca_file: Path, folder: Path) -> Ran:
    urls = [f"https://{edge.host}" for edge in edges]
    places = [_place(edge) for edge in edges]
    ran = check([*urls, *places, *_common(ca_file), "--format=json"], folder)
    assert len(json.loads(ran.output)["instances"]) == len(edges)
    return ran


def _common(ca_file: Path) -> list[str]:
    return ["--only=https", f"--ca-file={ca_file}"]


def _place(edge: Edge) -> str:
    return f"--resolve={edge.host}:443:{edge.address}"


def _word(verdict: bool | None) -> str:
    return {True: "well", False: "not well", None: "not answered"}[verdict]
