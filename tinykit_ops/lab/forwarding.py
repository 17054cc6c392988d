"""Routing between the lab and the rest: switched on for the first lab, put back by the last.

What the kernel had before is written down before it is changed.
"""

from __future__ import annotations

import json
from pathlib import Path

from tinykit_ops.lab.state import write_private

NOTES = "forwarding.json"
SYSCTL = Path("/proc/sys/net")
WANTED = {"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1"}


def switch_on(root: Path, sysctl: Path = SYSCTL) -> None:
    """Let this machine forward both families; remember in `root` what was set before."""
    wanted = {**_router_advertisements(sysctl), **WANTED}
    changes = {key: value for key, value in wanted.items() if _read(sysctl, key) != value}
    if not changes:
        return
    before = _notes(root)
    for key in changes:
        before.setdefault(key, _read(sysctl, key))
    write_private(root / NOTES, json.dumps(before, indent=2) + "\n")
    for key, value in changes.items():
        (sysctl / key).write_text(value)


def put_back(root: Path, sysctl: Path = SYSCTL) -> None:
    """Set everything as it was before the first lab, and forget it."""
    # Reverse order: forwarding first, then what made up for it.
    for key, value in reversed(_notes(root).items()):
        if (sysctl / key).exists():
            (sysctl / key).write_text(value)
    (root / NOTES).unlink(missing_ok=True)


def _router_advertisements(sysctl: Path) -> dict[str, str]:
    """A router ignores router advertisements: without this, an uplink that lives by them dies."""
    if _read(sysctl, "ipv6/conf/all/forwarding") == "1":
        return {}
    keys = (f"ipv6/conf/{path.parent.name}/accept_ra" for path in _accept_ra_files(sysctl))
    return {key: "2" for key in keys if _read(sysctl, key) == "1"}


def _accept_ra_files(sysctl: Path) -> list[Path]:
    not_links = {"all", "default", "lo"}
    found = sorted((sysctl / "ipv6/conf").glob("*/accept_ra"))
    return [path for path in found if path.parent.name not in not_links]


def _read(sysctl: Path, key: str) -> str:
    return (sysctl / key).read_text().strip()


def _notes(root: Path) -> dict[str, str]:
    try:
        notes: dict[str, str] = json.loads((root / NOTES).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return notes
