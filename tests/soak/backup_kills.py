"""A backup to S3 is killed (SIGKILL) at random points, and the next one has to make it good.

    scripts/soak backup-kills [--seed N] [--count N] [--pocketbase VERSION]

Counts snapshots that look complete and are not, runs after a kill that fail, and what is sent
again. Exit code 0 only when there is none, and never more than one part is sent again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from backup_kit import S3Server
from campaign_bench import CountingProxy, running_instance
from kill_campaign import KillCampaign, Killed, summary
from pocketbase_kit import VERSIONS


def main() -> int:
    """Exit code 0 when every point went as it should."""
    options = _options()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tinykit-soak-kills-") as name:
        folder = Path(name)
        s3 = S3Server(folder / "objects").start()
        try:
            with (
                running_instance(folder / "one", options.pocketbase) as instance,
                CountingProxy(s3.port) as proxy,
            ):
                campaign = KillCampaign(instance, s3, proxy, options.seed)
                points = [_shown(one) for one in campaign.points(options.count)]
                wrong = [fault for one in points for fault in one.faults] + campaign.finish()
        finally:
            s3.stop()
    print("\n".join(f"WRONG {fault}" for fault in wrong), end="\n" if wrong else "")
    print(summary(points, wrong, time.monotonic() - began) + f" (seed {options.seed})")
    return 1 if wrong else 0


def _shown(one: Killed) -> Killed:
    state = "; ".join(one.faults) or "ok"
    ended = "" if one.hit else " (it had ended)"
    print(f"{one.point}{ended}: {state}; {one.resent} bytes sent again", flush=True)
    return one


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak backup-kills", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--pocketbase", default=VERSIONS[-1], choices=VERSIONS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
