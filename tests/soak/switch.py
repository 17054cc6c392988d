"""Changing proxies and modes of a live instance, while visitors ask for its published page.

    scripts/soak switch [--seed N] [--count N] [--rate N] [--release 13|12] [--app ARCHIVE]

Twice --rate requests a second come from outside: each on a connection of its own, and over kept
ones. Without --count, every gate, every mode of the firewall and both layouts on both proxies, and
both ways between them. A visitor who gets no page is counted; only while the ports change hands
from one proxy to the other may there be any, and a new connection that Caddy closes as it reloads.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import time
from pathlib import Path

from edge_switches import Site, Switch, walk
from edge_traffic import Traffic, publish
from tests_e2e_support import Provisioner

from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.inventory import ADMIN_EMAIL
from tinykit_ops.lab.lab import Lab

LAB = "soak-sw"
#: Eight on each proxy, and there and back.
ALL = 18


def main() -> int:
    """Run the campaign; 1 when a visitor was turned away, or a second run had something to do."""
    words = _arguments()
    seed = words.seed if words.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}, {words.count} switches", flush=True)
    with tempfile.TemporaryDirectory(prefix="tinykit-soak-switch-") as folder:
        lab = Lab.up(LAB, releases=(words.release,), s3=False)
        try:
            app = words.app or build_contract_release(Path(folder) / "app").archive
            inventories = Path(folder) / "inventories"
            inventories.mkdir()
            switches = _campaign(Site(Provisioner(lab, app, inventories)), seed, words)
        finally:
            lab.down()
    return _verdict(switches, seed)


def _campaign(site: Site, seed: int, words: argparse.Namespace) -> list[Switch]:
    states = itertools.islice(walk(random.Random(seed)), words.count + 1)
    site.bring(next(states))
    publish(site.host, ADMIN_EMAIL)
    done = []
    rates = {"own": words.rate, "pool": words.rate}
    for number, state in enumerate(states, 1):
        with Traffic(site.lab, rates) as traffic:
            time.sleep(1)
            done.append(site.switch(traffic, state))
        print(f"{number:3} {done[-1]}", flush=True)
    return done


def _verdict(switches: list[Switch], seed: int) -> int:
    proxies = [switch for switch in switches if switch.seconds is not None]
    modes = [switch for switch in switches if switch.seconds is None]
    for name, group in (("modes", modes), ("proxies", proxies)):
        visits = sum(len(switch.visits) for switch in group)
        dropped = sum(len(switch.outside) for switch in group)
        reloads = sum(len(switch.at_reload) for switch in group)
        print(f"{name}: {len(group)} switches, {visits} visits, {dropped} dropped", end="")
        print(f", {reloads} unanswered as Caddy reloaded", end="")
        if group is proxies and group:
            lost = sum(len(switch.at_switch) for switch in group)
            longest = max(switch.seconds or 0 for switch in group)
            gap = max(switch.gap for switch in group)
            print(f"; at the switches {lost}, longest gap {gap:.2f} s", end="")
            print(f" (nobody listened for at most {longest:.2f} s)", end="")
        print()
    wrong = [switch for switch in switches if not switch.is_fine]
    again = sum(len(switch.second) for switch in switches)
    print(
        f"seed {seed}: second runs changed {again}; {len(wrong)} of {len(switches)} switches wrong"
    )
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak switch", description=__doc__)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--count", type=int, default=ALL, help=f"so many switches ({ALL})")
    parser.add_argument("--rate", type=int, default=50, help="requests a second of each kind (50)")
    parser.add_argument("--release", default="13", choices=("13", "12"))
    parser.add_argument("--app", type=Path, help="a release archive (else the contract app)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
