"""The history of checks for people, and as JSON (`schema/check-history.schema.json`)."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from tinykit_ops.checks.history import History, Night
from tinykit_ops.checks.model import Outcome, clean

SCHEMA = Path(__file__).parent / "schema" / "check-history.schema.json"
FORMAT = 1
_COLUMNS = {
    "passed": Outcome.PASS,
    "failed": Outcome.FAIL,
    "unknown": Outcome.UNKNOWN,
    "waived": Outcome.WAIVED,
}
_SHOWN = 3  #: ids in a cell


def history_json(history: History) -> str:
    """One document, the oldest look first."""
    nights = [json.loads(night.to_json()) for night in history.nights]
    document = {"format": FORMAT, "damaged_lines": history.damaged, "nights": nights}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def history_text(history: History, width: int = 120) -> str:
    """A table, the oldest look first, and the trend in a line for each instance."""
    page = io.StringIO()
    console = Console(file=page, width=width, color_system=None, legacy_windows=False)
    targets = list(dict.fromkeys(night.target for night in history.nights))
    for target in targets:
        nights = [night for night in history.nights if night.target == target]
        console.print(clean(target), markup=False, highlight=False)
        console.print(_table(nights))
        console.print(_trend(nights), markup=False, highlight=False)
    if history.damaged:
        console.print(f"note: {history.damaged} damaged lines are left out", highlight=False)
    return "\n".join(line.rstrip() for line in page.getvalue().split("\n"))


def _table(nights: Sequence[Night]) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("time (UTC)", no_wrap=True)
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    table.add_column("new")
    table.add_column("fixed")
    for night in nights:
        counts = (str(night.counts[outcome]) for outcome in _COLUMNS.values())
        when = night.time.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
        table.add_row(when, *counts, _ids(night.new), _ids(night.fixed))
    return table


def _ids(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return clean(", ".join(ids[:_SHOWN])) + more


def _trend(nights: Sequence[Night]) -> str:
    first, last = nights[0], nights[-1]
    since = first.time.astimezone(UTC).strftime("%Y-%m-%d")
    looks = f"{len(nights)} look{'s' * (len(nights) != 1)}"
    failed = [night.counts[Outcome.FAIL] for night in (first, last)]
    worst = max(night.counts[Outcome.FAIL] for night in nights)
    said = f"findings: {failed[0]} → {failed[1]} in {looks} since {since}, at most {worst}"
    if last.findings:
        named = (f"{name} ({severity})" for name, severity in sorted(last.findings.items()))
        said += f"; now: {', '.join(named)}"
    return clean(said)
