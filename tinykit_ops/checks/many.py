"""Looking at many instances from outside: some at a time, each told as soon as it was seen.

Nothing is kept of an instance that was told, so a thousand take no more memory than ten.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import cache

from tinykit_ops.checks.credentials import ACCOUNT, SUPERUSER, credentials
from tinykit_ops.checks.model import Check, Outcome, Verdict, unknown
from tinykit_ops.checks.plan import Plan, Shared, examine_one
from tinykit_ops.checks.registry import select
from tinykit_ops.checks.runner import InstanceReport, Result
from tinykit_ops.checks.ssh_dial import elsewhere
from tinykit_ops.checks.target import parse_target
from tinykit_ops.errors import UnavailableError, UsageError


def look_at_each(plan: Plan, urls: Sequence[str], at_once: int) -> Iterator[InstanceReport]:
    """Look at instances from outside, and give each report when it is done: not in their order.

    An instance that does not answer, or is not tinykit, is unknown in all, and the others go on.

    Args:
        plan: for all of them; its `url` does not count.
        urls: their addresses; the same one twice counts once.
        at_once: how many are looked at side by side.

    Raises:
        UsageError: an address or another word is wrong, before anything is looked at.
    """
    addresses = tuple(dict.fromkeys(urls))
    _refuse_what_is_for_one(plan)
    for url in addresses:
        parse_target(url, resolve=tuple(plan.resolve))
    checks = select(plan.only, plan.skip)
    return _look(plan, addresses, checks, at_once)


def _look(
    plan: Plan, urls: Sequence[str], checks: Sequence[Check], at_once: int
) -> Iterator[InstanceReport]:
    places = elsewhere(plan.from_netns, plan.from_ssh, plan.timeout)
    with places as stranger, ThreadPoolExecutor(at_once) as pool:
        shared = Shared(stranger=stranger)
        running: set[Future[InstanceReport]] = set()
        try:
            for url in urls:
                if len(running) == at_once:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (each.result() for each in done)
                running.add(pool.submit(_look_at_one, replace(plan, url=url), checks, shared))
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (each.result() for each in done)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _look_at_one(plan: Plan, checks: Sequence[Check], shared: Shared) -> InstanceReport:
    try:
        return examine_one(plan, plan.url, checks, shared)
    except UnavailableError as error:
        why = f"{error.what}: {error.where}"
        return InstanceReport(plan.url, tuple(Result(each, unknown(why)) for each in checks))


def _refuse_what_is_for_one(plan: Plan) -> None:
    """Nobody's password is shown to several servers: one of them may be somebody else's."""
    if plan.inventory or plan.host:
        raise UsageError(
            "Several addresses exclude --inventory and --host",
            hint="an inventory names its instances itself: leave the addresses out",
        )
    for prefix, file, email in (
        (ACCOUNT, plan.account_file, plan.account_email),
        (SUPERUSER, plan.superuser_file, plan.superuser_email),
    ):
        if email or credentials(prefix, file):
            raise UsageError(
                "One account is not tried on several instances",
                hint=f"look at them one by one, or without {prefix}_* and its options",
            )


def without_evidence(instance: InstanceReport) -> InstanceReport:
    """What totals and exit codes need of an instance that was told already: a pointer a check."""
    results = (_bare(each.check, each.verdict.outcome, bool(each.bug)) for each in instance.results)
    fixed = (_bare(each.check, each.verdict.outcome, False) for each in instance.fixed)
    return replace(instance, results=tuple(results), fixed=tuple(fixed), remarks=())


@cache
def _bare(check: Check, outcome: Outcome, broke: bool) -> Result:
    return Result(check, Verdict(outcome, ("told already",)), bug="told already" if broke else "")
