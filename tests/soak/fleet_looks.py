"""`status` and `check` of a whole fleet, with a host that is off."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Protocol

from tests_e2e_support import BIN, LEFT_OUT, execute

from benchmarks.fleet.many import Fleet, kind_of
from tinykit_ops import layout
from tinykit_ops.lab.host import LabHost

CADDY_ROOT = f"{layout.CADDY_STATE}/caddy/pki/authorities/local/root.crt"
ROOTS = {"caddy": CADDY_ROOT, "nginx": f"{layout.EDGE_CA}/root.pem"}
SECONDS = 1200
Outcomes = dict[str, str]  #: check → outcome


class Campaign(Protocol):
    """Whoever counts faults."""

    expect: Callable[..., None]


class Looks:
    """Looks at all hosts of a fleet from this machine."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.authorities = fleet.folder / "authorities.pem"

    def checked(self) -> dict[str, Outcomes]:
        """`tinykit-ops check` of the inventory: host → outcomes."""
        if not self.authorities.exists():
            roots = [host.ssh(["cat", ROOTS[kind_of(host)]]).stdout for host in self.fleet.hosts]
            self.authorities.write_text("".join(roots))
        pins = [
            f"--resolve={host.domain}:{port}:{host.address4}"
            for host in self.fleet.hosts
            for port in (80, 443)
        ]
        code, told = self._ask("check", f"--ca-file={self.authorities}", *pins, *_skips())
        self.code = code
        found = {}
        for instance, host in zip(told["instances"], self.fleet.hosts, strict=True):
            found[host.name] = {row["id"]: row["outcome"] for row in instance["results"]}
        return found

    def compare(self, campaign: Campaign, before: dict[str, Outcomes], dead: LabHost) -> None:
        """A host that is off passes nothing, and everybody else is judged as before."""
        after = self.checked()
        outcomes = set(after[dead.name].values())
        campaign.expect(
            f"check: of a dead host nothing passes: {outcomes}", true="pass" not in outcomes
        )
        campaign.expect("check: exit code not 0", true=self.code != 0)
        others = [host.name for host in self.fleet.hosts if host.name != dead.name]
        unseen = {n: sorted(k for k, v in after[n].items() if v == "unknown") for n in others}
        seen = {n: sorted(k for k, v in before[n].items() if v == "unknown") for n in others}
        campaign.expect(
            f"check: the other {len(others)} are seen as well as before", true=unseen == seen
        )

    def status(self, campaign: Campaign, dead: LabHost, full: LabHost) -> None:
        """A row a host; the dead one says why it is unknown, the full one that it is full."""
        code, told = self._ask("status")
        rows = {row["host"]: row for row in told["hosts"]}
        campaign.expect("status: a row for every host", true=len(rows) == len(self.fleet.hosts))
        problem = rows[dead.name]["problem"]
        campaign.expect(
            f"status: the dead one: {problem}",
            true=rows[dead.name]["level"] == "unknown" and bool(problem),
        )
        disk = next((line for line in rows[full.name]["lines"] if line["name"] == "disk"), {})
        campaign.expect(
            f"status: the full one: {disk.get('text')}", true=disk.get("level") == "wrong"
        )
        campaign.expect("status: exit code 1", true=code == 1)

    def _ask(self, command: str, *words: str) -> tuple[int, dict[str, Any]]:
        began = time.monotonic()
        inventory = f"--inventory={self.fleet.inventory()}"
        run = execute(
            [str(BIN / "tinykit-ops"), command, inventory, "--format=json", *words], SECONDS
        )
        took = time.monotonic() - began
        print(
            f"{command} of {len(self.fleet.hosts)}: exit code {run.code}, {took:.0f} s", flush=True
        )
        return run.code, json.loads(run.out)


def _skips() -> list[str]:
    return [f"--skip={each}" for each in LEFT_OUT]
