"""The instance that is on its way to this host: until it is here, its data here is a stale copy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tinykit_ops import layout


def read(path: Path) -> dict[str, Any]:
    """What was noted of it: `from`, a host, and `arrived`; empty when nothing comes or came."""
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def on_its_way_from() -> str:
    """The host that still serves the instance that this one has a copy of; empty when none does."""
    told = read(Path(layout.ARRIVING_FILE))
    return "" if told.get("arrived") else str(told.get("from", ""))
