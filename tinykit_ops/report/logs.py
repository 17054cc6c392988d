"""Logs of several hosts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tinykit_ops.fleet.ask import Answer
from tinykit_ops.printable import printable


def fleet_lines(answers: Sequence[Answer], *, said: bool = False) -> Iterator[str]:
    """What the agents printed; with several hosts, each line behind its host's name.

    Args:
        said: the lines were printed already; only problems are left to tell.
    """
    several = len(answers) > 1
    for answer in answers:
        if answer.code != 0:
            yield f"{answer.host}: {answer.complaint}"
        elif not said:
            prefix = f"{answer.host} " if several else ""
            yield from (f"{prefix}{printable(line)}" for line in (answer.out or "").splitlines())
