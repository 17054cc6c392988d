"""Host checks on every host of an inventory: its agent runs them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tinykit_ops import __version__
from tinykit_ops.checks.runner import InstanceReport
from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.fleet.ask import Answer, ask_hosts
from tinykit_ops.report import json_format

if TYPE_CHECKING:
    from tinykit_ops.settings.model import Settings


@dataclass(frozen=True)
class HostLook:
    """What came from one host of an inventory.

    Attributes:
        host: its name in the inventory.
        settings: as the inventory says.
        report: what its agent saw; None when it could not be asked.
        problem: why it could not.
    """

    host: str
    settings: Settings
    report: InstanceReport | None
    problem: str = ""


def look_at_hosts(
    inventory: Path, *, limit: Iterable[str] = (), checks: Iterable[str] = ()
) -> list[HostLook]:
    """Let the agents of an inventory run their host checks, all at once.

    Args:
        inventory: a pyinfra inventory file.
        limit: names of hosts; none means all.
        checks: ids of the checks to run; without any, only the settings are read.

    Raises:
        UsageError: the inventory is wrong, or has no such host.
        UnavailableError: pyinfra could not be run.
    """
    only = [f"--only={each}" for each in checks]
    words = ["check", "--host", "--format=json", f"--expect-version={__version__}", *only]
    return [_read(each) for each in ask_hosts(inventory, words if only else [], limit=limit)]


def _read(answer: Answer) -> HostLook:
    name = answer.host
    if answer.problem or answer.out is None:
        return HostLook(name, answer.settings, None, answer.problem)
    try:
        report = json_format.parse(answer.out, name)
    except TinykitOpsError:
        return HostLook(name, answer.settings, None, answer.complaint)
    if len(report.instances) != 1:
        problem = f"the agent on {name} reported no instance"
        return HostLook(name, answer.settings, None, problem)
    return HostLook(name, answer.settings, report.instances[0])
