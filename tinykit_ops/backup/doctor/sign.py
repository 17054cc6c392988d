"""One thing that the doctor saw."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tinykit_ops.errors import TinykitOpsError


class Mark(StrEnum):
    """How good a sign is."""

    GOOD = "ok"
    NOTE = "note"  #: right as it is, and worth knowing
    BAD = "BAD"
    UNKNOWN = "unknown"  #: it could not be looked at


@dataclass(frozen=True)
class Sign:
    """One thing that was looked at.

    Attributes:
        about: what, in a word or two.
        said: what was seen; never a secret.
        hint: what to do; empty when nothing has to be done.
    """

    mark: Mark
    about: str
    said: str
    hint: str = ""


def from_error(about: str, error: TinykitOpsError) -> Sign:
    """A failure of ours as a bad sign."""
    said = f"{error.what} ({error.where})" if error.where else error.what
    return Sign(Mark.BAD, about, said, error.hint)
