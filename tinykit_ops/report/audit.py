"""The audit log for people."""

from __future__ import annotations

from collections.abc import Sequence

from tinykit_ops.host.audit import Entry
from tinykit_ops.report.tables import table_text

_COLUMNS = ("began (UTC)", "who", "from", "what", "result", "changed")


def audit_text(entries: Sequence[Entry], damaged: int = 0) -> str:
    """A table, the oldest first."""
    if not entries:
        text = "nothing was changed on this host yet, as far as this log goes\n"
    else:
        text = table_text(_COLUMNS, map(_row, entries))
    if damaged:
        text += f"note: {damaged} damaged lines are left out\n"
    return text


def _row(entry: Entry) -> tuple[str, ...]:
    result = f"{entry.result}: {entry.why}" if entry.why else entry.result
    when = entry.time.replace("T", " ").removesuffix("Z")
    changed = "" if entry.changed is None else str(entry.changed)
    return when, entry.who, entry.address, entry.what, result, changed
