"""Upgrading and going back on a live instance, with releases that are well and that are not, and
with a run that is killed anywhere.

    scripts/soak upgrade [--seed N] [--count N] [--kills N] [--rate N] [--kind caddy|nginx]
                         [--release 13|12] [--runtime systemd|docker] [--many N]

--rate requests a second for a published page come from outside, half on connections of their own,
half over kept ones, and one writer writes all the time. With each proxy: --count upgrades and as
many ways back, releases that do not start, do not listen, die, or whose migrations fail, --kills
runs that are killed at random, a full disk, and --many releases one after the other, of which three
stay. A visitor who gets no page, a write that is refused or lost, and a host that is not at rest
afterwards are counted; exit code 0 only when there are none.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests_e2e_support import Provisioner
from upgrade_bench import Seen, UpgradeBench

from tinykit_ops import layout
from tinykit_ops.host.release_store import KEPT
from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.lab import Lab

LAB = "soak-up"
#: Of a host. Each release is there twice with Docker, unpacked and as an image.
DISK = {"systemd": "4G", "docker": "8G"}
LONGEST = 30.0  #: seconds within which a run is killed, when none was timed before
_USED = "sync; df --output=used -B1 / | tail -1"
_IMAGES = (
    f"! command -v docker >/dev/null || docker image ls -q {layout.DOCKER_IMAGES}/tinykit | wc -l"
)
DEFECTS = ("broken", "deaf", "dying", "unfit")


def main() -> int:
    """Run the campaign with both proxies; 1 when somebody noticed something."""
    words = _arguments()
    seed = words.seed if words.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}", flush=True)
    rates = {"own": words.rate / 2, "pool": words.rate / 2}
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="tinykit-soak-upgrade-") as name:
        containers = words.runtime == "docker"
        lab = Lab.up(
            LAB, releases=(words.release,), s3=False, disk=DISK[words.runtime], docker=containers
        )
        try:
            app = build_contract_release(Path(name) / "app").archive
            inventories = Path(name) / "inventories"
            inventories.mkdir()
            bench = UpgradeBench(
                Provisioner(lab, app, inventories, words.runtime), Path(name), rates
            )
            for kind in [words.kind] if words.kind else ["caddy", "nginx"]:
                wrong += _with(kind, bench, random.Random(seed), words)
        finally:
            lab.down()
    print("\n".join(f"WRONG {line}" for line in wrong) or "nobody noticed anything")
    return 1 if wrong else 0


def _with(
    kind: str, bench: UpgradeBench, rng: random.Random, words: argparse.Namespace
) -> list[str]:
    bench.bring(kind)
    wrong: list[str] = []
    seen: list[Seen] = []

    def note(one: Seen, expected: str, code: int | None = 0) -> None:
        seen.append(one)
        print(f"{kind}: {one}", flush=True)
        faults = bench.at_rest() if code is not None else []
        if not one.is_fine or faults:
            wrong.append(f"{kind}: {one} {faults}")
        if code is not None and (one.code != code or bench.serving() != expected):
            wrong.append(f"{kind}: {one.name}: {one.code}, serving {bench.serving()}: {one.said}")

    releases = [bench.serving(), bench.install(kind, f"{kind}-next")]
    for _ in range(words.count):
        note(bench.activate(releases[1]), releases[1])
        note(bench.rollback(), releases[0])
    for defect in DEFECTS:
        broken = bench.install(kind, f"{kind}-{defect}", defect)
        note(bench.activate(broken), releases[0], 69)
    longest = max((one.seconds for one in seen[:2]), default=LONGEST)
    for _ in range(words.kills):
        note(bench.killed(releases[1], rng.uniform(0.5, longest)), "", None)
        note(bench.activate(releases[1]), releases[1])
        releases.reverse()
    wrong += [f"{kind}: {fault}" for fault in _full_disk(bench, kind)]
    wrong += [f"{kind}: {fault}" for fault in _many(bench, kind, words.many)]
    total = sum(one.visits for one in seen)
    dropped = sum(sum(one.dropped.values()) for one in seen)
    writes = sum(one.writes for one in seen)
    print(
        f"{kind}: {len(seen)} changes, {total} visits, {dropped} dropped; {writes} writes, "
        f"{sum(len(one.refused) for one in seen)} refused, {sum(len(one.lost) for one in seen)} "
        f"lost, slowest {max(one.slowest for one in seen):.2f} s",
        flush=True,
    )
    return wrong


def _full_disk(bench: UpgradeBench, kind: str) -> list[str]:
    """A release that has no room is refused, and what serves goes on."""
    before, found = bench.serving(), []
    free = "f=$(df --output=avail -B1 /opt | tail -1); fallocate -l $((f - 100000000)) /opt/filler"
    bench.host.ssh([free])
    try:
        one = bench.watched("a full disk", lambda: _install(bench, kind))
        print(f"{kind}: {one}", flush=True)
        if not one.is_fine or one.code == 0 or "unpack" not in one.said:
            found.append(f"{one} {one.said[-500:]}")
        if bench.serving() != before:
            found.append("another release serves after the disk was full")
    finally:
        bench.host.ssh(["rm", "-f", "/opt/filler"])
    return found


def _many(bench: UpgradeBench, kind: str, count: int) -> list[str]:
    """Releases that each serve once; old ones go, with their images."""
    if not count:
        return []
    found, sizes = [], []
    for number in range(count):
        release = bench.install(kind, f"{kind}-many-{number}")
        if bench.command("activate", release).returncode or bench.serving() != release:
            found.append(f"release {number} of many does not serve")
        sizes.append(int(bench.host.ssh([_USED]).stdout))
    left = bench.host.ssh([f"ls {layout.TINYKIT_RELEASES} | wc -l; {_IMAGES}"]).stdout.split()
    if max(map(int, left)) > KEPT:
        found.append(f"after {count} releases there are {left} of them and of their images")
    grown = sizes[-1] - sizes[min(KEPT, count - 1)]
    print(f"{kind}: {count} releases, {left} left (and images); {grown / 1e6:.0f} MB more than")
    print(f"  after the first {KEPT + 1}", flush=True)
    return found


def _install(bench: UpgradeBench, kind: str) -> tuple[int, str]:
    try:
        bench.install(kind, f"{kind}-late")
    except RuntimeError as error:
        return 1, str(error)
    return 0, ""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak upgrade", description=__doc__)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--many", type=int, default=0)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--kind", choices=("caddy", "nginx"), default="")
    parser.add_argument("--runtime", choices=("systemd", "docker"), default="systemd")
    parser.add_argument("--release", choices=("13", "12"), default="13")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
