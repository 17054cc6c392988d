"""The old install on this host: stopping its pieces, and starting them again as they were."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from tinykit_ops.adopt.model import Install, Piece
from tinykit_ops.errors import StorageError, TinykitOpsError, UnavailableError
from tinykit_ops.host import files
from tinykit_ops.host.secrets_step import quoted
from tinykit_ops.host.units import systemctl

STOP_SECONDS = 45.0
_ENDING = 0.1
_Notes = dict[str, dict[str, Any]]


class Old:
    """What ran before.

    Args:
        folder: root's, for what is needed to start it again; environments are in it.
    """

    def __init__(self, folder: Path, install: Install) -> None:
        self._folder = folder
        self._notes = folder / "pieces.json"
        self._pieces = install.pieces

    def note(self) -> None:
        """Write down how each piece was started, before one is stopped."""
        notes = {piece.name: _how(piece) for piece in self._pieces}
        files.write(self._notes, json.dumps(notes), mode=0o600)

    def stop(self) -> None:
        """Stop the proxy, tinykit, PocketBase, for good; what is stopped already stays so.

        Raises:
            UnavailableError: one does not end.
        """
        notes = self._read()
        for piece in self._pieces:
            if piece.kind == "unit":
                systemctl("disable", "--quiet", piece.name, must=False)
                systemctl("stop", piece.name, must=False)
            elif piece.kind == "container":
                _docker("update", "--restart=no", piece.name)
                _docker("stop", "--time=30", piece.name)
            else:
                _end(piece, notes[piece.name])

    def start(self) -> None:
        """Start them in the other order, as they were.

        Raises:
            TinykitOpsError: one does not start; the others are tried all the same.
        """
        notes, failed = self._read(), []
        for piece in reversed(self._pieces):
            try:
                self._start(piece, notes[piece.name])
            except TinykitOpsError as error:
                failed.append(f"{piece.name}: {error.what}")
        if failed:
            raise UnavailableError(
                f"The old install is not whole: {'; '.join(failed)}",
                hint=f"its pieces are described in {self._notes}",
            )

    def _start(self, piece: Piece, how: dict[str, Any]) -> None:
        if piece.kind == "unit":
            if how["enabled"] == "enabled":
                systemctl("enable", "--quiet", piece.name)
            systemctl("reset-failed", piece.name, must=False)
            systemctl("start", piece.name)
        elif piece.kind == "container":
            _docker("update", f"--restart={how['restart'] or 'no'}", piece.name)
            _docker("start", piece.name)
        else:
            self._run_again(piece, how)

    def _run_again(self, piece: Piece, how: dict[str, Any]) -> None:
        """As a passing unit: gone after a reboot, as it was before."""
        unit = f"tinykit-ops-adopted-{'-'.join(piece.roles)}"
        environment = self._folder / f"{unit}.env"
        lines = (f"{name}={quoted(value)}\n" for name, value in how["environment"].items())
        files.write(environment, "".join(lines), mode=0o600)
        systemctl("reset-failed", unit, must=False)
        _call(
            *("systemd-run", "--quiet", f"--unit={unit}", f"--uid={how['uid']}"),
            *(f"--gid={how['gid']}", f"--working-directory={how['cwd']}"),
            f"--property=EnvironmentFile={environment}",
            *("--", *how["words"]),
        )

    def _read(self) -> _Notes:
        try:
            notes: _Notes = json.loads(self._notes.read_text())
        except (OSError, ValueError) as error:
            raise StorageError(
                f"How the old install was started cannot be read ({type(error).__name__})",
                where=str(self._notes),
                hint="start it by hand; its data and files are as they were",
            ) from None
        return notes


def _how(piece: Piece) -> dict[str, Any]:
    if piece.kind == "unit":
        return {"enabled": systemctl("is-enabled", piece.name, must=False)}
    if piece.kind == "container":
        said = _docker("inspect", "--format={{.HostConfig.RestartPolicy.Name}}", piece.name)
        return {"restart": said.strip()}
    return _process(int(piece.name))


def _process(pid: int) -> dict[str, Any]:
    """All that it takes to start a program again. Raises UnavailableError when it has gone."""
    folder = Path("/proc") / str(pid)
    try:
        status = dict(
            line.split(":", 1)
            for line in (folder / "status").read_text().splitlines()
            if ":" in line
        )
        words = [word for word in (folder / "cmdline").read_text().split("\0") if word]
        pairs = (one.partition("=") for one in (folder / "environ").read_text().split("\0"))
        exe, cwd = str((folder / "exe").readlink()), str((folder / "cwd").readlink())
    except OSError as error:
        raise UnavailableError(
            f"The program that was to be taken over has ended ({error.strerror})",
            where=f"process {pid}",
            hint="start it, and look again",
        ) from None
    return {
        "uid": int(status["Uid"].split()[0]),
        "gid": int(status["Gid"].split()[0]),
        "cwd": cwd,
        "words": command_of(exe.removesuffix(" (deleted)"), words),
        "environment": {name: value for name, sign, value in pairs if sign and name.isidentifier()},
    }


def command_of(exe: str, words: list[str]) -> list[str]:
    """What starts it again: some programs, such as npm, write a title where their words were."""
    title = words[0].split() if len(words) == 1 else words
    if not title:
        return [exe]
    if PurePosixPath(title[0]).name == PurePosixPath(exe).name:
        return [exe, *(title[1:] if len(words) == 1 else words[1:])]
    return ["/usr/bin/env", *title]


def _end(piece: Piece, how: dict[str, Any]) -> None:
    """A whole tree, from its first process on, so that none starts another anew."""
    if piece.unit:
        systemctl("stop", piece.unit, must=False)
        return
    pids = _tree(int(piece.name))
    if not pids or not _is_still(int(piece.name), how):
        return
    for deadline, sign in ((STOP_SECONDS, signal.SIGTERM), (5.0, signal.SIGKILL)):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, sign)
        until = time.monotonic() + deadline
        while any(_is_alive(pid) for pid in pids):
            if time.monotonic() > until:
                break
            time.sleep(_ENDING)
        else:
            return
    raise UnavailableError(
        "A program of the old install does not end", where=f"process {piece.name}: {piece.seen}"
    )


def _tree(pid: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found, wanted = [], [pid] if Path(f"/proc/{pid}").exists() else []
    while wanted:
        one = wanted.pop(0)
        found.append(one)
        wanted += children.get(one, [])
    return found


def _is_still(pid: int, how: dict[str, Any]) -> bool:
    """Not another program that was given the same number since."""
    try:
        return bool(_process(pid)["words"] == how["words"])
    except UnavailableError:
        return False


def _is_alive(pid: int) -> bool:
    with suppress(OSError):
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False


def _docker(*words: str) -> str:
    return _call("docker", *words)


def _call(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise UnavailableError(
            f"{shlex.join(words[:3])} … failed: {done.stderr.strip()[:300]}",
            hint="`docker ps -a` and `journalctl -n 50` say more",
        )
    return done.stdout
