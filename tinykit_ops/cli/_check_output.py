"""Options of `tinykit-ops check` that say what becomes of a report, and doing so."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from tinykit_ops.checks.judging import Judging
from tinykit_ops.checks.many import without_evidence
from tinykit_ops.checks.model import Severity
from tinykit_ops.checks.runner import InstanceReport, Report
from tinykit_ops.errors import UsageError
from tinykit_ops.report import formats, json_format, jsonl, prometheus, text
from tinykit_ops.report.files import see_that_it_can_be_written, write_private
from tinykit_ops.report.words import headline

Command = TypeVar("Command", bound=Callable[..., Any])
_FILE = click.Path(dir_okay=False, path_type=Path)


def output_options(command: Command) -> Command:
    """Add the options that `Output` and `checks.judging` are made from."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = [
    click.option("--format", "form", type=click.Choice(sorted(formats())), default=text.NAME),
    click.option("--output", type=_FILE, metavar="FILE", help="Write it there, for you alone."),
    click.option("--save", type=_FILE, metavar="FILE", help="Keep all of it for --baseline."),
    click.option(
        "--baseline",
        type=_FILE,
        metavar="FILE",
        help="Tell only what is new and what is fixed since a saved report.",
    ),
    click.option(
        "--waivers", "waivers_file", type=_FILE, metavar="FILE", help="Findings that are accepted."
    ),
    click.option(
        "--fail-on",
        type=click.Choice([each.value for each in Severity]),
        default=Severity.LOW.value,
        metavar="SEVERITY",
        help="The least severity that counts for the exit code; low when left out.",
    ),
]


@dataclass(frozen=True)
class Output:
    """Where a report goes, and as what.

    Attributes:
        debug: show the tracebacks of checks that broke.
    """

    form: str = text.NAME
    file: Path | None = None
    save: Path | None = None
    debug: bool = False

    def prepare(self, *, compared: bool) -> None:
        """See that it can be done, before anything is looked at.

        Raises:
            UsageError: a difference has no such format.
            CannotWriteReportError: a file cannot be written.
        """
        if compared and self.form == prometheus.NAME:
            raise UsageError(
                "Metrics say how things stand, not what is new",
                hint="leave out --baseline, or choose another --format",
            )
        for path in (self.file, self.save):
            if path is not None:
                see_that_it_can_be_written(path)

    def deliver(self, whole: Report, shown: Report) -> None:
        """Keep the whole report, and show the part that was asked for."""
        if self.save is not None:
            write_private(self.save, json_format.render(whole))
        if self.file is not None:
            write_private(self.file, formats()[self.form](shown))
            click.echo(f"{headline(shown)} (report: {self.file})", err=True)
        elif self.form == text.NAME:
            text.show(shown, _console(), debug=self.debug)
        else:
            click.echo(formats()[self.form](shown), nl=False)

    def deliver_each(self, instances: Iterable[InstanceReport], judging: Judging) -> Report:
        """Show many instances: each when it was seen where the format allows it, else at the end.

        Returns what was shown; of what was told at once, without the evidence.
        """
        if not self._tells_at_once:
            ordered = sorted(instances, key=lambda each: each.target)
            whole = judging.with_waivers(Report(tuple(ordered)))
            shown = judging.differences(whole)
            self.deliver(whole, shown)
            return shown
        told, console = judging.differences(judging.with_waivers(Report(()))), _console()
        seen: list[InstanceReport] = []
        for instance in instances:
            one = judging.differences(judging.with_waivers(Report((instance,))))
            self._tell(one, console)
            seen += map(without_evidence, one.instances)
        told = replace(told, instances=tuple(seen))
        if self.form == text.NAME:
            text.show_summary(told, console)
        return told

    @property
    def _tells_at_once(self) -> bool:
        """May an instance be shown and forgotten, before the next one was seen?"""
        return self.file is None and self.save is None and self.form in (text.NAME, jsonl.NAME)

    def _tell(self, one: Report, console: Console) -> None:
        if self.form == jsonl.NAME:
            click.echo(jsonl.render(one), nl=False)
            return
        for instance in one.instances:
            text.show_instance(instance, console, debug=self.debug)


def _console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else text.PIPE_WIDTH)
