"""What can go wrong with a lab, in words that a user can act on."""

from __future__ import annotations

from tinykit_ops.errors import UnavailableError, UsageError


class LabNotFoundError(UsageError):
    """There is no lab, or no host in it, by that name."""


class LabStateError(UnavailableError):
    """The lab's own notes (`state.json`) cannot be read."""


class CommandError(UnavailableError):
    """A program that builds the lab failed."""


class HostNotReadyError(UnavailableError):
    """A lab host did not come up in time."""
