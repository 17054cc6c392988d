"""Versions: what runs is what was meant to run."""

from __future__ import annotations

from tinykit_ops import __version__, layout
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import (
    Area,
    CannotLook,
    Remedy,
    Severity,
    Vantage,
    Verdict,
    failed,
    passed,
)
from tinykit_ops.checks.registry import check


@check(
    id="versions.agent",
    title="The host's agent is configured and has the controller's version",
    area=Area.VERSIONS,
    severity=Severity.LOW,
    looks_from=Vantage.HOST,
    checklist="Set up monitoring",
    remedy=Remedy(
        by_hand="Run the agent's deploy again: `pyinfra INVENTORY deploys/agent.py` (it is part of "
        "deploys/full.py)."
    ),
)
def agent_is_current(look: Context) -> Verdict:
    """Asks the installed agent for its version, and whether its configuration was understood."""
    result = look.machine.run(layout.AGENT_COMMAND, "--version")
    words = result.out.split()
    if result.status != 0 or not words:
        raise CannotLook(f"`{layout.AGENT_COMMAND} --version` failed: {result.complaint}")
    installed, wanted = words[-1], look.expected_version or __version__
    if installed != wanted:
        return failed(f"the agent is version {installed}; the controller is {wanted}")
    if look.settings is None:
        return failed(f"the agent is version {installed}, but {layout.CONFIG_FILE} is unusable")
    return passed(f"the agent is version {installed} and configured")
