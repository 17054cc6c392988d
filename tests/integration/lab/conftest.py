"""Labs of the tests' own: in a folder of their own, so that no other lab is ever touched."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from waiting import until

from tinykit_ops.lab import cgroups, network
from tinykit_ops.lab.names import RootNames, cache_root
from tinykit_ops.lab.releases import DEFAULT_RELEASE, codename
from tinykit_ops.lab.tree import ensure_tree


@dataclass
class LabFolder:
    """A folder of labs, the `tinykit-ops lab` command on it, and what is on this machine of it."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "TINYKIT_LAB_ROOT": str(self.root), **self.env}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "tinykit_ops", "lab", *words]

    def __call__(self, *words: str, code: int = 0) -> str:
        """Run a lab command and return what it printed; it must end with `code`."""
        done = subprocess.run(
            self.command(*words),
            check=False,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout if code == 0 else done.stderr

    def traces(self) -> dict[str, list[str]]:
        """Everything on this machine that belongs to labs of this folder; empty lists if none."""
        names = RootNames(self.root)
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        prefixes = (names.link_prefix, names.netns_prefix, names.table_prefix, names.cgroup)
        folders = ["/run/netns", "/etc/netns", "/run/systemd/nspawn", "/run/lock"]
        return {
            "interfaces": [
                path.name
                for path in Path("/sys/class/net").iterdir()
                if names.link_prefix in path.name
            ],
            "namespaces": network.netns_with(names.netns_prefix),
            "tables": network.tables_with(names.table_prefix),
            "groups": [
                str(path)
                for hierarchy in cgroups.hierarchies()
                for path in hierarchy.glob(f"{names.cgroup}*")
            ],
            "mounts": [line for line in mounts if str(self.root) in line],
            "processes": processes_with(str(self.root)),
            "files": [
                f"{parent}/{name}"
                for folder in folders
                # Beside this, others make and remove things there, which os.walk passes over.
                for parent, below, files in os.walk(folder)
                for name in (*below, *files)
                if name.startswith(prefixes)
            ]
            + [str(path) for path in [self.root] if path.exists()],
        }

    def leaves_nothing(self) -> None:
        """What a dead process held (its network, say) the kernel clears away a moment later."""

        def found() -> dict[str, list[str]]:
            return {kind: items for kind, items in self.traces().items() if items}

        with suppress(AssertionError):
            until(lambda: not found(), "nothing", seconds=30)
        assert found() == {}


def processes_with(text: str) -> list[str]:
    """Command lines, or environments, of live processes that name `text`."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            said = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (path / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if text in said and state != "Z" and int(path.name) != os.getpid():
            found.append(f"{path.name}: {said}")
    return found


def apart(folder: Path, worker: str) -> Path:
    """A folder of labs whose interfaces are called otherwise than those of every other worker.

    Three digits of a folder are in their names, so that two may share these; here, the first of
    them is the worker's own.
    """
    digit = f"{int(worker.removeprefix('gw') or 0) % 16:x}" if worker != "master" else "0"
    tried = (folder / f"root-{number}" for number in itertools.count())
    return next(root for root in tried if RootNames(root).digest.startswith(digit))


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The base tree of most labs, made before somebody is killed who makes it for all workers."""
    group = RootNames(tmp_path_factory.mktemp("tree")).cgroup
    ensure_tree(codename(DEFAULT_RELEASE), cache_root(), group, print)
    cgroups.remove(group)


@pytest.fixture(scope="module")
def labs(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str, tree: None
) -> Iterator[LabFolder]:
    """A folder of labs, and nothing of it left afterwards."""
    folder = LabFolder(apart(tmp_path_factory.mktemp("labs"), worker_id))
    yield folder
    folder("down", "--all")
    folder.leaves_nothing()
