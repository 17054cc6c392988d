"""Backups of real PocketBases under constant writing, each restored and compared.

    scripts/soak backup-load [--count N] [--pocketbase VERSION]

Counts crashes, acknowledged writes that are lost, and copies that are not the beginning of what was
written. Half of the backups are made of each version. Exit code 0 only when there is nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from backup_kit import S3Server
from campaign_bench import running_instance
from load_campaign import LoadCampaign, summary
from pocketbase_kit import VERSIONS


def main() -> int:
    """Exit code 0 when all is well."""
    options = _options()
    began = time.monotonic()
    versions = [options.pocketbase] if options.pocketbase else list(VERSIONS)
    results = []
    with tempfile.TemporaryDirectory(prefix="tinykit-soak-load-") as name:
        folder = Path(name)
        s3 = S3Server(folder / "objects").start()
        try:
            for version in versions:
                with running_instance(folder / version, version) as instance:
                    campaign = LoadCampaign(instance, s3)
                    results.append(campaign.run(options.count // len(versions)))
        finally:
            s3.stop()
    wrong = [fault for one in results for fault in one.faults]
    print("\n".join(f"WRONG {fault}" for fault in wrong[:50]), end="\n" if wrong else "")
    print(summary(results, time.monotonic() - began))
    return 1 if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak backup-load", description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--pocketbase", choices=VERSIONS, help="only this one")
    parser.add_argument("--seed", type=int, default=1, help="nothing here is random")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
