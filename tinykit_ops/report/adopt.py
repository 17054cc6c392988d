"""An install made by hand, as text and as JSON."""

from __future__ import annotations

import json

from tinykit_ops.adopt.model import Install
from tinykit_ops.checks.model import clean


def install_json(host: str, install: Install) -> str:
    """One JSON object."""
    told = {"host": host, **install.model_dump(mode="json")}
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def install_text(host: str, install: Install) -> str:
    """What was seen, then what was guessed, what would end, and what is in the way."""
    rows = [(name, value) for name, value in _rows(install) if value]
    lists = {
        "guessed": install.notes,
        "would end": install.losses,
        "to be answered": install.questions,
        "in the way": install.blockers,
    }
    lines = [f"{host}: {install.layout if install.layout != 'none' else 'no install found'}"]
    lines += [f"  {name:<12} {clean(value)}" for name, value in rows]
    for title, found in lists.items():
        lines += [f"{title}:", *(f"  - {clean(one)}" for one in found)] if found else []
    return "\n".join(lines) + "\n"


def _rows(install: Install) -> list[tuple[str, str]]:
    size = f", {install.data_kb / 1024:.1f} MiB" if install.data_kb else ""
    llm = ", ".join(f"{key} {value}" for key, value in install.llm.items())
    return [
        ("system", install.system),
        *(("runs", f"{'+'.join(one.roles)}: {one.kind} {one.name}") for one in install.pieces),
        ("tinykit", install.app and f"{install.app}, commit {install.commit or 'unknown'}"),
        ("node", install.node),
        ("reached at", install.url),
        ("pocketbase", install.pocketbase and f"{install.pocketbase} at {install.pocketbase_url}"),
        ("data", install.data and f"{install.data}{size}"),
        ("superuser", _superuser(install)),
        ("domains", ", ".join(install.domains)),
        ("proxy", install.proxy or ("none" if install.layout != "none" else "")),
        ("environment", ", ".join(install.environment)),
        ("model", llm),
        *(("cron", line) for line in install.cron),
    ]


def _superuser(install: Install) -> str:
    if install.marker and "admin_password" in install.marker_keys:
        return f"{install.email}; its password lies in {install.marker}, in plain text"
    return install.email
