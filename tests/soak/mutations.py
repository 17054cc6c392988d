"""One thing broken on a hardened host, and the checklist must say exactly which: for every breakage
that is known, on Caddy and nginx, Debian 13 and 12.

    scripts/soak mutations [--kind caddy|nginx] [--release 13|12] [--only PATTERN] [--lab NAME]
                           [--healthy N] [--app ARCHIVE] [--runtime systemd|docker]

Prints what was detected of what was seeded, and false alarms; exit code 0 only when all was, with
none. --healthy N looks N times at the host before anything is broken.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path

from mutation_bench import MutationBench
from mutation_suite import Score, healthy, of_kind, try_all
from tests_e2e_support import Provisioner

from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.lab import Lab

#: Release → proxy. --kind and --release choose one of the other pairs.
PAIRS = (("13", "caddy"), ("12", "nginx"))
CODE_NAMES = {"13": "trixie", "12": "bookworm"}


def main() -> int:
    """Exit code 0 when every breakage was found, and nothing else."""
    words = _words()
    pairs = [pair for pair in PAIRS if not words.kind and words.release in ("", pair[0])]
    pairs = pairs or [(words.release or "13", words.kind or "caddy")]
    score, began = Score(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tinykit-soak-mutations-") as name:
        releases = tuple(dict.fromkeys(release for release, _ in pairs))
        lab = Lab.load(words.lab) if words.lab else _lab(releases, words.runtime)
        try:
            for release, kind in pairs:
                _one(lab, release, kind, Path(name), words, score)
        finally:
            if not words.lab:
                lab.down()
    print("\n".join(f"WRONG {line}" for line in score.wrong))
    print(f"{score}, {time.monotonic() - began:.0f} s")
    return 1 if score.wrong or not score.looks else 0


def _lab(releases: tuple[str, ...], runtime: str) -> Lab:
    return Lab.up("soak-mutations", releases=releases, docker=runtime == "docker")


def _one(
    lab: Lab, release: str, kind: str, folder: Path, words: argparse.Namespace, score: Score
) -> None:
    host = next(host for host in lab.hosts if host.release == CODE_NAMES[release])
    app = words.app or build_contract_release(folder / f"app-{release}").archive
    inventories = folder / f"inventories-{release}-{kind}"
    inventories.mkdir()
    bench = MutationBench(
        Provisioner(lab, app, inventories, words.runtime), host, kind, folder / f"{release}-{kind}"
    )
    bench.harden()
    good = sum(healthy(bench, score, "hardened") for _ in range(words.healthy))
    print(
        f"Debian {release}, {kind}, {words.runtime}: "
        f"{good} of {words.healthy} looks without finding or unknown"
    )
    try_all(
        bench,
        [each for each in of_kind(kind, words.runtime) if re.search(words.only, each.name)],
        score,
    )


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak mutations", description=__doc__)
    parser.add_argument("--kind", choices=("caddy", "nginx"), default="")
    parser.add_argument("--release", choices=("13", "12"), default="")
    parser.add_argument("--runtime", choices=("systemd", "docker"), default="systemd")
    parser.add_argument("--only", default="", help="pattern of breakages' names")
    parser.add_argument("--lab", help="a lab that is there already, and stays")
    parser.add_argument("--healthy", type=int, default=1)
    parser.add_argument("--app", type=Path, help="a release archive (else the contract app)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
