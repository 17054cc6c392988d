"""What a host keeps, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tinykit_ops.report.tables import table_text
from tinykit_ops.rotate.kept import Kept


def secrets_json(found: Sequence[Kept]) -> str:
    """One document."""
    document = {"format": 1, "secrets": [one.to_json() for one in found]}
    return json.dumps(document, indent=2) + "\n"


def secrets_text(found: Sequence[Kept]) -> str:
    """A table."""
    rows = [
        (one.name, "the inventory" if one.given else "this host", one.since.replace("T", " ")[:16])
        for one in found
    ]
    return table_text(("name", "made by", "since (UTC)"), rows)
