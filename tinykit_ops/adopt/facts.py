"""What `look.sh` saw of a host, as objects; nothing is judged here."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from tinykit_ops.errors import UnavailableError

Table = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Process:
    """One program that runs and may belong to the install.

    Attributes:
        parent: process id; 1 for systemd's own children.
        unit: the systemd unit that it is the program of; empty for what a person started.
        container: the id of its container; empty outside of one.
        database: the PocketBase database that it has open, by the path that it sees.
        listens: addresses with ports, as `0.0.0.0:3000`.
        names: of its environment's variables; `plain` has the values of some that are no secret.
    """

    pid: int
    parent: int
    uid: int
    exe: str
    cwd: str
    words: tuple[str, ...] = ()
    unit: str = ""
    container: str = ""
    version: str = ""
    database: str = ""
    listens: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    plain: dict[str, str] = field(default_factory=dict)

    @property
    def program(self) -> str:
        """The name of its binary."""
        return PurePosixPath(self.exe.removesuffix(" (deleted)")).name


@dataclass(frozen=True)
class Facts:
    """All that was seen.

    Attributes:
        table: kind → key → text, as `look.sh` printed it.
        processes: those that were looked at closely, by process id.
    """

    table: Table
    processes: dict[int, Process]

    def text(self, kind: str, key: str) -> str:
        """One text, or an empty one."""
        return self.table.get(kind, {}).get(key, "").strip()

    def lines(self, kind: str, key: str) -> list[str]:
        """Its lines that are not empty."""
        return [line for line in self.text(kind, key).splitlines() if line.strip()]

    def unit(self, name: str) -> dict[str, str]:
        """What systemd says of a unit."""
        return _pairs(self.lines("unit", name))

    def containers(self) -> dict[str, dict[str, Any]]:
        """What Docker says of each container that runs, by its id."""
        return {key: json.loads(text) for key, text in self.table.get("container", {}).items()}

    def parent_of(self, pid: int) -> tuple[int, str] | None:
        """The parent's process id, and what the kernel calls a process; None when it is unknown."""
        found = self.text("process", str(pid)).splitlines()
        if len(found) < 4 or not found[0].isdecimal():
            return None
        return int(found[0]), found[3].strip()


def read_facts(said: str) -> Facts:
    """Read what `look.sh` printed.

    Raises:
        UnavailableError: that was not its output.
    """
    table: Table = {}
    for line in said.splitlines():
        kind, *more = line.split("\t")
        if len(more) != 2:
            continue
        try:
            text = base64.b64decode(more[1], validate=True).decode(errors="replace")
        except (binascii.Error, ValueError):
            continue
        table.setdefault(kind, {})[more[0]] = text
    if "user" not in table:
        raise UnavailableError(
            "The host did not say what it looks like",
            where=said.strip()[:200],
            hint="does a plain `sh` run there, and does it have `base64`?",
        )
    return Facts(table, _processes(table))


def _processes(table: Table) -> dict[int, Process]:
    listening = _listening(table.get("system", {}).get("sockets", ""))
    found = {}
    for key, exe in table.get("exe", {}).items():
        of = {kind: texts.get(key, "") for kind, texts in table.items()}
        parent, uid, *_ = [*of.get("process", "").splitlines(), "0", "0"]
        cgroups = of.get("cgroup", "")
        container = re.search(r"docker[-/]([0-9a-f]{64})", cgroups)
        unit = re.search(r"/([^/\n]+\.service)$", cgroups, re.MULTILINE)
        found[int(key)] = Process(
            pid=int(key),
            parent=int(parent or 0),
            uid=int(uid or 0),
            exe=exe,
            cwd=of.get("cwd", ""),
            words=tuple(word for word in of.get("cmdline", "").split("\0") if word),
            unit=unit[1] if unit and not container else "",
            container=container[1] if container else "",
            version=_version(of.get("version", "")),
            database=of.get("database", "").strip().partition("\n")[0],
            listens=tuple(listening.get(int(key), ())),
            names=tuple(of.get("env", "").split()),
            plain=_pairs(of.get("env-plain", "").splitlines()),
        )
    return found


def _version(said: str) -> str:
    found = re.search(r"\d+(\.\d+)+", said)
    return found[0] if found else ""


def _listening(sockets: str) -> dict[int, list[str]]:
    """Lines of `ss -Hlntp`: process id → addresses with ports."""
    found: dict[int, list[str]] = {}
    for line in sockets.splitlines():
        columns = line.split()
        if len(columns) < 4:
            continue
        for pid in re.findall(r"pid=(\d+)", line):
            found.setdefault(int(pid), []).append(columns[3])
    return found


def _pairs(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines)
    return {name: value.strip().strip("\"'") for name, sign, value in pairs if sign}
