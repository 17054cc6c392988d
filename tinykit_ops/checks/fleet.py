"""Host checks on every host of an inventory: its agent runs them, pyinfra's connectors carry.

pyinfra works with a standard library that gevent has replaced, so it runs in a process of its own
(`fleet_child`), which prints what the agents said as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinykit_ops.checks.runner import InstanceReport
from tinykit_ops.errors import TinykitOpsError, UnavailableError, UsageError
from tinykit_ops.report import json_format
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
    request = {
        "inventory": str(inventory),
        "limit": list(limit),
        "words": [f"--only={each}" for each in checks],
    }
    done = subprocess.run(
        [sys.executable, "-m", "tinykit_ops.checks.fleet_child"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise UnavailableError(
            "The hosts of the inventory could not be asked",
            where=str(inventory),
            hint=f"pyinfra said: {last[:300]}",
        ) from None
    if "error" in answer:
        raise UsageError(str(answer["error"]))
    return [_read(each) for each in answer["hosts"]]


def _read(answer: dict[str, Any]) -> HostLook:
    settings = Settings.model_validate(answer["settings"])
    name = str(answer["host"])
    if answer["problem"] or answer["out"] is None:
        return HostLook(name, settings, None, answer["problem"])
    try:
        report = json_format.parse(answer["out"], name)
    except TinykitOpsError:
        said = _complaint(answer["err"] or answer["out"])
        return HostLook(name, settings, None, f"the agent on {name} said: {said}")
    if len(report.instances) != 1:
        return HostLook(name, settings, None, f"the agent on {name} reported no instance")
    return HostLook(name, settings, report.instances[0])


def _complaint(text: str) -> str:
    """The line of an error message that names the error."""
    lines = [line for line in text.splitlines() if line.strip()]
    named = [line for line in lines if line.lower().startswith("error")]
    return (named or lines or ["nothing"])[0][:200]
