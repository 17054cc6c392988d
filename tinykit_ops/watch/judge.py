"""Whether five minutes of traffic were unusual."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from tinykit_ops.watch.baseline import Baseline, Usual
from tinykit_ops.watch.problems import Grade, Reading
from tinykit_ops.watch.traffic import Slice

_FEW = 20  #: requests in a slice; rates and percentiles of fewer say nothing
_ERRORS = 10  #: failed answers in a slice that are worth waking somebody for
_ERROR_RATE = 0.05
_SURGE, _DROP = 3.0, 0.3  #: times what is usual
_SPREADS = 6.0
_SLOW, _SLOW_SECONDS = 2.5, 0.5
_ALONE_SLOW = 10.0  #: seconds of a p95 that is bad whatever is usual


class Learnt(BaseModel):
    """What is usual of an instance."""

    requests: Baseline = Baseline()
    error_rate: Baseline = Baseline()
    p95: Baseline = Baseline()

    def learn(self, one: Slice) -> None:
        """Take in a slice; a percentile of few requests is none."""
        self.requests.learn(one.start, one.requests)
        if one.requests >= _FEW:
            self.error_rate.learn(one.start, one.errors / one.requests)
            self.p95.learn(one.start, one.p95)


def judge(one: Slice, learnt: Learnt, login_failures: int) -> Iterator[Reading]:
    """The readings of a slice, by what was learnt before it."""
    yield _errors(one, learnt.error_rate.usual(one.start))
    usual = learnt.requests.usual(one.start)
    yield _surge(one, usual)
    yield _drop(one, usual)
    yield _slow(one, learnt.p95.usual(one.start))
    guessed = one.refused_logins
    text = f"{guessed} refused logins in five minutes (at most {login_failures})"
    yield Reading("logins", guessed > login_failures, text, Grade.CRITICAL, raise_after=1)


def _errors(one: Slice, usual: Usual | None) -> Reading:
    rate = one.errors / one.requests if one.requests else 0.0
    most = max(_ERROR_RATE, 3 * usual.level + _SPREADS * usual.spread if usual else 0.0)
    # A server that always fails must not have become usual.
    bad = one.errors >= _ERRORS and rate > min(most, 0.5)
    text = f"{one.errors} of {one.requests} answers failed ({rate:.0%}; at most {most:.0%})"
    return Reading("errors", bad, text, Grade.CRITICAL)


def _surge(one: Slice, usual: Usual | None) -> Reading:
    if usual is None:
        return Reading("traffic-surge", None, "not learnt yet")
    most = max(_SURGE * usual.level, usual.level + _SPREADS * usual.spread, 5.0 * _FEW)
    text = f"{one.requests} requests in five minutes; usual at this hour is {usual.level:.0f}"
    return Reading("traffic-surge", one.requests > most, text)


def _drop(one: Slice, usual: Usual | None) -> Reading:
    # Chance alone makes a few requests none.
    if usual is None or usual.level < _FEW:
        return Reading("traffic-drop", None, "too few requests at this hour to say")
    least = min(_DROP * usual.level, usual.level - 2 * usual.spread)
    text = f"{one.requests} requests in five minutes; usual at this hour is {usual.level:.0f}"
    return Reading("traffic-drop", one.requests < least, text, Grade.CRITICAL, raise_after=3)


def _slow(one: Slice, usual: Usual | None) -> Reading:
    if one.requests < _FEW:
        return Reading("slow", None, "too few requests to say")
    most = _ALONE_SLOW
    if usual is not None:
        learnt = max(_SLOW * usual.level, usual.level + _SPREADS * usual.spread, _SLOW_SECONDS)
        most = min(learnt, max(_ALONE_SLOW, 2 * usual.level))
    text = f"one of twenty answers took {one.p95:.1f} s or longer (at most {most:.1f} s)"
    return Reading("slow", one.p95 > most, text)
