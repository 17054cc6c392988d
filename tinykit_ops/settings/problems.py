"""What is wrong with settings, and the error that lists all of it at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tinykit_ops.errors import UsageError


@dataclass(frozen=True)
class Problem:
    """One wrong value.

    Attributes:
        key: the dotted path in `tinykit`, as `backup.targets[0].bucket`.
        reason: why, in plain words; never the value of a secret.
        hint: what to write instead: an example, a near name, a command.
        where: the host or file it was read from.
    """

    key: str
    reason: str
    hint: str = ""
    where: str = ""

    def below(self, parent: str) -> Problem:
        """The same problem, with `parent` in front of its key."""
        return replace(self, key=join_key(parent, self.key))

    def at(self, where: str) -> Problem:
        """The same problem, seen in `where`."""
        return replace(self, where=where)

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.where, self.key) if part)
        text = f"{place}: {self.reason}" if place else self.reason
        return f"{text}\n    {self.hint}" if self.hint else text


@dataclass(frozen=True)
class Advice:
    """Settings that are allowed and worth a second look; printed, never fatal."""

    key: str
    text: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.key}: {self.text}" if self.key else self.text
        return f"{text}; {self.hint}" if self.hint else text


class SettingsError(UsageError):
    """Settings are wrong. Lists every wrong value, so that one round of editing is enough."""

    def __init__(self, problems: Sequence[Problem], *, what: str = "") -> None:
        count = len(problems)
        what = what or f"{count} wrong setting{'s' if count != 1 else ''}; no host was touched"
        super().__init__(
            what,
            where=", ".join(dict.fromkeys(p.where for p in problems if p.where)),
            hint="`tinykit-ops settings explain KEY` says what a key may hold",
        )
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = (f"  {line}" for problem in self.problems for line in str(problem).splitlines())
        return "\n".join([f"{self.what}:", *lines, f"  hint: {self.hint}"])


def join_key(parent: str, key: str) -> str:
    """`parent.key`, or `parent[0]` where the key is an index already."""
    if not parent or not key:
        return parent or key
    return f"{parent}{key}" if key.startswith("[") else f"{parent}.{key}"


def printable(text: object, limit: int = 60) -> str:
    """`text` on one line, quoted, cut to `limit` characters, control characters escaped."""
    shown = str(text)
    cut = shown if len(shown) <= limit else f"{shown[: limit - 1]}…"
    return '"' + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut) + '"'


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """`did you mean "…"?` when something near is among `choices`, else the list of choices."""
    known = sorted(choices)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"known here: {', '.join(known)}"
