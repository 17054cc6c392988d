"""`agent_step`: let the agent on the host do something that it can also say is done.

Every step is `tinykit-ops host STEP …`; with `--check` it changes nothing and exits 0 when there is
nothing to do. The agent's code is the same on every run, so a step is tested without pyinfra.
"""

from __future__ import annotations

import shlex
from collections.abc import Generator, Sequence

from pyinfra.api.command import StringCommand
from pyinfra.api.operation import OperationMeta, operation
from pyinfra.context import ctx_host, host

from tinykit_ops import layout
from tinykit_ops.ops.step_states import OnBareHost, is_done, plan_step


def agent_step(
    name: str,
    step: Sequence[str],
    after: Sequence[OperationMeta] = (),
    on_bare_host: OnBareHost = "ask",
) -> OperationMeta:
    """Run `tinykit-ops host STEP` on the host unless its `--check` says that it is done.

    Args:
        after: operations of this run that write what the step reads; so `--dry` tells the truth.
        on_bare_host: what it has to do in the run that brings a host its first agent.
    """
    plan_step(ctx_host.get(), step)  # type: ignore[no-untyped-call]
    return run_step(name=name, step=step, after=after, on_bare_host=on_bare_host)


@operation()
def run_step(
    step: Sequence[str],
    after: Sequence[OperationMeta] = (),
    on_bare_host: OnBareHost = "ask",
) -> Generator[StringCommand]:
    """The operation of `agent_step`."""
    if is_done(host, step, on_bare_host) and not any(
        not op.is_complete() and op.will_change for op in after
    ):
        host.noop(f"{' '.join(step)}: nothing to do")
        return
    yield StringCommand(shlex.join([layout.AGENT_COMMAND, "host", *step]))
