"""Plain tables for a terminal or a pipe."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinykit_ops.checks.model import clean


def table_text(columns: Sequence[str], rows: Iterable[Sequence[str]], width: int = 140) -> str:
    """A table without colours; control characters of what came from elsewhere are taken out."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=name.endswith("(UTC)"))
    for row in rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    page = io.StringIO()
    Console(file=page, width=width, color_system=None, legacy_windows=False).print(table)
    return "\n".join(line.rstrip() for line in page.getvalue().split("\n"))
