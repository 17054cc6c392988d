"""Routing between labs and the rest: switched on for the first lab, put back by the last.

The setting is the whole machine's, so the notes about it are too: what the kernel had before,
and which folders have labs. They live in /run, for the setting does not survive a boot either.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tinykit_ops.lab.locks import locked
from tinykit_ops.lab.state import write_private

NOTES_FOLDER = Path("/run/tinykit-ops-lab")
NOTES = "forwarding.json"
SYSCTL = Path("/proc/sys/net")
WANTED = {"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1"}
LOCK_SECONDS = 120.0


@dataclass
class _Notes:
    before: dict[str, str] = field(default_factory=dict)  #: key → what the kernel had
    users: list[str] = field(default_factory=list)  #: folders with labs


def switch_on(root: Path, sysctl: Path = SYSCTL, folder: Path = NOTES_FOLDER) -> None:
    """Let this machine forward both families, for the labs of `root`."""
    with locked(folder, wait_seconds=LOCK_SECONDS):
        notes = _read_notes(folder)
        wanted = {**_router_advertisements(sysctl), **WANTED}
        changes = {key: value for key, value in wanted.items() if _read(sysctl, key) != value}
        for key in changes:
            notes.before.setdefault(key, _read(sysctl, key))
        notes.users = sorted({*notes.users, str(root)})
        _write_notes(folder, notes)
        for key, value in changes.items():
            (sysctl / key).write_text(value)


def put_back(root: Path, sysctl: Path = SYSCTL, folder: Path = NOTES_FOLDER) -> None:
    """The labs of `root` are gone: set everything as it was, unless other folders have labs."""
    if not (folder / NOTES).exists():
        return
    with locked(folder, wait_seconds=LOCK_SECONDS):
        notes = _read_notes(folder)
        notes.users = [u for u in notes.users if u != str(root) and Path(u).is_dir()]
        if notes.users:
            _write_notes(folder, notes)
            return
        _restore(notes, sysctl)
        shutil.rmtree(folder)


def _restore(notes: _Notes, sysctl: Path) -> None:
    # Reverse order: forwarding first, then what made up for it.
    for key, value in reversed(notes.before.items()):
        if (sysctl / key).exists():  # an uplink may have gone
            (sysctl / key).write_text(value)


def _router_advertisements(sysctl: Path) -> dict[str, str]:
    """A router ignores router advertisements: without this, an uplink that lives by them dies."""
    if _read(sysctl, "ipv6/conf/all/forwarding") == "1":
        return {}
    keys = [f"ipv6/conf/{path.parent.name}/accept_ra" for path in _accept_ra_files(sysctl)]
    return {key: "2" for key in keys if _read(sysctl, key) == "1"}


def _accept_ra_files(sysctl: Path) -> Sequence[Path]:
    """Of every interface but the loopback and the templates for new ones."""
    found = sorted((sysctl / "ipv6/conf").glob("*/accept_ra"))
    return [path for path in found if path.parent.name not in ("all", "default", "lo")]


def _read(sysctl: Path, key: str) -> str:
    return (sysctl / key).read_text().strip()


def _read_notes(folder: Path) -> _Notes:
    try:
        return _Notes(**json.loads((folder / NOTES).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return _Notes()


def _write_notes(folder: Path, notes: _Notes) -> None:
    write_private(folder / NOTES, json.dumps(asdict(notes), indent=2) + "\n")
