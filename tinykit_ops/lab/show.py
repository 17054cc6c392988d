"""What the lab commands print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.lab import removal
from tinykit_ops.lab.inventory import describe_host
from tinykit_ops.lab.lab import Lab
from tinykit_ops.lab.names import LabNames


def all_labs(root: Path) -> list[dict[str, Any]]:
    """Every lab of a folder with its hosts; a broken one with what is wrong with it."""
    folders = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    return [_lab(root, folder.name) for folder in folders]


def one_lab(lab: Lab) -> dict[str, Any]:
    """A lab with its hosts."""
    return {"lab": lab.name, "hosts": [describe_host(host) for host in lab.hosts]}


def list_text(labs: Sequence[Mapping[str, Any]]) -> str:
    """One line a host."""
    if not labs:
        return "There are no labs; tinykit-ops lab up makes one."
    lines = []
    for lab in labs:
        if "problem" in lab:
            lines.append(f"{lab['lab']}: {lab['problem']}")
        for host in lab["hosts"]:
            state = "on" if host["running"] else "off"
            place = f"{host['ipv4']:<15} {host['ipv6']}"
            lines.append(f"{lab['lab']}  {host['name']:<6} {host['release']:<9} {state:<4} {place}")
    return "\n".join(lines)


def inventory_text(described: Mapping[str, Any]) -> str:
    """The same as the JSON, one `path: value` a line."""
    return "\n".join(_flat(described, ""))


def _lab(root: Path, name: str) -> dict[str, Any]:
    try:
        lab = Lab.load(name, root)
    except TinykitOpsError as error:
        is_left = removal.exists(LabNames(root, name))
        hint = f"tinykit-ops lab down --name {name} removes it" if is_left else ""
        return {"lab": name, "hosts": [], "problem": f"{error.what} {hint}".strip()}
    return one_lab(lab)


def _flat(value: Any, path: str) -> list[str]:
    if isinstance(value, Mapping):
        return [line for k, v in value.items() for line in _flat(v, f"{path}.{k}" if path else k)]
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return [line for item in value for line in _flat(item, f"{path}.{item['name']}")]
    shown = ", ".join(map(str, value)) if isinstance(value, list) else value
    return [f"{path}: {shown}"]
