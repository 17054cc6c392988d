"""Inventories of an instance, drawn at random: each differs from the one before in a few things."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.lab import Lab

VERSIONS = ("0.23.4", "0.40.6")  #: of PocketBase, which only goes up
CHOICES: dict[str, tuple[Any, ...]] = {
    "kind": ("caddy", "nginx"),
    "wall": ("public", "private", "off"),
    "app": (0, 1),
    "apart": (False, True),
    "backups": (True, False),
    "metrics": (False, True),
    "watch": (False, True),
}
#: Findings of `check --host` that nobody's interruption brings: no lab tells a person anything, and
#: no backup was made yet.
ALWAYS = {"monitoring.alerts", "backups.fresh"}
WITHOUT_BACKUPS = {"backups.scheduled", "backups.off-host"}
WITHOUT_WALL = {
    "network.egress-contained",
    "network.firewall-persistent",
    "network.firewall-drops",
}


@dataclass(frozen=True)
class State:
    """What an inventory says.

    Attributes:
        wall: the firewall's mode, or "off".
        app: which of two releases.
        apart: the builder has a domain of its own.
    """

    kind: str = "caddy"
    wall: str = "public"
    app: int = 0
    apart: bool = False
    backups: bool = True
    metrics: bool = False
    watch: bool = False
    version: str = VERSIONS[-1]

    def __str__(self) -> str:
        switches = [
            name for name in ("apart", "backups", "metrics", "watch") if getattr(self, name)
        ]
        return (
            f"{self.kind} {self.wall} app-{self.app} {self.version} {' '.join(switches)}".rstrip()
        )

    def settings(self, lab: Lab, host: LabHost) -> dict[str, Any]:
        """The overrides of a lab's inventory."""
        off = self.wall == "off"
        scrapers = [] if off else [lab.outside.address4]  # none without a firewall
        metrics = {"enabled": True, "scrapers": scrapers} if self.metrics else {}
        return {
            "builder_domain": self.builder(host) if self.apart else None,
            "edge": {"kind": self.kind},
            "pocketbase": {"version": self.version},
            "firewall": {"enabled": False} if off else {"mode": self.wall},
            "backup": {} if self.backups else {"targets": []},
            "metrics": metrics,
            "watch": {"enabled": self.watch},
        }

    def builder(self, host: LabHost) -> str:
        """The domain under which people build."""
        return f"build.{host.domain}" if self.apart else host.domain

    def findings(self) -> set[str]:
        """What `check --host` finds on a host of this inventory that nobody interrupted."""
        found = set(ALWAYS)
        found |= set() if self.metrics else {"monitoring.metrics"}
        found |= set() if self.backups else WITHOUT_BACKUPS
        found |= set() if self.version == VERSIONS[-1] else {"versions.pocketbase"}
        return found | (WITHOUT_WALL if self.wall == "off" else set())


def drawn(rng: random.Random) -> State:
    """Any inventory."""
    values = {name: rng.choice(choices) for name, choices in CHOICES.items()}
    return State(**values, version=rng.choice(VERSIONS))


def changed(rng: random.Random, state: State) -> State:
    """Another inventory: one to four things of it are different."""
    names = rng.sample(sorted(CHOICES), rng.randint(1, 4))
    values = {
        name: rng.choice([each for each in CHOICES[name] if each != getattr(state, name)])
        for name in names
    }
    return replace(state, **values, version=rng.choice([state.version, VERSIONS[-1]]))
