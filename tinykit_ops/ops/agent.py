"""`agent_step`: let the agent on the host do something that it can also say is done.

Every step is `tinykit-ops host STEP …`; with `--check` it changes nothing and exits 0 when there is
nothing to do. The agent's code is the same on every run, so a step is tested without pyinfra.
"""

from __future__ import annotations

import shlex
from collections.abc import Generator, Sequence

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.operation import OperationMeta, operation
from pyinfra.context import host

from tinykit_ops import layout

DONE = "done"


class StepState(FactBase[str]):
    """`done` when the agent says that the step has nothing to do, else another word."""

    def command(self, step: Sequence[str]) -> str:
        """The shell line that asks the agent; a host without an agent has everything to do."""
        words = shlex.join([layout.AGENT_COMMAND, "host", *step, "--check"])
        return f"if {words} >/dev/null 2>&1; then echo {DONE}; else echo pending; fi"


@operation()
def agent_step(
    step: Sequence[str],
    after: Sequence[OperationMeta] = (),
) -> Generator[StringCommand]:
    """Run `tinykit-ops host STEP` on the host unless its `--check` says that it is done."""
    done = host.get_fact(StepState, step=list(step)) == DONE
    if done and not any(not op.is_complete() and op.will_change for op in after):
        host.noop(f"{' '.join(step)}: nothing to do")
        return
    yield StringCommand(shlex.join([layout.AGENT_COMMAND, "host", *step]))
