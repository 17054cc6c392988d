"""What counts: waivers, a baseline, and the least severity, applied to what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from tinykit_ops.checks.baseline import compare, read_baseline
from tinykit_ops.checks.model import Severity
from tinykit_ops.checks.own_config import own_config
from tinykit_ops.checks.runner import Report
from tinykit_ops.checks.waivers import Entry, apply_waivers
from tinykit_ops.checks.waivers_file import read_waivers
from tinykit_ops.errors import TinykitOpsError


@dataclass(frozen=True)
class Judging:
    """What to weigh a report with; made before anything is looked at, so that a wrong file costs
    no run.

    Attributes:
        waivers: None when there is no file of them.
        baseline: None when nothing is compared.
        baseline_name: what reports call it.
        aliases: other names of the instance, for the scopes of waivers.
    """

    waivers: Sequence[Entry] | None = None
    baseline: Report | None = None
    baseline_name: str = ""
    fail_on: Severity = Severity.LOW
    aliases: tuple[str, ...] = ()

    def with_waivers(self, report: Report) -> Report:
        """The whole report, with what is accepted marked."""
        report = replace(report, fail_on=self.fail_on)
        if self.waivers is None:
            return report
        return apply_waivers(report, self.waivers, date.today(), self.aliases)

    def differences(self, report: Report) -> Report:
        """What is new and fixed since the baseline; all of it without one."""
        return compare(report, self.baseline, self.baseline_name) if self.baseline else report


def read_judging(
    waivers: Path | None, baseline: Path | None, fail_on: Severity, *, on_host: bool
) -> Judging:
    """Read the files that the command line names.

    Args:
        on_host: it looks on this machine, whose configuration knows the instance's domains.

    Raises:
        UsageError, AccessError: a file is wrong or cannot be read.
    """
    return Judging(
        None if waivers is None else read_waivers(waivers),
        None if baseline is None else read_baseline(baseline),
        "" if baseline is None else baseline.name,
        fail_on,
        _domains_of_this_host() if on_host and waivers else (),
    )


def _domains_of_this_host() -> tuple[str, ...]:
    try:
        return tuple(own_config().settings.domains)
    except TinykitOpsError:  # the report says so itself
        return ()
