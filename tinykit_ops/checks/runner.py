"""Running checks: each one gets a verdict, whatever happens in it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tinykit_ops import __version__
from tinykit_ops.checks.context import NO_ACCOUNT, NO_HOST, NO_SUPERUSER, NO_WEB, Context
from tinykit_ops.checks.model import (
    Area,
    CannotLook,
    Check,
    Need,
    Outcome,
    Severity,
    Vantage,
    Verdict,
    Waiver,
    clean,
    unknown,
)
from tinykit_ops.errors import Exit, TinykitOpsError

WORKERS = 4  #: checks at a time on one instance
#: Vantages that the agent on a host has: it knows the accounts that the deploy made.
ON_HOST = frozenset({Vantage.HOST, Vantage.ACCOUNT, Vantage.SUPERUSER})


@dataclass(frozen=True)
class Result:
    """One check and its verdict.

    Attributes:
        seconds: how long it took.
        bug: the traceback, when the check itself broke.
        waiver: why it is accepted; exactly when the outcome is WAIVED.
    """

    check: Check
    verdict: Verdict
    seconds: float = 0.0
    bug: str = ""
    waiver: Waiver | None = None


@dataclass(frozen=True)
class InstanceReport:
    """All that was seen of one instance.

    Attributes:
        target: its address or the host's name.
        started: when looking began.
        seconds: how long it took.
        requests: how many were sent.
        remarks: what a reader must know besides.
        version: of the tinykit-ops that looked.
        fixed: what was a finding in the baseline and passes now; empty without a baseline.
    """

    target: str
    results: tuple[Result, ...]
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0
    requests: int = 0
    remarks: tuple[str, ...] = ()
    version: str = __version__
    fixed: tuple[Result, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", clean(self.target))
        object.__setattr__(self, "version", clean(self.version))
        object.__setattr__(self, "remarks", tuple(map(clean, self.remarks)))

    def having(self, outcome: Outcome) -> list[Result]:
        """The results of one outcome."""
        return [result for result in self.results if result.verdict.outcome == outcome]

    def with_host(self, host: InstanceReport) -> InstanceReport:
        """This report with the host's results in the place of its own unknown ones."""
        seen = {result.check.id: result for result in host.results}
        mine = {result.check.id for result in self.results}
        merged = [_better(result, seen.get(result.check.id)) for result in self.results]
        merged += [result for result in host.results if result.check.id not in mine]
        remarks = (*self.remarks, *(f"On the host: {remark}" for remark in host.remarks))
        requests = self.requests + host.requests
        return replace(self, results=tuple(merged), remarks=remarks, requests=requests)


def _better(own: Result, host: Result | None) -> Result:
    """Which of two results counts; where both saw something, the finding."""
    if host is None or own.check.looks_from not in ON_HOST:
        return own
    if Outcome.UNKNOWN in (own.verdict.outcome, host.verdict.outcome):
        return own if host.verdict.outcome == Outcome.UNKNOWN != own.verdict.outcome else host
    return own if own.verdict.outcome == Outcome.FAIL else host


@dataclass(frozen=True)
class Report:
    """All instances that one run looked at.

    Attributes:
        fail_on: the least severity that counts for the exit code.
        baseline: what it was compared with, empty when it was not; the results are then those
            that are new only.
    """

    instances: tuple[InstanceReport, ...]
    fail_on: Severity = Severity.LOW
    baseline: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "baseline", clean(self.baseline))

    def count(self, outcome: Outcome) -> int:
        """How many results have an outcome."""
        return sum(len(instance.having(outcome)) for instance in self.instances)

    @property
    def exit_code(self) -> Exit:
        """1 for findings, 70 when a check broke, 2 when something was not seen, else 0."""
        results = [result for instance in self.instances for result in instance.results]
        counting = {
            result.verdict.outcome
            for result in results
            if result.check.severity.reaches(self.fail_on)
        }
        if Outcome.FAIL in counting:
            return Exit.FINDINGS
        if any(result.bug for result in results):
            return Exit.SOFTWARE
        return Exit.COULD_NOT_SEE if Outcome.UNKNOWN in counting else Exit.OK


def run(
    checks: Sequence[Check], look: Context, target: str, remarks: Iterable[str] = ()
) -> InstanceReport:
    """Run checks on one instance.

    Args:
        checks: in the order of the report.
        look: the ways to look.
        target: how the report calls the instance.
        remarks: for the report.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    with ThreadPoolExecutor(WORKERS) as pool:
        running = {at: pool.submit(run_one, checks[at], look) for at in _longest_first(checks)}
        results = tuple(running[at].result() for at in range(len(checks)))
    return InstanceReport(
        target,
        results,
        started,
        round(time.monotonic() - clock, 3),
        look.requests,
        tuple(remarks),
    )


def _longest_first(checks: Sequence[Check]) -> list[int]:
    """Where they stand: those first that wait for ports which never answer, so that all others
    are done meanwhile."""
    return sorted(range(len(checks)), key=lambda at: checks[at].area != Area.NETWORK)


def run_one(check: Check, look: Context) -> Result:
    """Run one check. Never raises: what a check cannot see is unknown, and so is a broken check."""
    clock = time.monotonic()
    bug = ""
    try:
        barrier = _barrier(check, look)
        verdict = unknown(barrier) if barrier else check.look(look)
    except CannotLook as reason:
        verdict = unknown(str(reason) or "it could not look")
    except TinykitOpsError as error:
        verdict = unknown(f"{error.what} ({error.where})" if error.where else error.what)
    except Exception as error:  # a bug in one check must not hide what the others see
        bug = traceback.format_exc()
        verdict = unknown(f"this check broke ({type(error).__name__}): a bug in tinykit-ops")
    return Result(check, verdict, round(time.monotonic() - clock, 3), bug)


def _barrier(check: Check, look: Context) -> str:
    """Why a check cannot look, empty when it can."""
    if check.looks_from == Vantage.HOST and look.host is None:
        return look.no_host or NO_HOST
    if check.looks_from in {Vantage.OUTSIDE, Vantage.OUTSIDER} and look.client is None:
        return look.no_web or NO_WEB
    if check.looks_from == Vantage.ACCOUNT and look.account is None:
        return look.no_login or NO_ACCOUNT
    if check.looks_from == Vantage.SUPERUSER and look.superuser is None:
        return look.no_login or NO_SUPERUSER
    if Need.SETTINGS in check.needs and look.settings is None:
        return "needs the settings of the instance: an inventory, or the host's configuration"
    return ""
