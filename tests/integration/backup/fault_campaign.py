"""All kinds of faults, generated from a seed, in shares of the whole."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backup_kit import Instance, S3Server
from campaign_bench import running_instance
from fault_cases import Case, Count, spread, try_all
from fault_clock import ClockFaults
from fault_copies import CopyFaults
from fault_damage import DamageFaults, make_stores
from fault_host import DiskFaults
from fault_service import ServiceFaults, little_patience
from faulty_proxy import FaultyProxy

Makers = list[Callable[[], Case]]
Family = Callable[[Instance, S3Server, FaultyProxy, random.Random], Makers]


def _damage(instance: Instance, _: S3Server, __: FaultyProxy, rng: random.Random) -> Makers:
    return DamageFaults(instance, make_stores(instance), rng).makers()


def _copies(instance: Instance, _: S3Server, __: FaultyProxy, rng: random.Random) -> Makers:
    return CopyFaults(instance, make_stores(instance), rng).makers()


def _service(instance: Instance, s3: S3Server, proxy: FaultyProxy, rng: random.Random) -> Makers:
    return ServiceFaults(instance, s3, proxy, rng).makers()


def _disks(instance: Instance, s3: S3Server, _: FaultyProxy, rng: random.Random) -> Makers:
    return DiskFaults(instance, s3, rng).makers()


def _clocks(instance: Instance, s3: S3Server, proxy: FaultyProxy, rng: random.Random) -> Makers:
    return ClockFaults(instance, s3, proxy, rng).makers()


#: What the cases are made by, and how much of all cases they are.
FAMILIES: dict[str, tuple[Family, float]] = {
    "damage": (_damage, 0.34),
    "copies": (_copies, 0.18),
    "service": (_service, 0.26),
    "disks": (_disks, 0.14),
    "clocks": (_clocks, 0.08),
}


@contextmanager
def cases_of(name: str, instance: Instance, s3: S3Server, rng: random.Random) -> Iterator[Makers]:
    """What makes the cases of one family, around that instance."""
    make, _ = FAMILIES[name]
    with FaultyProxy(s3.port) as proxy, little_patience():
        yield make(instance, s3, proxy, rng)


def run(folder: Path, version: str, seed: int, count: int, show: Callable[[str], None]) -> Count:
    """So many cases of all families, each around an instance of its own."""
    s3 = S3Server(folder / "objects").start()
    total = Count()
    try:
        for name, (_, share) in FAMILIES.items():
            with (
                running_instance(folder / name, version) as instance,
                cases_of(name, instance, s3, random.Random(f"{seed} {name}")) as makers,
            ):
                found = try_all(spread(max(1, round(count * share)), makers), show)
            total.cases |= found.cases
            total.wrong += found.wrong
    finally:
        s3.stop()
    return total
