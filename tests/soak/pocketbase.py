"""Another PocketBase under a live instance, and the way back, again and again.

    scripts/soak pocketbase [--count N] [--rate N] [--kind caddy|nginx] [--release 13|12]

--rate requests a second for a published page come from outside, and one writer writes all the time,
while PocketBase is upgraded and taken back --count times behind each proxy. For a moment nobody
answers: how long is printed, as visitors saw it and as the upgrade itself says. An upgrade must
lose no acknowledged write, going back none that was there before the upgrade, and a deploy
afterwards must find nothing left to do; exit code 0 only then.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests_e2e_support import Provisioner
from upgrade_bench import Seen, UpgradeBench
from upgrade_writer import Writer

from tinykit_ops import layout
from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.lab import Lab

LAB = "soak-pb"
OLD, NEW = "0.23.4", "0.40.6"
SERVES = f"readlink -f {layout.POCKETBASE_BINARY}"
DONE = f"cat {layout.POCKETBASE_UPGRADES}/done.json"


def main() -> int:
    """Run the campaign with both proxies; 1 when something was lost or stayed wrong."""
    words = _arguments()
    rates = {"own": words.rate / 2, "pool": words.rate / 2}
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="tinykit-soak-pocketbase-") as name:
        lab = Lab.up(LAB, releases=(words.release,), s3=False)
        try:
            app = build_contract_release(Path(name) / "app").archive
            inventories = Path(name) / "inventories"
            inventories.mkdir()
            bench = UpgradeBench(Provisioner(lab, app, inventories), Path(name), rates)
            for kind in [words.kind] if words.kind else ["caddy", "nginx"]:
                wrong += Campaign(kind, bench).run(words.count)
        finally:
            lab.down()
    print("\n".join(f"WRONG {line}" for line in wrong) or "nothing was lost")
    return 1 if wrong else 0


class Campaign:
    """Upgrades and ways back behind one proxy."""

    def __init__(self, kind: str, bench: UpgradeBench) -> None:
        self.kind = kind
        self.bench = bench
        self.wrong: list[str] = []
        self.upgrades: list[tuple[Seen, int]] = []
        self.ways_back: list[Seen] = []

    def run(self, count: int) -> list[str]:
        """Returns what went wrong."""
        if not self.bench.project:
            self.bench.settings["pocketbase"] = {"version": OLD}
            self.bench.bring(self.kind)
        self.bench.settings["pocketbase"] = {"version": NEW}
        self.bench.bring(self.kind)  # both are on the host from now on, and the newer one serves
        before: set[str] = set()
        for _ in range(count):
            self.ways_back.append(self._see("back", OLD, self._back))
            # What came since the upgrade that is taken back goes with it, as it says.
            there = self._there()
            self._kept("going back", there, before)
            before = there
            upgrade = self._see("upgrade", NEW, self._upgrade)
            away = json.loads(self.bench.host.ssh([DONE]).stdout)["away_ms"]
            self.upgrades.append((upgrade, away))
            self._kept("an upgrade", self._there(), before)
            if upgrade.lost:
                self.wrong.append(f"{self.kind}: {upgrade}: lost {upgrade.lost[:5]}")
        self._tell()
        self._at_rest()
        return self.wrong

    def _upgrade(self) -> tuple[int, str]:
        done = self.bench.host.ssh([layout.AGENT_COMMAND, "host", "pocketbase"], check=False)
        return done.returncode, done.stdout + done.stderr

    def _back(self) -> tuple[int, str]:
        done = self.bench.command("pocketbase-rollback", "--yes")
        return done.returncode, done.stdout + done.stderr

    def _see(self, name: str, version: str, change: Callable[[], tuple[int, str]]) -> Seen:
        seen = self.bench.watched(name, change)
        print(
            f"{self.kind}: {name}: {seen.visits} visits, {sum(seen.dropped.values())} dropped in "
            f"{seen.away:.2f} s; {seen.writes} writes, {len(seen.refused)} refused, "
            f"{len(seen.lost)} lost, slowest {seen.slowest:.2f} s; {seen.seconds:.1f} s",
            flush=True,
        )
        serving = self.bench.host.ssh([SERVES]).stdout.strip()
        if seen.code != 0 or version not in serving or not (seen.visits and seen.writes):
            self.wrong.append(f"{self.kind}: {name}: {seen.code}, {serving}: {seen.said[-800:]}")
        return seen

    def _there(self) -> set[str]:
        return Writer(self.bench.host, self.bench.project).there()

    def _kept(self, what: str, there: set[str], before: set[str]) -> None:
        if lost := before - there:
            self.wrong.append(f"{self.kind}: {what} lost {len(lost)} records: {sorted(lost)[:5]}")

    def _tell(self) -> None:
        seen = [*(upgrade for upgrade, _ in self.upgrades), *self.ways_back]
        away = sorted(milliseconds for _, milliseconds in self.upgrades)
        print(
            f"{self.kind}: {len(self.upgrades)} upgrades and {len(self.ways_back)} ways back, "
            f"{sum(one.visits for one in seen)} visits, "
            f"{sum(sum(one.dropped.values()) for one in seen)} dropped; "
            f"{sum(one.writes for one in seen)} writes, "
            f"{sum(len(one.lost) for one, _ in self.upgrades)} lost by upgrades\n"
            f"{self.kind}: upgrades: PocketBase away for {median(away):.0f} ms ({away[0]} to "
            f"{away[-1]}), visitors for {_range([one.away for one, _ in self.upgrades])}; ways "
            f"back: visitors for {_range([one.away for one in self.ways_back])}",
            flush=True,
        )

    def _at_rest(self) -> None:
        """A deploy may set what only the newer one knows; the next one changes nothing."""
        self.bench.bring(self.kind)
        second = self.bench.deploy(self.kind, self.bench.provisioner.app)
        if changed := second.changed(self.bench.host.name):
            self.wrong.append(f"{self.kind}: a second deploy changed {changed}")


def _range(seconds: list[float]) -> str:
    return f"{median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak pocketbase", description=__doc__)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--kind", choices=("caddy", "nginx"), default="")
    parser.add_argument("--release", choices=("13", "12"), default="13")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
