"""What the agent does on a host for a deploy: one module a step.

A step says what is left to do (`pending`, changes nothing) and does it (`apply`). Both read the
agent's configuration, so that no setting, and no secret, travels in an argument.
"""

from __future__ import annotations

from typing import Protocol


class Step(Protocol):
    """One piece of work that can also say that it is done."""

    def pending(self) -> list[str]:
        """What is left to do, a short phrase each; empty when nothing is. Changes nothing."""

    def apply(self) -> None:
        """Do it. May be interrupted anywhere and run again."""
