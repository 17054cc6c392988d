"""The last word on whether a snapshot comes back, as lists show it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Verified:
    """What was found, when, by whom.

    Attributes:
        good: whether it comes back.
        host: the name of the host that looked.
        signed: `yes`, by somebody whom the settings name; `unknown`, by somebody else; `no`.
    """

    good: bool
    when: datetime
    host: str
    signed: str = "no"

    @property
    def line(self) -> str:
        """For people, such as `good 2026-11-24 03:15 by verify-1, signed`."""
        how = {"yes": ", signed", "unknown": ", signer not known", "no": ""}[self.signed]
        word = "good" if self.good else "BAD"
        return f"{word} {self.when:%Y-%m-%d %H:%M} by {self.host}{how}"

    def as_text(self) -> str:
        """One line that fits in a tag of Amazon's: `good 2026-11-24T03:15:00Z verify-1`."""
        word = "good" if self.good else "bad"
        host = re.sub(r"[^A-Za-z0-9._-]", "-", self.host)[:200]
        return f"{word} {self.when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} {host}"

    @classmethod
    def from_text(cls, text: str) -> Verified | None:
        """The same again; None for anything else."""
        match = re.fullmatch(
            r"(good|bad) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (\S{1,200})", text.strip()
        )
        if match is None:
            return None
        try:
            when = datetime.strptime(match[2], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(match[1] == "good", when, match[3])
