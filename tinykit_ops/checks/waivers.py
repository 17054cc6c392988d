"""Findings that somebody accepted, in a file (`waivers.toml`), with a reason and an end.

[[waiver]]
id = "https.hsts"
scope = "*.example.com"
reason = "Two names of the customer are still on plain HTTP; ticket 4711"
until = 2027-01-31

A waiver without a reason or an end, or whose end has passed, accepts nothing and is a finding
itself (`waivers.in-force`); whatever else is wrong in the file is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from tinykit_ops.checks.model import (
    Area,
    Check,
    Outcome,
    Remedy,
    Severity,
    Tally,
    Vantage,
    Verdict,
    Waiver,
    passed,
    unknown,
)
from tinykit_ops.checks.registry import all_checks
from tinykit_ops.checks.runner import InstanceReport, Report, Result


@dataclass(frozen=True)
class Entry:
    """One waiver as the file says it.

    Attributes:
        number: its place in the file, from 1.
        id: of the check whose finding is accepted.
        scope: pattern (`*`, `?`) of the host names that it is for.
        reason: empty when the file gives none.
        until: the last day; None when the file gives none.
    """

    number: int
    id: str
    scope: str
    reason: str
    until: date | None

    def fault(self, today: date) -> str:
        """Why it accepts nothing, empty when it does."""
        if not self.reason:
            return "has no reason"
        if self.until is None:
            return "has no end (until)"
        return f"ended on {self.until.isoformat()}" if self.until < today else ""

    def covers(self, names: Iterable[str]) -> bool:
        """Is it for an instance of one of these names?"""
        return any(fnmatchcase(name.lower(), self.scope.lower()) for name in names)

    def __str__(self) -> str:
        return f"waiver {self.number} ({self.id} for {self.scope})"


def _look(_: object) -> Verdict:
    """Reads the file that --waivers names: every waiver has a reason and has not ended."""
    return unknown("needs a file of waivers: --waivers FILE")


CHECK = Check(
    id="waivers.in-force",
    title="Every accepted finding has a reason and an end that has not passed",
    area=Area.WAIVERS,
    severity=Severity.MEDIUM,
    looks_from=Vantage.OUTSIDE,
    checklist="Findings that are not mended are accepted knowingly, and not for ever",
    remedy=Remedy(
        by_hand="Mend the finding and remove its waiver, or decide again: write the reason and a "
        "later end into the file of waivers."
    ),
    look=_look,
)


def reported_checks() -> tuple[Check, ...]:
    """Every check that a report may hold: those that look at instances, and the one here."""
    return (*all_checks(), CHECK)


def apply_waivers(
    report: Report, entries: Sequence[Entry], today: date, aliases: Sequence[str] = ()
) -> Report:
    """Mark what is accepted, and add the verdict on the waivers themselves to every instance.

    Args:
        today: a waiver holds on its last day too.
        aliases: other names of the instance, where the report has only one.
    """
    instances = (_apply_to_one(each, entries, today, aliases) for each in report.instances)
    return replace(report, instances=tuple(instances))


def _apply_to_one(
    instance: InstanceReport, entries: Sequence[Entry], today: date, aliases: Sequence[str]
) -> InstanceReport:
    names = (instance.target, _host_name(instance.target), *aliases)
    mine = [entry for entry in entries if entry.covers(names)]
    in_force = _longest(entry for entry in mine if not entry.fault(today))
    results = [_waived(result, in_force.get(result.check.id)) for result in instance.results]
    used = {result.check.id for result in results if result.waiver}
    own = Result(CHECK, _judge(mine, used, today))
    return replace(instance, results=(*results, own))


def _host_name(target: str) -> str:
    try:
        return urlsplit(target if "://" in target else f"//{target}").hostname or target
    except ValueError:
        return target


def _longest(entries: Iterable[Entry]) -> dict[str, Waiver]:
    """By check, what holds the longest."""
    found: dict[str, Waiver] = {}
    for entry in entries:
        if entry.until and (entry.id not in found or found[entry.id].until < entry.until):
            found[entry.id] = Waiver(entry.reason, entry.until)
    return found


def _waived(result: Result, waiver: Waiver | None) -> Result:
    if waiver is None or result.verdict.outcome != Outcome.FAIL:
        return result
    accepted = replace(result.verdict, outcome=Outcome.WAIVED)
    return replace(result, verdict=accepted, waiver=waiver)


def _judge(mine: Sequence[Entry], used: set[str], today: date) -> Verdict:
    tally = Tally()
    for entry in mine:
        if fault := entry.fault(today):
            tally.bad.append(f"{entry} {fault}")
        elif entry.id in used:
            tally.good.append(f"{entry} holds until {entry.until}")
        else:
            tally.good.append(f"{entry} is not needed now: there is no such finding")
    return tally.verdict() if mine else passed("no waiver is for this instance")
