"""Simulated weeks of an instance: its traffic, what goes wrong, and what the watch says of it."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tinykit_ops.backup.status import BackupStatus, TargetStatus
from tinykit_ops.checks.tls import Certificate
from tinykit_ops.settings.watch import WatchSettings
from tinykit_ops.watch.hostlook import backups, certificate_reading
from tinykit_ops.watch.problems import Grade, Reading
from tinykit_ops.watch.run import Engine
from tinykit_ops.watch.state import State
from tinykit_ops.watch.traffic import SLICE, Slice

START = 1_767_571_200  # a Monday
DAY, WEEK = 288, 2016  #: slices
LEARNING = 2  #: weeks
#: Each kind, and the problem that it must become.
KINDS = {
    "errors": "errors",
    "errors-few": "errors",
    "surge": "traffic-surge",
    "drop": "traffic-drop",
    "silence": "traffic-drop",
    "slow": "slow",
    "logins": "logins",
    "backup": "backup:main",
    "disk": "disk:/",
    "certificate": "certificate",
}
#: What may be told besides it while it lasts, and why it is not false.
ALSO = {"surge": {"slow"}, "silence": {"errors"}}


@dataclass
class Incident:
    """From `first` to `last`, in slices."""

    kind: str
    first: int
    last: int


@dataclass
class Result:
    """What came of it; delays are in minutes."""

    watched_weeks: int
    seeded: Counter[str]
    delays: list[tuple[str, float]] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)


def simulate(seed: int, weeks: int) -> Result:
    """Let the engine watch an instance for some weeks."""
    chance = random.Random(seed)
    busy = chance.choice([200, 600, 2000])
    growth, night = chance.uniform(-0.01, 0.06), chance.uniform(0.05, 0.3)
    holidays = {chance.randrange(weeks * 7) for _ in range(weeks // 3)}
    incidents = _incidents(chance, weeks)
    result = Result(weeks - LEARNING, Counter(one.kind for one in incidents))
    engine = Engine(State(), WatchSettings())
    found: set[int] = set()
    for number in range(weeks * WEEK):
        start = START + number * SLICE
        now = start + SLICE + 60.0
        active = [one for one in incidents if one.first <= number <= one.last]
        shape = _shape(number, night) * (1 + growth) ** (number / WEEK)
        shape *= 0.55 if number // DAY in holidays else 1
        one = _slice(chance, start, busy * shape, {each.kind for each in active})
        news = engine.take_slice(one, now)
        news += engine.take(_host(active, number, now), now)
        for each in news:
            if each.over:
                continue
            # The look after an incident may still be about it.
            near = [(i, x) for i, x in enumerate(incidents) if x.first <= number <= x.last + 3]
            hit = next((i for i, x in near if KINDS[x.kind] == each.id), None)
            if hit is not None:
                if hit not in found:
                    found.add(hit)
                    first = START + incidents[hit].first * SLICE
                    result.delays.append((incidents[hit].kind, (now - first) / 60))
            elif not any(each.id in ALSO.get(x.kind, ()) for _, x in near):
                when = datetime.fromtimestamp(start, UTC)
                result.false_alarms.append(f"seed {seed}, {when:%a %Y-%m-%d %H:%M}: {each.text}")
    return result


def _incidents(chance: random.Random, weeks: int) -> list[Incident]:
    """One about every day of the weeks after learning, by day, an hour or so each."""
    found, kinds = [], list(KINDS)
    chance.shuffle(kinds)
    for number, day in enumerate(range(LEARNING * 7, weeks * 7)):
        first = day * DAY + chance.randrange(9 * 12, 20 * 12)
        found.append(Incident(kinds[number % len(kinds)], first, first + chance.randrange(8, 24)))
    return found


def _shape(number: int, night: float) -> float:
    hour, weekday = number % DAY / 12, number // DAY % 7
    sun = (1 - math.cos((hour - 3) / 24 * 2 * math.pi)) / 2
    return (night + (1 - night) * sun) * (0.6 if weekday >= 5 else 1)


def _slice(chance: random.Random, start: int, mean: float, kinds: set[str]) -> Slice:
    mean *= chance.lognormvariate(0, 0.15)  # people come in groups
    mean *= 5 if "surge" in kinds else 0.15 if "drop" in kinds else 0 if "silence" in kinds else 1
    requests = max(0, round(chance.gauss(mean, math.sqrt(mean))))
    rate = 0.4 if "errors" in kinds else 0.12 if "errors-few" in kinds else 0.002
    errors = sum(chance.random() < rate for _ in range(requests))
    guesses = chance.randrange(40, 400) if "logins" in kinds else chance.randrange(3)
    one = Slice(start=start, requests=requests + guesses, errors=errors, refused_logins=guesses)
    typical = 0.08 * chance.lognormvariate(0, 0.2) * (20 if "slow" in kinds else 1)
    for _ in range(min(requests + guesses, 300)):
        seconds = typical * chance.lognormvariate(0, 0.7)
        number = max(0, math.ceil(math.log(max(seconds, 0.001) / 0.001, 1.25)))
        one.slow[number] = one.slow.get(number, 0) + 1
    if requests + guesses > 300:
        factor = (requests + guesses) / 300
        one.slow = {number: round(n * factor) for number, n in one.slow.items()}
    return one


def _host(active: list[Incident], number: int, now: float) -> list[Reading]:
    age = {one.kind: number - one.first for one in active}
    last = now - 3600 * (31 if "backup" in age else 12)
    when = datetime.fromtimestamp(last, UTC)
    target = TargetStatus(
        first_success=when - timedelta(days=1), last_success=when, last_verified=when
    )
    readings = list(backups(BackupStatus(targets={"main": target}), WatchSettings(), now))
    free = 40 - 8 * age["disk"] if "disk" in age else 40  # it fills in twenty minutes
    readings.append(Reading("disk:/", free < 10, f"/ has {free} % free", Grade.CRITICAL))
    days = timedelta(days=9.5 if "certificate" in age else 45)
    moment = datetime.fromtimestamp(now, UTC)
    ends = moment + days
    shown = Certificate("host", "", "TLSv1.3", (), ends - timedelta(days=90), ends)
    readings.append(certificate_reading([shown], WatchSettings(), moment))
    return readings
