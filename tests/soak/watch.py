"""Eight simulated weeks of traffic with seeded incidents, through the watch's real engine.

    scripts/soak watch [--seed N] [--count WEEKS] [--instances N]

Two weeks are for learning; from the third on there is an incident every few hours to days. Prints
detected / seeded by kind, false alarms a week, and the delay. Exit code 0 only when 95 % were
detected and there is at most one false alarm a week.
"""

from __future__ import annotations

import argparse
import statistics
import sys

from watch_traffic import KINDS, Result, simulate


def main() -> int:
    """Exit code 0 when the watch was good enough."""
    options = _options()
    results = [
        simulate(options.seed * 1000 + number, options.count) for number in range(options.instances)
    ]
    seeded = sum(_line(kind, results) for kind in KINDS)
    found = sum(len(result.delays) for result in results)
    weeks = sum(result.watched_weeks for result in results)
    false = [alarm for result in results for alarm in result.false_alarms]
    for alarm in false[:20]:
        print(f"FALSE {alarm}")
    delays = [delay for result in results for _, delay in result.delays]
    print(
        f"watch: detected {found} of {seeded}; {len(false)} false alarms in {weeks} weeks "
        f"({len(false) / weeks:.2f} a week); delay {_delays(delays)} (seed {options.seed})"
    )
    return 0 if found >= 0.95 * seeded and len(false) <= weeks else 1


def _line(kind: str, results: list[Result]) -> int:
    seeded = sum(result.seeded[kind] for result in results)
    delays = [delay for result in results for which, delay in result.delays if which == kind]
    print(f"{kind:<16} {len(delays):>4} of {seeded:<4} delay {_delays(delays)}")
    return seeded


def _delays(minutes: list[float]) -> str:
    if not minutes:
        return "-"
    return f"{min(minutes):.0f}/{statistics.median(minutes):.0f}/{max(minutes):.0f} min"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak watch", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=8, help="weeks")
    parser.add_argument("--instances", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
