"""Everything that the deploys want of a host, as data: for the script and the playbook.

The deploy files themselves run here, with operations that only take notes, so that the peers get
the very same packages, files and units, and a new one cannot be forgotten. This patches modules,
hence a process of its own: `python -m benchmarks.provision.resources INVENTORY FOLDER` writes
FOLDER/resources.json and the contents of files beside it (0600: secrets are among them).
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyinfra.local
from pyinfra.api.inventory import Inventory
from pyinfra.context import ctx_host

from tinykit_ops import layout
from tinykit_ops.deploy import agent_package
from tinykit_ops.deploy.templates import ROOT
from tinykit_ops.host.release_step import release_id
from tinykit_ops.ops import (
    agent,
    firewall,
    hand_over,
    hold,
    host_facts,
    install_agent,
    refuse,
    system,
    tree,
    units,
    upload,
)

#: The operations that the deploys use: where each is defined, and its name.
OPERATIONS = (
    (system, "packages"),
    (system, "system_users"),
    (tree, "tree"),
    (units, "unit"),
    (units, "no_unit"),
    (firewall, "new_rules"),
    (agent, "agent_step"),
    (hand_over, "hand_over"),
    (install_agent, "install_agent"),
    (upload, "upload_release"),
    (refuse, "refuse"),
)


class Notes:
    """What the operations of a run were asked for, by the deploy file that asked.

    Args:
        folder: for the contents of files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.operations = 0
        self.found: dict[str, Any] = {"concerns": {}, "packages": [], "users": []}
        self._concern = ""
        self._held = False

    def include(self, path: str) -> None:
        """In place of pyinfra's `local.include`."""
        self._concern = Path(path).stem
        runpy.run_path(path)

    def hold_host(self) -> None:
        """In place of the function of that name, which is one operation of a run."""
        self.operations += not self._held
        self._held = True

    def note(self, kind: str, **wanted: Any) -> None:
        """In place of an operation."""
        self.operations += 1
        if kind == "packages":
            self.found["packages"] += wanted["names"]
        elif kind == "system_users":
            homes = wanted["homes"].items()
            self.found["users"] += [{"name": name, "home": home} for name, home in homes]
        elif kind == "tree":
            for entry in wanted["entries"]:
                self._add(f"{type(entry).__name__.lower()}s", self._entry(entry))
        elif kind == "unit":
            self._add("units", wanted["unit"])
        elif kind == "agent_step":
            self._add("steps", wanted["step"])
        elif kind == "upload_release":
            self.found["release"] = _release(wanted["archive"], wanted["sha256"])

    def _add(self, kind: str, what: object) -> None:
        empty: dict[str, list[Any]] = {
            key: [] for key in ("folders", "files", "links", "absents", "units", "steps")
        }
        rows = self.found["concerns"].setdefault(self._concern, empty)[kind]
        if what not in rows:  # two operations may be about one unit
            rows.append(what)

    def _entry(self, entry: tree.Entry) -> dict[str, str]:
        if isinstance(entry, tree.Absent):
            return {"path": entry.path}
        if isinstance(entry, tree.Link):
            return {"path": entry.path, "target": entry.target}
        # An octal string, as Ansible wants it.
        owner = {"path": entry.path, "mode": f"0{entry.mode}"}
        owner |= {"user": entry.user, "group": entry.group}
        if isinstance(entry, tree.Folder):
            return owner
        source = self.folder / "contents" / entry.path.strip("/").replace("/", "__")
        source.parent.mkdir(exist_ok=True)
        source.write_bytes(entry.data)
        return {**owner, "source": str(source)}


def read_resources(inventory: Path, folder: Path) -> dict[str, Any]:
    """Run `deploys/full.py` for the one host of `inventory`, taking notes.

    Args:
        folder: gets the contents of the files that the deploys write.
    """
    notes = Notes(folder)
    for module, name in OPERATIONS:
        setattr(module, name, _note_taker(notes, name))
    hold.hold_host = notes.hold_host
    pyinfra.local.include = notes.include  # type: ignore[assignment]
    name, data = runpy.run_path(str(inventory))["hosts"][0]
    host: Any = Inventory(([(name, data)], {})).get_host(name)  # type: ignore[no-untyped-call]
    # Refusals are Ansible's to judge, too; here, no host is asked anything.
    host.get_fact = lambda fact, **_: "" if fact is host_facts.SshConnection else {}
    with ctx_host.use(host):
        runpy.run_path(str(ROOT / "deploys" / "full.py"))
    return {**notes.found, "operations": notes.operations, **_constants()}


def _note_taker(notes: Notes, kind: str) -> Callable[..., None]:
    return lambda **wanted: notes.note(kind, **wanted)


def _release(archive: Path, sha256: str) -> dict[str, str]:
    return {
        "archive": str(archive),
        "sha256": sha256,
        "incoming": upload.incoming(sha256),
        "folder": f"{layout.TINYKIT_RELEASES}/{release_id(sha256)}",
    }


def _constants() -> dict[str, Any]:
    """What the operations have inside: the shell lines of facts, and the agent."""
    return {
        "host_facts": host_facts.HostFacts().command(),
        "agent_state": install_agent.InstalledAgent().command(),
        "agent_build": agent_package.build_id(),
        "agent_command": layout.AGENT_COMMAND,
        "firewall_candidate": layout.FIREWALL_CANDIDATE,
        "firewall_rules": layout.FIREWALL_RULES,
    }


def main(inventory: str, folder: str) -> None:
    """Write what `read_resources` found."""
    os.umask(0o077)
    found = read_resources(Path(inventory), Path(folder))
    (Path(folder) / "resources.json").write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
