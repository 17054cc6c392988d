"""Ending labs so that nothing stays: also what a crash left, also without any notes.

Names alone lead the way (see names.py), so a missing or broken `state.json` hinders nothing.
The order matters: processes first (their mounts go with them), files last.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tinykit_ops.errors import StorageError
from tinykit_ops.lab import addresses, cgroups, forwarding, machine, network, tree
from tinykit_ops.lab.commands import run
from tinykit_ops.lab.locks import locked
from tinykit_ops.lab.names import LabNames, RootNames

Progress = Callable[[str], None]
LOCK_SECONDS = 120.0


def exists(names: LabNames) -> bool:
    """Whether anything of a lab is there, with or without notes."""
    return (
        names.folder.exists()
        or bool(network.netns_with(names.netns))
        or network.link_exists(names.bridge)
        or names.name in cgroups.children(names.of_root.cgroup)
    )


def remove_lab(names: LabNames, progress: Progress) -> None:
    """End one lab and remove all of it; nothing to do is fine.

    Raises: UnavailableError when a process does not die; BusyError when somebody works on it.
    """
    if names.folder.is_dir():
        with locked(names.folder, wait_seconds=LOCK_SECONDS):
            _remove_parts(names, progress)
    else:
        _remove_parts(names, progress)
    _tidy_root(names.of_root)


def remove_all(root: Path, progress: Progress) -> None:
    """End every lab of a folder, those with a folder and those that only left traces."""
    of_root = RootNames(root)
    folders = [path.name for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
    for name in sorted({*folders, *cgroups.children(of_root.cgroup), *_netns_names(of_root)}):
        remove_lab(LabNames(root, name), progress)
    network.remove_links(network.links_with(of_root.link_prefix))
    for table in network.tables_with(of_root.table_prefix):
        network.remove_table(table)
    machine.forget_all(of_root.link_prefix)
    cgroups.end(of_root.cgroup)
    _tidy_root(of_root)


def remove_orphans_of_cache(cache: Path) -> None:
    """Remove half-made base trees."""
    tree.remove_partial(cache)


def _netns_names(of_root: RootNames) -> list[str]:
    prefix = of_root.netns_prefix
    return [name.removeprefix(prefix) for name in network.netns_with(prefix)]


def _remove_parts(names: LabNames, progress: Progress) -> None:
    progress(f"ending lab {names.name}")
    cgroups.end(names.cgroup)
    machine.forget_all(f"{names.link_id}-")
    network.remove(names)
    _unmount_below(names.folder)
    _remove_folder(names.folder)


def _unmount_below(folder: Path) -> None:
    """A host's mounts die with it; this is for what somebody mounted by hand to look at it."""
    points = [line.split(" ")[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    ours = [point for point in points if Path(point) == folder or folder in Path(point).parents]
    for point in reversed(ours):
        run(["umount", point])


def _remove_folder(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(
            f"The lab's folder cannot be removed: {error.strerror}.", where=str(error.filename)
        ) from error


def _tidy_root(of_root: RootNames) -> None:
    """After the last lab: settings of the kernel back, empty folders gone."""
    root = of_root.root
    if root.is_dir():
        with locked(root, wait_seconds=LOCK_SECONDS):
            if not any(path.is_dir() for path in root.iterdir()):
                forwarding.put_back(root)
                _remove_empty(root)
    else:
        forwarding.put_back(root)
    if not cgroups.children(of_root.cgroup):
        cgroups.remove(of_root.cgroup)
    with addresses.choosing():  # nobody is making a namespace meanwhile
        network.forget_netns_mount()


def _remove_empty(root: Path) -> None:
    parents = [root.parent] if root.parent.name == "tinykit-ops" else []
    for folder in (root, *parents):
        with suppress(OSError):  # not empty: somebody else's files
            folder.rmdir()
