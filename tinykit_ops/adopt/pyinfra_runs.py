"""pyinfra's runs of an adoption: the deploys of this checkout on one host of an inventory."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinykit_ops.errors import UnavailableError
from tinykit_ops.fleet.deploys import deploy_command

SECONDS = 3600
#: Only looks: in a dry run they count as changes while the old install has the ports.
_LOOK = "| See that "
_WELL = ("Success", "No changes")


@dataclass(frozen=True)
class Deploys:
    """One host of an inventory."""

    inventory: Path
    host: str

    def run(self, deploy: str) -> None:
        """Run a deploy to its end.

        Raises:
            UnavailableError: an operation failed; with what it said.
        """
        done = self._pyinfra("-y", deploy)
        if done.returncode != 0:
            raise UnavailableError(
                f"deploys/{deploy} failed: {_why(done)}",
                where=self.host,
                hint=f"`pyinfra {self.inventory} deploys/{deploy}` shows all of it",
            )

    def changes(self, deploy: str) -> list[str]:
        """The names of the operations that would change something now."""
        done = self._pyinfra("--dry", deploy)
        try:
            plan: list[dict[str, Any]] = json.loads(done.stdout)["plan"]
        except (ValueError, KeyError):
            raise UnavailableError(
                f"What deploys/{deploy} would change is not known: {_why(done)}", where=self.host
            ) from None
        names = [str(one.get("name", "")) for one in plan if one.get("hosts_with_change")]
        return [name for name in names if _LOOK not in name]

    def _pyinfra(self, how: str, deploy: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            deploy_command(self.inventory, self.host, [deploy], how, "--json"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


def _why(done: subprocess.CompletedProcess[str]) -> str:
    """The lines that name what failed."""
    try:
        operations = json.loads(done.stdout)["results"]["operations"]
        failed = [one["name"] for one in operations if one["error"]]
    except (ValueError, KeyError, TypeError):
        failed = []
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    # What the operation itself said stands between the operations that went well and the error.
    well = [place for place, line in enumerate(lines) if line.endswith(_WELL)]
    said = [line for line in lines[well[-1] + 1 if well else 0 :] if not line.startswith("-->")]
    return "; ".join([*failed, *said[-6:]])[-1500:] or "it said nothing"
