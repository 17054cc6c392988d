"""A lab's notes about itself: the plan of everything it makes, written before any of it exists."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tinykit_ops.lab.errors import LabNotFoundError, LabStateError

STATE_FILE = "state.json"
FORMAT = 1


@dataclass(frozen=True)
class HostState:
    """One host of a lab, as planned."""

    name: str
    number: int
    release: str  #: Debian's code name
    tree: str  #: the base tree it stands on
    address4: str
    address6: str
    disk: str | None = None  #: size of its disk ("2G"); None shares this machine's
    docker: bool = False  #: whether Docker can run on it

    @property
    def folder_name(self) -> str:
        """Where the host is, relative to the lab's folder."""
        return f"hosts/{self.name}"


@dataclass(frozen=True)
class LabState:
    """One lab, as planned."""

    name: str
    network4: str  #: of the hosts and this machine, "10.x.y.0/24"
    network6: str
    outside4: str  #: of the outside client
    outside6: str
    s3: bool
    acme_life: int = 0  #: seconds that its ACME server's certificates are good for; 0: has none
    hosts: list[HostState] = field(default_factory=list)
    format: int = FORMAT


def save(folder: Path, state: LabState) -> None:
    """Write the notes so that a reader sees the old ones or the new ones, never a part."""
    write_private(folder / STATE_FILE, json.dumps(asdict(state), indent=2) + "\n")


def load(folder: Path) -> LabState:
    """Read a lab's notes.

    Raises: LabNotFoundError when there are none; LabStateError when they make no sense.
    """
    path = folder / STATE_FILE
    try:
        raw: dict[str, Any] = json.loads(path.read_text())
        hosts = [HostState(**host) for host in raw.pop("hosts")]
        state = LabState(**raw, hosts=hosts)
    except (FileNotFoundError, NotADirectoryError):
        raise LabNotFoundError(
            f"There is no lab {folder.name!r}.",
            where=str(path),
            hint="tinykit-ops lab list shows the labs there are; tinykit-ops lab up makes one.",
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LabStateError(
            f"The notes of lab {folder.name!r} cannot be read: {error}",
            where=str(path),
            hint=f"Start again: tinykit-ops lab down --name {folder.name}, then lab up.",
        ) from error
    if state.format != FORMAT:
        raise LabStateError(
            f"Lab {folder.name!r} was made by another version of tinykit-ops.",
            where=str(path),
            hint=f"Start again: tinykit-ops lab down --name {folder.name}, then lab up.",
        )
    return state


def write_private(path: Path, text: str) -> None:
    """Write a file of root's (0600) in one step: it is never half there, nor ever readable."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
