"""A rotation of secrets that was interrupted is finished by the next deploy."""

from __future__ import annotations

from collections.abc import Callable

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.errors import UnavailableError
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
        """Finish it.

        Raises:
            TinykitOpsError: the new password does not hold yet. That the old one could not be
                looked for is told only: it is no reason to keep the rest of a deploy away.
        """
        try:
            finish_superuser(self.config, self.say)
        except UnavailableError as error:
            if not SuperuserRotation(self.config, Tinykit()).only_the_proof_is_left:
                raise
            self.say(
                f"superuser: a new one holds, but {error.what} ({error.where}); "
                "`tinykit-ops secrets rotate superuser` looks again"
            )
