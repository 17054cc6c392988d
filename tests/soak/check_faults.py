"""Faults on the way to an instance: no look through them passes a hole, hangs or breaks.

    scripts/soak check-faults [--seed N] [--count N]

Time-outs, resets, half and endless answers, wrong types, logins that end, 429, portals and redirect
loops before a raw contract instance. Exit code 0 only when no look was wrong. Needs root.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "integration" / "checks"))

from raw_instance import claimed_instance
from web_faults import campaign

from tinykit_ops.lab.contract import build_contract_release


def main() -> int:
    """Exit code 0 when every look was right."""
    options = _options()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tinykit-soak-check-") as name:
        folder = Path(name)
        archive = build_contract_release(folder / "release").archive
        (folder / "app").mkdir()
        subprocess.run(["tar", "--zstd", "-xf", archive, "-C", folder / "app"], check=True)
        with claimed_instance(folder / "app", folder / "instance") as (port, environment):
            wrong = campaign(port, environment, options.seed, options.count, _show)
    print("\n".join(f"WRONG {one}" for one in wrong), end="\n" if wrong else "")
    seconds = time.monotonic() - began
    print(f"check-faults: {options.count} faults, {len(wrong)} wrong; {seconds:.0f} s", end=" ")
    print(f"(seed {options.seed})")
    return 1 if wrong else 0


def _show(line: str) -> None:
    print(line, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak check-faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
