"""One host under systemd-nspawn: booting it, ending it, and finding its first process."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tinykit_ops.lab import cgroups
from tinykit_ops.lab.commands import run
from tinykit_ops.lab.names import LabNames
from tinykit_ops.lab.state import HostState

KEEPER = Path(__file__).with_name("keeper.sh")
CONSOLE = "console.log"
NSPAWN_RUNTIME = Path("/run/systemd/nspawn")  #: where nspawn leaves a folder a machine
CONSOLE_LINES = 15
JOIN_SECONDS = 60.0
_KINDS = ("propagate", "unix-export", "locks")


@dataclass(frozen=True)
class Machine:
    """The container that is one lab host."""

    names: LabNames
    state: HostState
    trees: Path  #: the folder of base trees

    @property
    def folder(self) -> Path:
        """Where the host's files are."""
        return self.names.folder / self.state.folder_name

    @property
    def cgroup(self) -> str:
        """Holds every process of the host, and the one that keeps it."""
        return f"{self.names.cgroup}/{self.state.name}"

    @property
    def is_running(self) -> bool:
        """Whether the host is on (booting, running or rebooting)."""
        return cgroups.is_alive(self.cgroup)

    def boot(self) -> None:
        """Start the host and return while it boots; it lives on without us."""
        cgroups.create(f"{self.cgroup}/keeper")
        self._make_disk()
        words = ["unshare", "--mount", "--propagation", "slave", "sh", str(KEEPER)]
        with (self.folder / CONSOLE).open("ab") as console:
            keeper = subprocess.Popen(
                cgroups.inside(f"{self.cgroup}/keeper", words),
                env={**_environment(), **self._variables()},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                cwd="/",
                start_new_session=True,
            )
        # It joins the group by itself; who looks before that would take the host for off.
        deadline = time.monotonic() + JOIN_SECONDS
        while not self.is_running and keeper.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)

    def kill(self) -> None:
        """Cut its power: every process ends at once, nothing is told to stop."""
        cgroups.end(self.cgroup)
        forget(self.names.machine(self.state.number))

    def leader(self) -> int | None:
        """The process id, here, of the host's process 1; None while it is not up."""
        found = None
        for pid in cgroups.members(f"{self.cgroup}/machine"):
            namespaced = _pids_in_namespaces(pid)
            # Process 1 of a container inside the host is one namespace deeper.
            if namespaced[-1:] == [1] and (found is None or len(namespaced) < found[0]):
                found = (len(namespaced), pid)
        return found[1] if found else None

    def enter_command(self, words: list[str]) -> list[str] | None:
        """The command that runs `words` as root inside, without a network; None when off."""
        leader = self.leader()
        if leader is None:
            return None
        spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        nsenter = ["nsenter", "--target", str(leader), *spaces, "--root", "--wd=/", "--"]
        clean = ["env", "-i", f"PATH={_PATH}", "HOME=/root", f"TERM={os.environ.get('TERM', '')}"]
        return cgroups.inside(f"{self.cgroup}/keeper", [*nsenter, *clean, *words])

    def console_tail(self) -> str:
        """The last lines that the host, or the program that boots it, printed."""
        try:
            text = (self.folder / CONSOLE).read_text(errors="replace")
        except OSError:
            return ""
        return "\n".join(line.rstrip() for line in text.splitlines()[-CONSOLE_LINES:])

    def _variables(self) -> dict[str, str]:
        return {
            "FOLDER": str(self.folder),
            "TREE": str(self.trees / self.state.tree),
            "DISK": self.state.disk or "",
            "DOCKER": "yes" if self.state.docker else "",
            "MACHINE": self.names.machine(self.state.number),
            "HOST": self.state.name,
            "BRIDGE": self.names.bridge,
            "CGROUP": self.cgroup,
            "HIERARCHIES": " ".join(map(str, cgroups.hierarchies())),
        }

    def _make_disk(self) -> None:
        image = self.folder / "disk.img"
        if self.state.disk is None or image.exists():
            return
        partial = image.with_name(".disk.img")
        run(["truncate", "--size", self.state.disk, str(partial)])
        run(["mkfs.ext4", "-q", "-F", "-m", "0", str(partial)])
        partial.rename(image)


def forget(machine: str) -> None:
    """Remove what systemd-nspawn leaves of a machine that was killed."""
    for kind in _KINDS:
        shutil.rmtree(NSPAWN_RUNTIME / kind / machine, ignore_errors=True)


def forget_all(prefix: str) -> None:
    """The same for all machines whose names begin with `prefix`."""
    for kind in _KINDS:
        with suppress(FileNotFoundError):  # none was ever there, or the end of another lab took it
            for path in (NSPAWN_RUNTIME / kind).iterdir():
                if path.name.startswith(prefix):
                    forget(path.name)
    # Not there before the first machine, so not there after the last; fails when in use.
    for folder in (*(NSPAWN_RUNTIME / kind for kind in _KINDS), NSPAWN_RUNTIME):
        with suppress(OSError):
            folder.rmdir()


def wait_until_off(machine: Machine, seconds: float) -> bool:
    """Wait for a host to power itself off. Returns whether it did."""
    deadline = time.monotonic() + seconds
    while machine.is_running and time.monotonic() < deadline:
        time.sleep(0.1)
    return not machine.is_running


_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _environment() -> dict[str, str]:
    """What the keeper sees of our environment: no secret of the caller ends up in a host."""
    return {"PATH": os.environ.get("PATH", _PATH), "LANG": "C.UTF-8"}


def _pids_in_namespaces(pid: int) -> list[int]:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return []
    for line in status.splitlines():
        if line.startswith("NSpid:"):
            return [int(word) for word in line.split()[1:]]
    return []
