"""What `tinykit-ops settings validate` prints, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tinykit_ops.settings.inventory import HostSettings
from tinykit_ops.settings.problems import Problem


def as_text(hosts: Sequence[HostSettings]) -> str:
    """One line a host, and one for each thing worth a second look."""
    lines = []
    for host in hosts:
        lines.append(f"{host.host}: settings are right ({', '.join(host.settings.domains)})")
        lines += [f"  warning: {advice}" for advice in host.advice]
    return "\n".join(lines)


def as_json(hosts: Sequence[HostSettings], problems: Sequence[Problem] = ()) -> str:
    """The same for programs: `ok`, `hosts` with their `warnings`, `problems`."""
    answer: dict[str, Any] = {
        "ok": not problems,
        "hosts": [
            {
                "host": host.host,
                "domains": host.settings.domains,
                "warnings": [vars(advice) for advice in host.advice],
            }
            for host in hosts
        ],
        "problems": [
            {"host": p.where, "key": p.key, "reason": p.reason, "hint": p.hint} for p in problems
        ],
    }
    return json.dumps(answer, indent=2, ensure_ascii=False)
