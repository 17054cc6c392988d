"""The text of an inventory: what a person would have written, and what to look at in it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_WIDTH = 96


def inventory_text(host: str, data: Mapping[str, Any], notes: Sequence[str]) -> str:
    """A pyinfra inventory of one host.

    Args:
        data: pyinfra's data of the host, with the settings as `tinykit`.
        notes: what a person should look at; they become its head.
    """
    day = datetime.now(UTC).date()
    lines = [
        textwrap.fill(note, _WIDTH, initial_indent="- ", subsequent_indent="  ") for note in notes
    ]
    head = "\n".join([f"{host}, written by `tinykit-ops adopt` on {day}.", "", "Look at:", *lines])
    safe = head.replace("\\", "\\\\").replace('"""', "'''")
    pair = f"    (\n        {json.dumps(host)},\n        {_literal(data, 8)},\n    ),\n"
    return (
        f'"""{safe}\n"""\n\n'
        "from tinykit_ops.settings import check_inventory\n\n"
        f"hosts = [\n{pair}]\n\n"
        "check_inventory(__file__)\n"
    )


def _literal(value: Any, indent: int) -> str:
    """Python's spelling, one key a line; what is short stays on one."""
    if not isinstance(value, Mapping):
        # JSON's strings are Python's, too; its true and null are not.
        return json.dumps(value) if isinstance(value, str | list) else repr(value)
    inside = [f"{json.dumps(key)}: {_literal(one, indent + 4)}" for key, one in value.items()]
    short = "{" + ", ".join(inside) + "}"
    if "\n" not in short and len(short) + indent < _WIDTH - 30 and "tinykit" not in value:
        return short
    space = " " * (indent + 4)
    return "{\n" + "".join(f"{space}{one},\n" for one in inside) + " " * indent + "}"
