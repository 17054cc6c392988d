"""What a status says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tinykit_ops.errors import Exit


class Level(StrEnum):
    """How one thing is."""

    FINE = "fine"
    WRONG = "wrong"
    UNKNOWN = "unknown"  #: it could not be looked at


#: The exit code of each.
CODES = {Level.FINE: Exit.OK, Level.WRONG: Exit.FINDINGS, Level.UNKNOWN: Exit.COULD_NOT_SEE}


@dataclass(frozen=True)
class Line:
    """One thing about a host.

    Attributes:
        name: such as `certificate`; a column of the table of a fleet.
        short: for that table.
        text: for the screen of one host.
    """

    name: str
    level: Level
    short: str
    text: str

    def to_json(self) -> dict[str, str]:
        """As a JSON object."""
        return {
            "name": self.name,
            "level": self.level.value,
            "short": self.short,
            "text": self.text,
        }


@dataclass(frozen=True)
class HostStatus:
    """One host.

    Attributes:
        host: its name in the inventory, or its own.
        problem: why it could not be asked; then there are no lines.
        versions: program → version.
    """

    host: str
    lines: tuple[Line, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    @property
    def level(self) -> Level:
        """The worst of all."""
        return Level.UNKNOWN if self.problem else worst(line.level for line in self.lines)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "host": self.host,
            "level": self.level.value,
            "problem": self.problem or None,
            "versions": dict(self.versions),
            "lines": [line.to_json() for line in self.lines],
        }


def worst(levels: Iterable[Level]) -> Level:
    """Something wrong counts before something unseen; nothing at all is unseen."""
    found = set(levels)
    if Level.WRONG in found:
        return Level.WRONG
    return Level.FINE if found == {Level.FINE} else Level.UNKNOWN


def read_status(data: Mapping[str, Any], host: str) -> HostStatus:
    """What `to_json` made, under the name that the inventory gives the host.

    Raises:
        KeyError, ValueError, TypeError, AttributeError: it is something else.
    """
    lines: Sequence[Mapping[str, str]] = data["lines"]
    return HostStatus(
        host,
        tuple(
            Line(str(row["name"]), Level(row["level"]), str(row["short"]), str(row["text"]))
            for row in lines
        ),
        {str(name): str(version) for name, version in data["versions"].items()},
    )
