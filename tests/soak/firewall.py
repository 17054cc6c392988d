"""Bad firewall rules and kills at every stage: nobody may be locked out of a host.

    scripts/soak firewall [--seed N] [--count N] [--release 13|12] [--only TEXT]

Every case is generated from the seed. After each, somebody logs in by SSH from the controller.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from firewall_cases import Case, judge, kill_cases, rules_cases, settings_cases
from firewall_trials import Trials
from tests_e2e_support import Provisioner

from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.lab import Lab

LAB = "soak-fw"


def main() -> int:
    """Exit code 0 when nobody was locked out, and every case went as it should."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab.up(LAB, releases=(options.release,), s3=False, progress=print)
        try:
            app = build_contract_release(Path(folder) / "app").archive
            inventories = Path(folder) / "inventories"
            inventories.mkdir()
            trials = Trials(Provisioner(lab, app, inventories))
            trials.prepare()
            return run(trials, options.seed, options.count, options.only)
        finally:
            lab.down()


def run(trials: Trials, seed: int, count: int, only: str) -> int:
    """Judge `count` cases and print what was seen."""
    wrong = locked_out = done = 0
    longest, slowest = 0.0, ""
    for case in (case for case in cases(seed, count, trials) if only in case.name):
        began = time.monotonic()
        verdict = judge(trials, case)
        done += 1
        wrong += bool(verdict.faults)
        locked_out += any("LOCKED OUT" in fault for fault in verdict.faults)
        if verdict.longest > longest:
            longest, slowest = verdict.longest, case.name
        state = "; ".join(verdict.faults) or "ok"
        took = time.monotonic() - began
        print(f"{done:3} {case.name}: {state} (shut {verdict.longest:.1f} s, took {took:.0f} s)")
        sys.stdout.flush()
        if case.refused is not True:
            trials.restore()
    print(f"{done} cases (seed {seed}): {locked_out} lock-outs, {wrong} not as they should be")
    print(f"longest time shut out: {longest:.1f} s ({slowest})")
    return 1 if wrong else 0


def cases(seed: int, count: int, trials: Trials) -> Iterator[Case]:
    """Of each kind a third: what is written, what is wrong with rules, what is killed."""
    rng = random.Random(seed)
    kills = max(1, count // 3)
    written = max(1, (count - kills) // 2)
    yield from islice(settings_cases(rng, trials), written)
    yield from islice(rules_cases(rng, trials), count - kills - written)
    yield from islice(kill_cases(rng, trials), kills)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak firewall", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--release", default="13", choices=("13", "12"))
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
