"""A host whose clock is days off: told where a service minds, harmless where nobody does.

Only the process of the backup sees the wrong time: Python's clocks are moved before it begins.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

from backup_kit import Instance, S3Server, snapshots
from campaign_bench import tell
from fault_cases import Case, must_work
from faulty_proxy import Fault, FaultyProxy

MOVED = """\
import datetime, os, time
_ahead = float(os.environ["TESTS_CLOCK_AHEAD"])
_time, _time_ns, _real = time.time, time.time_ns, datetime.datetime

class _Moved(type(_real)):
    def __instancecheck__(cls, other):
        return isinstance(other, _real)

class datetime_moved(_real, metaclass=_Moved):
    @classmethod
    def now(cls, tz=None):
        return _real.fromtimestamp(_time() + _ahead, tz)
    @classmethod
    def utcnow(cls):
        return _real.fromtimestamp(_time() + _ahead, datetime.UTC).replace(tzinfo=None)
    @classmethod
    def today(cls):
        return cls.now()

time.time = lambda: _time() + _ahead
time.time_ns = lambda: _time_ns() + int(_ahead * 1e9)
datetime.datetime = datetime_moved
"""
SECONDS = 300
DAY = 86400


class ClockFaults:
    """Makes cases of a wrong clock around one instance."""

    def __init__(
        self, instance: Instance, s3: S3Server, proxy: FaultyProxy, rng: random.Random
    ) -> None:
        self.instance, self.s3, self.proxy, self.rng = instance, s3, proxy, rng
        self.site = instance.root / "moved-clock"
        self.site.mkdir()
        (self.site / "sitecustomize.py").write_text(MOVED)
        self.made = 0

    def makers(self) -> list[Callable[[], Case]]:
        return [
            lambda: self.directory(ahead=True),
            lambda: self.directory(ahead=False),
            lambda: self.strict_service(ahead=True),
            lambda: self.strict_service(ahead=False),
        ]

    def _days(self, ahead: bool) -> float:
        return self.rng.uniform(1.5, 2.5) * (1 if ahead else -1)

    def _run(self, days: float, *words: str) -> tuple[int, str]:
        """A command in a process whose clock is so many days ahead."""
        env = {**os.environ, "PYTHONPATH": f"{self.site}:{os.environ.get('PYTHONPATH', '')}"}
        ran = self.instance.spawn(*words, env={**env, "TESTS_CLOCK_AHEAD": str(days * DAY)})
        said, _ = ran.communicate(timeout=SECONDS)
        return ran.returncode, said

    def _target(self) -> tuple[str, Path]:
        """A new one, so that nothing of another case is in it."""
        self.made += 1
        self.instance.targets.clear()
        self.instance.retention = {"keep_last": 1, "daily": 0, "weekly": 0, "monthly": 0}
        name = f"clock{self.made}"
        return name, self.instance.add_directory(name)

    def directory(self, *, ahead: bool) -> Case:
        """Right, wrong, and right again, with the tightest retention: what was just made stays,
        and a clock that is ahead is told."""
        days = self._days(ahead)

        def try_it() -> list[str]:
            name, folder = self._target()
            wrong = must_work(tell(self.instance, "run"))
            for shift in (days, 0.0):
                before = set(snapshots(folder))
                code, said = self._run(shift, "run")
                new = set(snapshots(folder)) - before
                wrong += must_work((code, said))
                if len(new) != 1:
                    wrong.append(f"{shift:+.1f} days: said {said!r}, there is {new}")
                for one in new:
                    words = ("verify", one, "--target", name, "--no-boot")
                    wrong += must_work(tell(self.instance, *words))
                if shift > 0 and "the future" not in tell(self.instance, "status")[1]:
                    wrong.append("status does not tell of a snapshot from the future")
            return wrong

        return Case("wrong clocks", f"{days:+.1f} days, directory", try_it)

    def strict_service(self, *, ahead: bool) -> Case:
        """A service that refuses requests of another time, as real ones do."""
        days = self._days(ahead)

        def try_it() -> list[str]:
            self.instance.targets.clear()
            self.made += 1
            bucket = self.instance.add_s3(self.s3, f"far{self.made}")
            self.instance.targets[0]["endpoint"] = self.proxy.endpoint
            self.instance.write_config()
            self.proxy.faults = [Fault("status", status=403, code="RequestTimeTooSkewed")]
            try:
                code, said = self._run(days, "run")
            finally:
                self.proxy.faults = []
            hours = f"{abs(days) * 24:.1f} hours {'ahead of' if ahead else 'behind'} the service"
            wrong = [] if code == 1 and not snapshots(bucket) else [f"{code}: {snapshots(bucket)}"]
            wrong += [] if hours in said and "timedatectl" in said else [f"not {hours!r}: {said!r}"]
            wrong += must_work(self._run(0.0, "run"))
            return wrong + ([] if len(snapshots(bucket)) == 1 else ["no snapshot afterwards"])

        return Case("wrong clocks", f"{days:+.1f} days, S3", try_it)
