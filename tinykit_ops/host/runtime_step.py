"""What runs the services: have it ready, then make room for it.

The same units start the programs either way, and the same ports are theirs; so what runs the other
way is stopped, once everything for the new one is there. The data stays where it is.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, ip_address
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.errors import UnavailableError
from tinykit_ops.host import files, firewall_known
from tinykit_ops.host.images import ImagesStep
from tinykit_ops.settings import Settings

#: Where systemd-resolved says whom it asks itself; Docker looks there, too.
UPSTREAM = Path("/run/systemd/resolve/resolv.conf")


class RuntimeStep:
    """Bring the host from whatever runtime it has to the one of the settings.

    Args:
        base_sha256: of the base image's archive, if the settings name one.
        running: unit → the path of its main program; None when it does not run.
        secrets: where containers have them from.
    """

    def __init__(
        self,
        settings: Settings,
        base_sha256: str = "",
        running: Callable[[str], str | None] | None = None,
        secrets: Path = Path(layout.DOCKER_SECRETS),
    ) -> None:
        self.settings = settings
        self.docker = settings.in_containers
        self.images = ImagesStep(settings.docker, base_sha256)
        self.running = running or main_program
        self.secrets = secrets

    def pending(self) -> list[str]:
        """What is missing for the runtime, and what still runs in the other one."""
        left = [f"stop {unit}, which runs in the other runtime" for unit in self._others()]
        if not self.docker:
            return (
                [*left, "remove the containers' copies of secrets"]
                if self.secrets.is_dir()
                else left
            )
        if not self._has_resolvers():
            left.append("the containers' resolvers")
        return [*self.images.pending(), *left]

    def apply(self) -> None:
        """Build first, so that what serves now serves meanwhile; then stop it."""
        if self.docker:
            self.images.apply()
            if not self._has_resolvers():  # a newer file starts every container anew
                files.write(Path(layout.DOCKER_RESOLV), self._resolvers())
        if others := list(self._others()):
            done = subprocess.run(
                ["systemctl", "stop", *others], capture_output=True, text=True, check=False
            )
            if done.returncode != 0:
                raise UnavailableError(f"systemctl stop failed: {done.stderr.strip()[:300]}")
        if not self.docker:
            shutil.rmtree(self.secrets, ignore_errors=True)

    def _others(self) -> Iterator[str]:
        """Units that run in the other runtime now."""
        for unit in (*instance_units(), layout.NET_UNIT):
            program = self.running(unit)
            if program is not None and in_docker(program) != self.docker:
                yield unit

    def _has_resolvers(self) -> bool:
        return files.read(Path(layout.DOCKER_RESOLV)) == self._resolvers()

    def _resolvers(self) -> str:
        return "".join(f"nameserver {address}\n" for address in container_resolvers(self.settings))


def instance_units() -> tuple[str, ...]:
    """The units of tinykit and PocketBase, in the order in which they are stopped."""
    return (layout.TINYKIT_STANDBY_UNIT, layout.TINYKIT_UNIT, layout.POCKETBASE_UNIT)


def in_docker(program: str) -> bool:
    """Is a unit's main program what stays with a container, or is about to?"""
    return Path(program).name in {"docker", "sh", "dash", "bash"}


def main_program(unit: str) -> str | None:
    """The program of a unit's main process, as the kernel says; None when it does not run."""
    words = ["systemctl", "show", "--property=MainPID", "--value", unit]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    pid = done.stdout.strip()
    if pid in {"", "0"}:
        return None
    try:
        return str(Path(f"/proc/{pid}/exe").readlink())
    except OSError:
        return None


def container_resolvers(
    settings: Settings, resolv_conf: Path = firewall_known.RESOLV_CONF, upstream: Path = UPSTREAM
) -> list[str]:
    """The name servers that containers can ask: the settings', or the host's.

    Raises:
        UnavailableError: the host asks none but itself, on its loopback.
    """
    if settings.docker.resolvers:
        return [str(each.network_address) for each in settings.docker.resolvers]
    for path in (resolv_conf, upstream):
        found = [each for each in firewall_known.resolvers(path) if _reachable(each)]
        if found:
            return found
    raise UnavailableError(
        "the host's name server is on its loopback, where containers cannot ask it",
        where=str(resolv_conf),
        hint='name one that they can: "docker": {"resolvers": ["…"]}',
    )


def _reachable(address: str) -> bool:
    found = ip_address(address)
    return isinstance(found, IPv4Address) and not found.is_loopback
