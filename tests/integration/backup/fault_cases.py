"""A fault, and how an answer to it is judged."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from backup_kit import Instance
from campaign_bench import tell


@dataclass(frozen=True)
class Case:
    """One fault that is made, asked about, and taken back.

    Attributes:
        kind: what it is counted as.
        try_it: returns what was answered wrongly, in words; nothing when every answer was right.
    """

    kind: str
    name: str
    try_it: Callable[[], list[str]]


@dataclass
class Count:
    """What a campaign came to."""

    cases: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def summary(self, seconds: float) -> str:
        kinds = ", ".join(f"{number} {kind}" for kind, number in self.cases.items())
        total = sum(self.cases.values())
        return f"backup-faults: {total} faults ({kinds}), {len(self.wrong)} wrong; {seconds:.0f} s"


def try_all(cases: Iterable[Case], show: Callable[[str], None] = lambda _: None) -> Count:
    """Try every case; one that breaks is wrong, and stops no other."""
    count = Count()
    for case in cases:
        began = time.monotonic()
        try:
            wrong = case.try_it()
        except Exception as error:
            wrong = [f"{type(error).__name__}: {error}"]
        count.cases[case.kind] = count.cases.get(case.kind, 0) + 1
        count.wrong += [f"{case.kind}: {case.name}: {one}" for one in wrong]
        state = "; ".join(wrong) or "ok"
        show(f"{case.kind}: {case.name}: {state} ({time.monotonic() - began:.1f} s)")
    return count


def spread(number: int, makers: list[Callable[[], Case]]) -> Iterator[Case]:
    """So many cases, of each maker in turn."""
    for one in range(number):
        yield makers[one % len(makers)]()


def must_fail(answer: tuple[int, str], *names: str, codes: tuple[int, ...] = (1,)) -> list[str]:
    """Wrong when it did not fail with one of the codes, or said none of the names."""
    code, said = answer
    if code not in codes:
        return [f"ended with {code} instead of {codes}: {said!r}"]
    if names and not any(name in said for name in names):
        return [f"said none of {names}: {said!r}"]
    return ["a traceback"] if "Traceback" in said else []


def must_work(answer: tuple[int, str]) -> list[str]:
    code, said = answer
    return [f"ended with {code}: {said!r}"] if code else []


def restored(instance: Instance, *words: str) -> tuple[int, str, dict[str, str]]:
    """Restore to a new folder: the exit code, what was said, and a hash of each file.

    Raises:
        AssertionError: it failed and left something.
    """
    to = instance.root / "restored"
    code, said = tell(instance, "restore", *words, "--to", str(to))
    try:
        left = [path for path in instance.root.glob("*restored*") if code or path != to]
        assert not left, f"a restore that ended with {code} left {left}"
        return code, said, hashes(to)
    finally:
        shutil.rmtree(to, ignore_errors=True)


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
