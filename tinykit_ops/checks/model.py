"""What a check says about itself, and what it says about an instance.

A verdict cannot be made without evidence, so "pass" always means that somebody looked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from tinykit_ops.printable import printable

if TYPE_CHECKING:
    from tinykit_ops.checks.context import Context


MAX_LINE = 500  #: characters of one line of evidence


class Area(StrEnum):
    """The parts of tinykit's security page and its production checklist."""

    BUILDER = "builder"
    AUTHENTICATION = "authentication"
    SECRETS = "secrets"
    FILES = "files"
    PREVIEW = "preview"
    DATABASE = "database"
    ORIGIN = "origin"
    PROXY = "proxy"
    HTTPS = "https"
    NETWORK = "network"
    MONITORING = "monitoring"
    BACKUPS = "backups"
    VERSIONS = "versions"
    DISCLOSURE = "disclosure"
    WAIVERS = "waivers"  #: no part of theirs: whether the findings that we accepted still may be


class Severity(StrEnum):
    """How bad a finding is; the order of definition is the order of badness."""

    CRITICAL = "critical"  #: anybody owns the server or its data
    HIGH = "high"  #: one more step and they do
    MEDIUM = "medium"  #: a guard that is missing behind another
    LOW = "low"  #: worth mending

    def reaches(self, least: Severity) -> bool:
        """Is it as bad as `least`, or worse?"""
        return _BADNESS.index(self) <= _BADNESS.index(least)


_BADNESS = list(Severity)


class Vantage(StrEnum):
    """From where a check looks."""

    OUTSIDE = "outside"  #: from anywhere, by HTTP
    OUTSIDER = "outsider"  #: from an address that is on no allowlist, with no account
    ACCOUNT = "account"  #: as a person with an account
    SUPERUSER = "superuser"  #: as PocketBase's superuser
    HOST = "host"  #: on the host itself


class Need(StrEnum):
    """What a check cannot do without, besides its vantage."""

    SETTINGS = "settings"  #: the instance's settings: an inventory, or the host's configuration


class Outcome(StrEnum):
    """What a check found."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"  #: it failed, and somebody accepted that until a date


@dataclass(frozen=True)
class Waiver:
    """Why a finding is accepted, and until when (that day included)."""

    reason: str
    until: date

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", clean(self.reason))

    def __str__(self) -> str:
        return f"waived until {self.until.isoformat()}: {self.reason}"


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check, with what was seen (or why nothing could be).

    Made by `passed`, `failed` and `unknown`. Raises ValueError when the evidence is empty.
    """

    outcome: Outcome
    evidence: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.evidence or not all(line.strip() for line in self.evidence):
            raise ValueError(f"a verdict of {self.outcome.value!r} needs evidence")
        object.__setattr__(self, "evidence", tuple(map(clean, self.evidence)))


def clean(line: str) -> str:
    """One printable line: what servers and hosts said must not steer a terminal."""
    short = line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}…"
    return printable(short, keep="")


def passed(*evidence: str) -> Verdict:
    """It looked, and all is well."""
    return Verdict(Outcome.PASS, evidence)


def failed(*evidence: str) -> Verdict:
    """It looked, and something is wrong."""
    return Verdict(Outcome.FAIL, evidence)


def unknown(*why: str) -> Verdict:
    """It could not look, or what it saw says neither."""
    return Verdict(Outcome.UNKNOWN, why)


@dataclass
class Tally:
    """Observations of one check, to be weighed: one bad one fails, else one unseen is unknown.

    Attributes:
        bad, unseen, good: one line of evidence an observation.
    """

    bad: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    good: list[str] = field(default_factory=list)

    def verdict(self) -> Verdict:
        """The verdict on all of them; without any it is unknown."""
        if self.bad:
            return failed(*self.bad)
        if self.unseen:
            return unknown(*self.unseen)
        return passed(*self.good) if self.good else unknown("there was nothing to look at")


class CannotLook(Exception):  # noqa: N818
    """Something stood in the way of looking: the check's verdict is unknown, with this reason."""


@dataclass(frozen=True)
class Remedy:
    """What to do about a finding. At least one way; configuration lines may span lines."""

    by_hand: str
    caddy: str = ""
    nginx: str = ""

    def items(self) -> list[tuple[str, str]]:
        """(way, text) of the ways there are."""
        ways = {"by hand": self.by_hand, "Caddy": self.caddy, "nginx": self.nginx}
        return [(way, text) for way, text in ways.items() if text]


@dataclass(frozen=True)
class Check:
    """One line of the production checklist and the function that looks at it.

    Attributes:
        id: stable for ever, `area.what-is-right`; waivers and history refer to it.
        title: what is true when it passes, in one line.
        area: where it belongs in reports.
        severity: how bad a finding is.
        looks_from: the vantage that it needs.
        checklist: the line of tinykit's security page or checklist that it answers to.
        remedy: what to do about a finding.
        needs: what else it cannot do without.
        look: the function; takes the `Context`, returns a `Verdict`, may raise `CannotLook`.
    """

    id: str
    title: str
    area: Area
    severity: Severity
    looks_from: Vantage
    checklist: str
    remedy: Remedy
    look: Callable[[Context], Verdict]
    needs: tuple[Need, ...] = ()
