"""The one list of path tricks, and the run of them against a configured edge, of either kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edge_bench import Bench, Proof
from edge_h2 import H2_TRICKS, AskH2, H2Trick
from edge_matrix import Tally, is_question
from edge_trick_kinds import TARGETS, Target, Trick, is_administration, is_protected
from edge_trick_paths import path_tricks
from edge_trick_wraps import wrapping_tricks
from edge_vantage import MARK, Answer, Arrival, Ask

TRICKS = (*path_tricks(), *wrapping_tricks())
#: A server that waits for the rest of a request that was never meant to end has refused it.
SECONDS = 2.0
#: Whose answers differ in kind; the hidden requests, each of which takes a moment, go to these.
FEW = ("/tinykit", "/api/projects", "/setup", "/_pb/api/settings")


@dataclass(frozen=True)
class Tried:
    """One trick with one target."""

    trick: Trick | H2Trick
    target: Target
    role: str
    name: str
    ask: Ask | AskH2

    def __str__(self) -> str:
        protocol = "HTTP/2" if isinstance(self.trick, H2Trick) else "HTTP/1"
        goal = f"{self.target.method} {self.target.path}"
        return f"trick “{self.trick.name}” for {goal} ({protocol}, {self.role} site)"


def run_tricks(bench: Bench, tally: Tally, proof: Proof | None = None) -> None:
    """Try every trick for every target as a stranger without a proof.

    With a `proof` that passes the builder's gate and not the administration's, every trick for
    every target of the administration's.
    """
    tried = list(attempts(bench, proof))
    for vantage, kind in ((bench.stranger, Ask), (bench.stranger_h2, AskH2)):
        mine = [one for one in tried if isinstance(one.ask, kind)]
        answers, arrivals = bench.ask(vantage, [one.ask for one in mine])
        for one in mine:
            tally.tricks += 1
            answer, arrived = answers[one.ask.number], arrivals.get(one.ask.number, [])
            tally.trick_statuses[answer.status] += 1
            found = faults(one, answer, arrived) if proof is None else raised(arrived)
            for fault in found:
                tally.wrong.append(f"{bench.config}: {one}: {fault}")


def attempts(bench: Bench, proof: Proof | None = None) -> Iterator[Tried]:
    """Every trick with every target, on each site; IPv4 and IPv6 in turn."""
    brings = list(proof.headers) if proof else []
    for role, name in bench.sites:
        for row, trick in enumerate((*TRICKS, *H2_TRICKS)):
            for column, target in enumerate(TARGETS):
                if isinstance(trick, Trick) and trick.more and target.path not in FEW:
                    continue
                if proof and target.builders:
                    continue
                address = bench.addresses[(row + column) % 2]
                number = next(bench.numbers)
                mark = [(MARK, str(number)), *brings]
                yield Tried(
                    trick, target, role, name, _ask(trick, target, name, address, number, mark)
                )


def _ask(
    trick: Trick | H2Trick,
    target: Target,
    name: str,
    address: str,
    number: int,
    mark: list[tuple[str, str]],
) -> Ask | AskH2:
    if isinstance(trick, H2Trick):
        lower = [(key.lower(), value) for key, value in mark]
        headers = [*trick.headers(target, name), *lower]
        return AskH2(number, address, name, headers, trick.body(target, name, number))
    return Ask(
        number,
        address,
        None if trick.plain else name,
        trick.raw(target, name, "\r\n".join(f"{key}: {value}" for key, value in mark)),
        target.method,
        port=80 if trick.plain else 443,
        fresh=True,
        all=trick.more,
        seconds=SECONDS,
    )


def raised(arrived: list[Arrival]) -> Iterator[str]:
    """What shows that a builder got to the administration."""
    for arrival in arrived:
        if not is_question(arrival) and is_administration(arrival.port, arrival.target):
            yield f"{arrival.method} {arrival.target!r} arrives at {arrival.port}"


def faults(one: Tried, answer: Answer, arrived: list[Arrival]) -> Iterator[str]:
    """What shows that the trick worked: the application's own answer, or that it was asked."""
    head = "\n".join(f"{name.lower()}: {value}" for name, value in answer.header_list)
    said = f"{head}\n{answer.text}\n{answer.more}"
    for text in one.target.opens:
        if text in said:
            yield f"the application answers ({answer.status}, {text!r})"
    for arrival in arrived:
        if is_question(arrival):
            continue
        if is_protected(arrival.port, arrival.target):
            yield f"{arrival.method} {arrival.target!r} arrives at {arrival.port}"
        if arrival.odd:
            yield f"arrives with a length that can be read in two ways: {arrival.header_list}"
        if arrival.values("host") not in ([one.name], [f"{one.name}:443"]):
            yield f"arrives for the host {arrival.values('host')}"
