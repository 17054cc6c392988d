"""Changing a live instance by changing its inventory, while visitors ask for a page."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from edge_traffic import Traffic, Visit, answers
from tests_e2e_support import Provisioner

KINDS = ("caddy", "nginx")
GATES = ("account", "basic", "allowlist")
MODES = ("public", "private", "cdn")
#: After the ports changed hands, what began before may still go wrong; seconds.
AFTERMATH = 1.0
#: What a visitor hears whose new connection had not asked for anything yet when Caddy reloaded: its
#: former configuration, which shuts down, closes it without an answer. nginx does not.
UNANSWERED = ("SilentError", "ConnectionResetError")
#: How far from the moment of the reload such a visit may lie, in seconds: on a busy machine, the
#: former configuration takes somebody for a while after it said that it shuts down.
RELOAD = 3.0


@dataclass(frozen=True)
class State:
    """What an inventory says of the edge and the firewall."""

    kind: str = "caddy"
    gate: str = "account"
    mode: str = "public"
    apart: bool = False  #: the builder has a domain of its own

    def __str__(self) -> str:
        return f"{self.kind} {self.gate} {self.mode}{' apart' if self.apart else ''}"

    def settings(self, provisioner: Provisioner) -> dict[str, Any]:
        """The overrides of an inventory; the visitors' address is in every list that lets in."""
        lab = provisioner.lab
        visitors = [lab.outside.address4, str(lab.networks.controller4)]
        firewall: dict[str, Any] = {"mode": self.mode}
        if self.mode == "private":
            firewall["web_from"] = visitors
        if self.mode == "cdn":
            firewall["cdn"] = {"networks": visitors}
        return {
            "builder_domain": f"build.{provisioner.host.domain}" if self.apart else None,
            "access": {"builder": {"require": [self.gate]}},
            "edge": {"kind": self.kind},
            "firewall": firewall,
        }


def walk(rng: random.Random) -> Iterator[State]:
    """States of which each differs from the one before in one thing, and then in the proxy.

    On either proxy: every gate, every mode of the firewall, both layouts, and back; in a random
    order. The first is the state to begin with.
    """
    state = State()
    yield state
    while True:
        changes: list[dict[str, Any]] = [
            *({"gate": gate} for gate in (*rng.sample(GATES[1:], 2), GATES[0])),
            *({"mode": mode} for mode in (*MODES[1:], MODES[0])),
            *({"apart": apart} for apart in (True, False)),
        ]
        groups = [changes[:3], changes[3:6], changes[6:]]
        while any(groups):
            group = rng.choice([group for group in groups if group])
            state = replace(state, **group.pop(0))
            yield state
        state = replace(state, kind=KINDS[1 - KINDS.index(state.kind)])
        yield state


@dataclass(frozen=True)
class Switch:
    """One change, and what the visitors saw of it.

    Attributes:
        seconds: for which nobody listened, as the host says; None where the proxy stayed.
        visits: that were under way during the run and the second one.
        at_switch: of those that got no page, the ones while the ports changed hands.
        at_reload: the ones that Caddy left without an answer while it took a new configuration.
        outside: all others that got no page.
        second: what the second run changed.
        faults: why a run failed.
    """

    name: str
    seconds: float | None
    visits: list[Visit]
    at_switch: list[Visit]
    at_reload: list[Visit]
    outside: list[Visit]
    second: list[str]
    faults: str = ""

    @property
    def is_fine(self) -> bool:
        """Nothing was lost but what a change of the proxy costs, and the second run had no work."""
        return not (self.outside or self.second or self.faults) and bool(self.visits)

    @property
    def gap(self) -> float:
        """Seconds from the first visitor who got no page to the last one who began then."""
        begun = [visit.began for visit in self.at_switch]
        return max(begun) - min(begun) if begun else 0.0

    def __str__(self) -> str:
        again = sum(visit.again for visit in self.visits)
        words = [f"{self.name}: {len(self.visits)} visits, {len(self.outside)} dropped"]
        if self.seconds is not None:
            lost = f"{len(self.at_switch)} at the switch within {self.gap:.2f} s"
            words.append(f"{lost} (nobody listened for {self.seconds:.2f} s)")
        if self.at_reload:
            words.append(f"{len(self.at_reload)} unanswered as Caddy reloaded")
        words.append(f"{again} connections opened anew, second run: {len(self.second)} changes")
        if self.outside:
            words.append(f"dropped: {answers(self.outside)}")
        if self.faults or self.second:
            words.append(f"WRONG {self.second} {self.faults}")
        return "; ".join(words)


class Site:
    """An instance with a published page, and the state that its inventory has."""

    def __init__(self, provisioner: Provisioner) -> None:
        self.provisioner = provisioner
        self.lab = provisioner.lab
        self.host = provisioner.host
        self.state: State | None = None

    def bring(self, state: State) -> list[str]:
        """Run the whole deploy; what it changed. Raises: RuntimeError when it fails."""
        overrides = state.settings(self.provisioner)
        inventory = self.provisioner.inventory({self.host.name: "root"}, overrides)
        run = self.provisioner.deploy(inventory)
        if run.code:
            raise RuntimeError(f"{state}: the deploy failed:\n{run.text[-3000:]}")
        self.state = state
        return run.changed(self.host.name)

    def switch(self, traffic: Traffic, state: State) -> Switch:
        """Change the instance under traffic, then run once more."""
        before, name = self.state, f"{self.state} -> {state}"
        began = time.monotonic()
        second: list[str] = []
        faults = ""
        try:
            self.bring(state)
            second = self.bring(state)
        except RuntimeError as error:
            faults = str(error)
        time.sleep(AFTERMATH)
        ended = time.monotonic()
        changed = before is not None and before.kind != state.kind
        handed = self._hand_over(began) if changed else None
        visits = traffic.between(began, ended)
        lost = [visit for visit in visits if not visit.is_fine]
        at_switch = [visit for visit in lost if handed and _during(visit, *handed)]
        reloads = self._reloads(began)
        left = [visit for visit in lost if visit not in at_switch]
        at_reload = [visit for visit in left if _at_reload(visit, reloads)]
        outside = [visit for visit in left if visit not in at_reload]
        seconds = handed[1] - handed[0] if handed else None
        return Switch(name, seconds, visits, at_switch, at_reload, outside, second, faults)

    def _hand_over(self, since: float) -> tuple[float, float] | None:
        """When the ports changed hands, on the monotonic clock; a host of the lab shares ours."""
        entries = self._journal("-t", "tinykit-ops", "-n", "1", "-g", "took over from")
        if not entries:
            return None
        entry = entries[-1]
        # When it was written, and not when a busy journal took it in.
        wall = entry.get("_SOURCE_REALTIME_TIMESTAMP", entry["__REALTIME_TIMESTAMP"])
        ended = int(wall) / 1e6 - (time.time() - time.monotonic())
        gap = int(entry["MESSAGE"].rsplit(" ", 2)[1]) / 1000
        return (ended - gap, ended) if ended >= since else None

    def _reloads(self, since: float) -> list[float]:
        """When Caddy's former configurations were shut down, on the monotonic clock."""
        entries = self._journal("-u", "caddy", "-g", "servers shutting down")
        offset = time.time() - time.monotonic()
        moments = [json.loads(entry["MESSAGE"])["ts"] - offset for entry in entries]
        return [moment for moment in moments if moment >= since]

    def _journal(self, *words: str) -> list[dict[str, Any]]:
        command = ["journalctl", "-b", "-o", "json", "--no-pager", *words]
        return [
            json.loads(line) for line in self.host.run(command, check=False).stdout.splitlines()
        ]


def _at_reload(visit: Visit, reloads: list[float]) -> bool:
    silent = visit.said.startswith(UNANSWERED)
    return silent and any(visit.began - RELOAD <= at <= visit.ended + RELOAD for at in reloads)


def _during(visit: Visit, began: float, ended: float) -> bool:
    # The host's word comes when all is over, and counts back from there.
    return visit.ended >= began - AFTERMATH and visit.began <= ended + AFTERMATH
