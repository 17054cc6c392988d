"""A rotation of secrets that was interrupted is finished by the next deploy."""

from __future__ import annotations

from collections.abc import Callable

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.rotate.run import finish_superuser
from tinykit_ops.rotate.superuser import SuperuserRotation
from tinykit_ops.rotate.tinykit import Tinykit


class RotationStep:
    """Go on with `secrets rotate superuser`; begins none."""

    def __init__(self, config: AgentConfig, say: Callable[[str], None]) -> None:
        self.config = config
        self.say = say

    def pending(self) -> list[str]:
        """Whether one was begun and not finished."""
        under_way = SuperuserRotation(self.config, Tinykit()).is_under_way
        return ["rotation of the superuser's password"] if under_way else []

    def apply(self) -> None:
        """Finish it."""
        finish_superuser(self.config, self.say)
