"""`refuse`: end the run on one host, with a reason, before anything is changed there.

An exception in a deploy would end the run for all hosts; the others of a fleet shall finish.
"""

from __future__ import annotations

import shlex
from collections.abc import Generator

from pyinfra.api.command import StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from tinykit_ops.errors import TinykitOpsError


@operation()
def refuse(problem: TinykitOpsError | None) -> Generator[StringCommand]:
    """Fail on this host with the problem's text; do nothing when there is none."""
    if problem is None:
        host.noop("nothing is in the way")
        return
    yield refusal(problem)


def refusal(problem: TinykitOpsError) -> StringCommand:
    """A command that says what is in the way, and fails."""
    said = f"echo {shlex.quote(f'error: {problem}')} >&2; exit 1"
    return StringCommand("sh", "-c", shlex.quote(said))
