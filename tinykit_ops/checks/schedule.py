"""The nightly look: what it keeps, and whom it tells what is new."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.files import write_atomically
from tinykit_ops.backup.notify import CHECK, Notifier
from tinykit_ops.backup.outcome import Outcome as Told
from tinykit_ops.checks.baseline import read_baseline
from tinykit_ops.checks.history import append_history, nights_of, read_history
from tinykit_ops.checks.judging import Judging
from tinykit_ops.checks.keeping import CheckPlaces
from tinykit_ops.checks.model import Outcome, Severity
from tinykit_ops.checks.runner import Report, Result
from tinykit_ops.checks.waivers_file import read_waivers
from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.report import json_format, prometheus
from tinykit_ops.report.files import write_private
from tinykit_ops.report.words import headline


class NewFindingError(TinykitOpsError):
    """Something is wrong that was not, or nobody has been told of it yet."""


def look_as_scheduled(
    config: AgentConfig,
    look: Callable[[], Report],
    places: CheckPlaces,
    log: Callable[[str], None],
    sendmail: Path | None = None,
) -> Report:
    """Look, keep the result as history and metrics, and tell what is new.

    Args:
        look: makes the report.
        log: is told lines for the journal.

    Raises:
        whatever stopped it; the hooks have been told.
    """
    notifier = Notifier(config, str(uuid.uuid4()), job=CHECK)
    notifier.sendmail = sendmail or notifier.sendmail
    notifier.started()
    try:
        report = _judged(look(), config, places)
        places.state.mkdir(parents=True, mode=0o700, exist_ok=True)
        changed = _compared(report, places, log)
        _keep(report, changed, places, _tell(notifier, report, changed, config, places))
    except Exception as error:
        notifier.finished([], error)
        raise
    finally:
        for failure in notifier.failures:
            log(f"warning: {failure}")
    log(headline(report))
    return report


def _judged(report: Report, config: AgentConfig, places: CheckPlaces) -> Report:
    waivers = read_waivers(places.waivers) if places.waivers.exists() else None
    judging = Judging(waivers, aliases=tuple(config.settings.domains))
    return judging.with_waivers(report)


def _compared(report: Report, places: CheckPlaces, log: Callable[[str], None]) -> Report:
    """What is new and fixed since the look before; at the first one, everything wrong is new."""
    before = Report(())
    if places.last.exists():
        try:
            before = read_baseline(places.last)
        except TinykitOpsError as error:
            log(f"warning: {error.what} ({places.last}): everything wrong counts as new")
    changed = Judging(baseline=before, baseline_name="the look before").differences(report)
    for sign, results in (("NEW", _new(changed)), ("fixed", _fixed(changed))):
        for result in results:
            log(f"{sign}: {result.check.id} ({result.check.severity}): {result.check.title}")
    return changed


def _tell(
    notifier: Notifier, report: Report, changed: Report, config: AgentConfig, places: CheckPlaces
) -> list[str]:
    """Tell the hooks. Returns the ids that a hook failed to tell."""
    nights = read_history(places.history).nights
    untold = set(nights[-1].untold) if nights else set()
    new = {result.check.id for result in _new(changed)}
    least = Severity(config.settings.checks.alert_on)
    alarming = [
        result
        for result in _wrong(report)
        if result.check.id in new | untold and result.check.severity.reaches(least)
    ]
    before = len(notifier.failures)
    fixed = [Told(result.check.id, said="fixed") for result in _fixed(changed)]
    told = [*(_alarm(result) for result in alarming), *fixed]
    notifier.finished([*told, Told("all checks", said=headline(report))])
    return [result.check.id for result in alarming] if len(notifier.failures) > before else []


def _alarm(result: Result) -> Told:
    word = "new finding" if result.verdict.outcome == Outcome.FAIL else "cannot be seen any more"
    text = f"{word} ({result.check.severity}); wanted: {result.check.title}"
    return Told(result.check.id, error=NewFindingError(text))


def _keep(report: Report, changed: Report, places: CheckPlaces, untold: Sequence[str]) -> None:
    append_history(places.history, nights_of(report, changed, untold))
    write_private(places.last, json_format.render(report))
    if places.metrics.is_dir():
        write_atomically(places.metrics_file, prometheus.render(report).encode())


def _new(changed: Report) -> list[Result]:
    return [result for instance in changed.instances for result in instance.results]


def _fixed(changed: Report) -> list[Result]:
    return [result for instance in changed.instances for result in instance.fixed]


def _wrong(report: Report) -> list[Result]:
    wrong = (Outcome.FAIL, Outcome.UNKNOWN)
    results = (result for instance in report.instances for result in instance.results)
    return [result for result in results if result.verdict.outcome in wrong]
