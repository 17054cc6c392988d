"""The edge, whole: every gate on both proxies and both layouts, every route, client and proof, and
every path trick in each of them.

    scripts/soak edge [--seed N] [--count N] [--kind caddy|nginx] [--app ARCHIVE] [--lab NAME]

--count asks only so many of the configurations, spread evenly over all.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import time
from pathlib import Path

from edge_bench import Bench
from edge_configs import Config, whole
from edge_matrix import Tally, run_matrix, uncovered
from edge_tricks import run_tricks
from tests_e2e_support import Provisioner

from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.lab import Lab

#: So many wrong cases are shown of each configuration; all of them are counted.
SHOWN = 12
#: Where this gate is the builder's and another one the administration's, an account tries its luck.
ESCALATION = (("account",), "all")


def main() -> int:
    """Run the campaign; 1 when anything was wrong."""
    words = _arguments()
    seed = words.seed if words.seed is not None else random.SystemRandom().randrange(10**6)
    kinds = [words.kind] if words.kind else ["caddy", "nginx"]
    configs = whole(seed, kinds)
    if words.count:
        configs = random.Random(seed).sample(configs, min(words.count, len(configs)))
    configs.sort(key=lambda config: (config.kind, config.own_builder))
    print(f"seed {seed}, {len(configs)} configurations", flush=True)
    tally = Tally(wrong=[f"no case asks for the route {name}" for name in uncovered()])
    with tempfile.TemporaryDirectory(prefix="tinykit-soak-edge-") as folder:
        kept = words.lab is not None
        lab = Lab.load(words.lab) if kept else Lab.up("soak-edge", releases=("13",), s3=False)
        try:
            _campaign(lab, configs, tally, Path(folder), words)
        finally:
            if not kept:
                lab.down()
    return _verdict(tally, seed)


def _campaign(
    lab: Lab, configs: list[Config], tally: Tally, folder: Path, words: argparse.Namespace
) -> None:
    app = words.app or build_contract_release(folder / "app").archive
    inventories = folder / "inventories"
    inventories.mkdir()
    bench = Bench(Provisioner(lab, app, inventories))
    try:
        for kind, group in itertools.groupby(configs, key=lambda config: config.kind):
            bench.prepare(kind)
            for config in group:
                bench.use(config)
                _one(bench, config, tally)
            print(f"{kind}: done", flush=True)
    finally:
        bench.close()


def _one(bench: Bench, config: Config, tally: Tally) -> None:
    start, before, wrong = time.monotonic(), tally.requests + tally.tricks, len(tally.wrong)
    run_matrix(bench, tally)
    run_tricks(bench, tally)
    if config.builder == ESCALATION and "account" not in config.admin[0]:
        (cookie,) = [proof for proof in bench.proofs if proof.name == "account cookie"]
        run_tricks(bench, tally, cookie)
    tally.configurations += 1
    asked = tally.requests + tally.tricks - before
    fresh = tally.wrong[wrong:]
    print(
        f"{config}: {asked} asked in {time.monotonic() - start:.0f} s, {len(fresh)} wrong",
        flush=True,
    )
    for line in fresh[:SHOWN]:
        print(f"  WRONG {line}", flush=True)


def _verdict(tally: Tally, seed: int) -> int:
    print(f"\nseed {seed}: {tally}")
    print(f"statuses, matrix: {dict(sorted(tally.statuses.items()))}")
    print(f"statuses, tricks: {dict(sorted(tally.trick_statuses.items()))}")
    for line in tally.wrong:
        print(f"WRONG {line}", file=sys.stderr)
    return 1 if tally.wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak edge", description=__doc__)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--count", type=int, help="so many configurations instead of all")
    parser.add_argument("--kind", choices=("caddy", "nginx"))
    parser.add_argument("--app", type=Path, help="a release archive (else the contract app)")
    parser.add_argument("--lab", help="a lab that is there already, and stays")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
