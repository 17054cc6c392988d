"""Runs of the whole deploy that are interrupted anywhere: does the next one converge?

    scripts/soak kills [--seed N] [--count N] [--release 13|12] [--way kill|interrupt|…]
                       [--runtime systemd|docker] [--changes N] [--log FILE]

A case brings a host to an inventory that is drawn from the seed: a bare host, then --changes times
one that people use, each time to another proxy, release, PocketBase, firewall, and so on. One to
four runs in a row are ended at any operation, up to three seconds into it: the controller is
killed, stopped with Ctrl-C or SIGTERM, the network goes away, or the host loses its power. Then
nobody is locked out; the next run goes to its end and the one after changes nothing; the units run,
the instance serves, nothing is left behind, `check --host` finds no more than without
interruptions, and people have what they had. Exit code 0 only when all of that is so in every case.
Needs root.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import kills_endings
import kills_states
from kills_endings import WAYS, Ended, Ending
from kills_looks import Site
from kills_states import State
from tests_e2e_support import Provisioner
from upgrade_releases import variant

from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.inventory import USERS
from tinykit_ops.lab.lab import Lab

LAB = "soak-kills"
MOST = 4  #: interruptions in a row
DISK = {"systemd": None, "docker": "8G"}
IN_SECONDS = 30  #: within which somebody has to be let in after an interruption


class Campaign:
    """The cases of one seed, and what was wrong with them."""

    def __init__(self, words: argparse.Namespace, folder: Path) -> None:
        self.words = words
        self.folder = folder
        self.rng = random.Random(words.seed)
        self.ways = (words.way,) if words.way else WAYS
        app = build_contract_release(folder / "app").archive
        self.apps = [app, variant(app, folder, "other")]
        self.cases = self.wrong = self.busy = 0
        self.ended: Counter[str] = Counter()  # runs that were interrupted, by way
        self.late = 0  # runs that were over before

    def run(self) -> None:
        """Hosts of both releases by turns, until all cases were tried."""
        releases = self._releases()
        while self.cases < self.words.count:
            lab = Lab.up(
                LAB,
                releases=(next(releases),),
                disk=DISK[self.words.runtime],
                docker=self.words.runtime == "docker",
            )
            try:
                self._host(self._site(lab))
            finally:
                lab.down()

    def _host(self, site: Site) -> None:
        state = kills_states.drawn(self.rng)
        for number in range(1 + self.words.changes):
            if self.cases >= self.words.count:
                return
            if number:
                state = kills_states.changed(self.rng, state)
            if not self._case(site, state, "changed" if number else "bare"):
                return  # what is wrong here would be wrong in the next case, too
            site.use(state, f"case {self.cases}")

    def _case(self, site: Site, state: State, kind: str) -> bool:
        began = time.monotonic()
        print(f"{self.cases + 1:3} {site.host.release} {site.user} {kind}: {state}", flush=True)
        faults = []
        for _ in range(self.rng.randint(1, MOST)):
            faults += self._interrupt(site, state)
        found = site.converge(state)
        faults += found or [*site.faults(state), *site.lost(state)]
        self.cases += 1
        self.wrong += bool(faults)
        took = f"{time.monotonic() - began:.0f} s"
        print(f"    {'; '.join(f'WRONG {fault}' for fault in faults) or 'converged'} ({took})")
        sys.stdout.flush()
        return not faults

    def _interrupt(self, site: Site, wanted: State) -> list[str]:
        """End one run, of the wanted inventory or of what somebody thought better of."""
        another = self.rng.random() < 0.25
        state = kills_states.changed(self.rng, wanted) if another else wanted
        if state.version > wanted.version:  # there is no way back
            state = wanted
        ending = kills_endings.drawn(self.rng, self.ways)
        provisioner = site.provisioners[state.app]
        command = provisioner.command(str(site.inventory(state)), "deploys/full.py")
        ended = kills_endings.end(command, ending, provisioner.lab, site.host)
        self._note(ending, ended, "another inventory, " if state != wanted else "")
        if self.words.log:
            with self.words.log.open("a") as log:
                log.write(f"== case {self.cases}, {ending}\n{ended.said}\n")
        faults = ended.faults(ending)
        if not ended.reached and ended.code:
            faults += _unexplained(ended)
        if not site.host.lets_in():
            faults.append("LOCKED OUT")
        return [f"{ending}: {fault}" for fault in faults]

    def _note(self, ending: Ending, ended: Ended, prefix: str) -> None:
        self.ended[ending.way] += ended.reached
        self.late += not ended.reached
        told = (
            f"exit code {ended.code}, {ended.at}"
            if ended.reached
            else f"over before ({ended.code})"
        )
        print(f"      {prefix}{ending}: {told}", flush=True)

    def _site(self, lab: Lab) -> Site:
        inventories = self.folder / f"inventories-{self.cases}"
        inventories.mkdir()
        runtime = self.words.runtime
        provisioners = [Provisioner(lab, app, inventories, runtime) for app in self.apps]
        return Site(provisioners, self.folder, self.rng.choice(USERS))

    def _releases(self) -> Iterator[str]:
        while True:
            yield from (self.words.release,) if self.words.release else ("13", "12")


def _unexplained(ended: Ended) -> list[str]:
    """A run that failed by itself may only have been refused, and says what to do."""
    refused = "hint:" in ended.said and "this host is being changed by" in ended.said
    return [] if refused else [f"a run failed by itself ({ended.code}): {ended.said[-3000:]}"]


def main() -> int:
    """Exit code 0 when every case converged."""
    # A shell starts what it puts into the background without Ctrl-C, and the runs would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    words = _words()
    print(f"seed {words.seed}, {words.count} cases", flush=True)
    with tempfile.TemporaryDirectory(prefix="tinykit-soak-kills-") as folder:
        campaign = Campaign(words, Path(folder))
        with suppress(KeyboardInterrupt):  # then the cases so far are told
            campaign.run()
    ways = ", ".join(f"{campaign.ended[way]} {way}" for way in WAYS)
    print(
        f"seed {words.seed}: {campaign.cases} cases, {campaign.wrong} wrong; "
        f"{campaign.ended.total()} runs interrupted ({ways}), {campaign.late} were over before"
    )
    return 1 if campaign.wrong else 0


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak kills", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--count", type=int, default=20, help="so many cases (20)")
    parser.add_argument("--changes", type=int, default=4, help="other inventories of a host (4)")
    parser.add_argument("--release", choices=("13", "12"))
    parser.add_argument("--way", choices=WAYS, default="")
    parser.add_argument("--runtime", choices=("systemd", "docker"), default="systemd")
    parser.add_argument("--log", type=Path, help="a file for what the ended runs said")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
