"""Many lab hosts in one inventory: Debian 13 and 12, Caddy and nginx, evenly mixed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.lab import Lab

BATCH = 5  #: hosts that boot side by side
RELEASES = ("13", "12")
KINDS = ("caddy", "caddy", "nginx", "nginx")

_INVENTORY = """\
import json
from pathlib import Path

from tinykit_ops.lab.inventory import lab_hosts
from tinykit_ops.settings import check_inventory

_OVERRIDES = json.loads({overrides!r})
hosts = [
    found
    for name, settings in _OVERRIDES.items()
    for found in lab_hosts({lab!r}, only=[name], app=Path({app!r}), overrides=settings)
]
check_inventory(__file__)
"""


@dataclass(frozen=True)
class Fleet:
    """The hosts of a lab, and what their inventories have in common.

    Attributes:
        app: the release archive of tinykit.
        folder: for inventories.
    """

    lab: Lab
    app: Path
    folder: Path

    @property
    def hosts(self) -> list[LabHost]:
        """In the order of their numbers."""
        return self.lab.hosts

    def inventory(
        self,
        name: str = "all",
        *,
        hosts: Sequence[LabHost] = (),
        more: Mapping[str, Any] | None = None,
    ) -> Path:
        """Write an inventory, and return its path.

        Args:
            hosts: those in it; all when empty.
            more: settings of every host, besides its proxy.
        """
        overrides = {
            host.name: {"edge": {"kind": kind_of(host)}, **(more or {})}
            for host in hosts or self.hosts
        }
        path = self.folder / f"{name}.py"
        written = _INVENTORY.format(
            overrides=json.dumps(overrides), lab=self.lab.name, app=str(self.app)
        )
        path.write_text(written)
        return path


def kind_of(host: LabHost) -> str:
    """The proxy of a host."""
    return KINDS[(host.machine.state.number - 1) % len(KINDS)]


def boot(name: str, count: int, say: Callable[[str], None], *, last_disk: str | None = None) -> Lab:
    """A lab of so many hosts, booted in batches: a machine with two processors boots few at once.

    Args:
        last_disk: size of a disk of its own for the last host, which can then be filled.
    """
    releases = [RELEASES[number % len(RELEASES)] for number in range(count)]
    shared = count - 1 if last_disk else count
    lab = None
    for upto in [*range(BATCH, shared, BATCH), shared]:
        if upto:
            lab = Lab.up(name, releases=releases[:upto])
            say(f"{len(lab.hosts)} hosts are up")
    if last_disk:
        lab = Lab.up(name, releases=releases, disk=last_disk)
        say(f"{len(lab.hosts)} hosts are up, the last with a disk of {last_disk}")
    assert lab is not None
    return lab
