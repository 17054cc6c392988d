"""Faults of what is stored, of the service, of disks and of clocks: every answer is judged.

    scripts/soak backup-faults [--seed N] [--count N] [--pocketbase VERSION]

Damage, wrong copies, papers and keys have to be named by verify, and never be restored. A backup
that S3, the network, a disk or the clock disturbs makes a whole snapshot, or fails loudly and
leaves none. Exit code 0 only when no answer was wrong. Needs root (it mounts small disks).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from fault_campaign import run
from pocketbase_kit import VERSIONS


def main() -> int:
    """Exit code 0 when every answer was right."""
    options = _options()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tinykit-soak-faults-") as folder:
        count = run(Path(folder), options.pocketbase, options.seed, options.count, _show)
    print("\n".join(f"WRONG {one}" for one in count.wrong), end="\n" if count.wrong else "")
    print(f"{count.summary(time.monotonic() - began)} (seed {options.seed})")
    return 1 if count.wrong else 0


def _show(line: str) -> None:
    print(line, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak backup-faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--pocketbase", default=VERSIONS[-1], choices=VERSIONS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
