"""What Docker says of the containers that tinykit and PocketBase run in."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from tinykit_ops import layout
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.host import HostFacts
from tinykit_ops.checks.model import CannotLook

Json = dict[str, Any]

#: Whose namespaces a container may share: nobody's of the host.
_MODES = ("NetworkMode", "PidMode", "IpcMode", "UTSMode", "UsernsMode", "CgroupnsMode")
_SOCKET = "docker.sock"


def in_containers(look: Context) -> bool:
    """Do the settings say that the services run in containers?"""
    return look.settings is not None and look.settings.in_containers


@dataclass(frozen=True)
class Container:
    """A running container, as `docker inspect` shows it."""

    name: str
    said: Json

    @property
    def pid(self) -> int:
        """Its first process, as the host numbers it."""
        return int(self.said["State"]["Pid"])

    def looseness(self) -> Iterator[str]:
        """What it may that ours may not, a phrase each."""
        host, config = self.said["HostConfig"], self.said["Config"]
        if not host.get("ReadonlyRootfs"):
            yield f"{self.name} may write to its root file system"
        if host.get("CapDrop") != ["ALL"] or host.get("CapAdd"):
            yield f"{self.name} keeps capabilities"
        if host.get("Privileged") or host.get("Devices"):
            yield f"{self.name} is privileged, or has devices"
        options = [option.replace("=", ":") for option in host.get("SecurityOpt") or []]
        if not {"no-new-privileges", "no-new-privileges:true"} & set(options):
            yield f"{self.name} may gain privileges (no-new-privileges is missing)"
        for option in options:
            if option.endswith(":unconfined"):
                yield f"{self.name} runs with {option}"
        for mode in _MODES:
            if host.get(mode) == "host":
                yield f"{self.name} shares the host's namespace ({mode})"
        if config.get("User", "").split(":")[0] in {"", "0", "root"}:
            yield f"{self.name} runs as root"
        log = host.get("LogConfig") or {}
        if log.get("Type") == "json-file" and not (log.get("Config") or {}).get("max-size"):
            yield f"{self.name} keeps logs without an end"
        yield from self._openings(host)

    def limitless(self, kernel: Collection[str]) -> Iterator[str]:
        """Which of the limits that the kernel knows (`kernel_limits`) it has not."""
        host = self.said["HostConfig"]
        if "processes" in kernel and int(host.get("PidsLimit") or 0) <= 0:
            yield f"{self.name} may start any number of processes"
        # PocketBase has none under systemd either.
        bounded = self.name != layout.POCKETBASE_CONTAINER
        if "memory" in kernel and bounded and int(host.get("Memory") or 0) <= 0:
            yield f"{self.name} may take all memory"

    def _openings(self, host: Json) -> Iterator[str]:
        for port, bindings in (host.get("PortBindings") or {}).items():
            for binding in bindings or []:
                if binding.get("HostIp") != "127.0.0.1":
                    where = binding.get("HostIp") or "every address"
                    yield f"{self.name} publishes {port} on {where}"
        for mount in self.said.get("Mounts") or []:
            if mount.get("Source", "").endswith(_SOCKET):
                yield f"{self.name} may command Docker ({mount['Source']})"

    def writable(self) -> list[str]:
        """Folders and files of the host that it may write to."""
        mounts = self.said.get("Mounts") or []
        return [mount["Source"] for mount in mounts if mount["Type"] != "tmpfs" and mount["RW"]]

    def sees(self) -> list[str]:
        """Folders and files of the host that it sees."""
        return [mount["Source"] for mount in self.said.get("Mounts") or [] if mount.get("Source")]

    def user(self) -> str:
        """The user id that it runs as."""
        return str(self.said["Config"].get("User", "")).split(":")[0]


def find_container(host: HostFacts, name: str) -> Container:
    """A running container. Raises: CannotLook."""
    result = host.run("docker", "inspect", "--type=container", name)
    if result.status != 0:
        raise CannotLook(f"`docker inspect {name}` failed: {result.complaint}")
    try:
        said = json.loads(result.out)[0]
        container = Container(name, said)
        if not said["State"]["Running"] or container.pid < 1:
            raise CannotLook(f"container {name} does not run")
        _ = said["HostConfig"], said["Config"]
    except (ValueError, LookupError, TypeError) as error:
        text = f"what docker says of {name} cannot be understood ({type(error).__name__})"
        raise CannotLook(text) from None
    return container


def kernel_limits(host: HostFacts) -> set[str]:
    """What Docker can limit on this host's kernel: "processes", "memory". Raises: CannotLook."""
    result = host.run("docker", "info", "--format", "{{.PidsLimit}} {{.MemoryLimit}}")
    words = result.out.split()
    if result.status != 0 or len(words) != 2:
        raise CannotLook(f"`docker info` failed: {result.complaint}")
    return {
        name for name, word in zip(("processes", "memory"), words, strict=True) if word == "true"
    }


def ours() -> dict[str, str]:
    """Our containers' names, and the users that they run as."""
    return {
        layout.POCKETBASE_CONTAINER: layout.POCKETBASE_USER,
        **dict.fromkeys(layout.TINYKIT_CONTAINERS, layout.TINYKIT_USER),
        layout.NET_CONTAINER: "nobody",
    }


def inside(host: HostFacts) -> tuple[str, ...]:
    """The beginning of a command that is run in the containers' network. Raises: CannotLook."""
    return ("nsenter", f"--net=/proc/{find_container(host, layout.NET_CONTAINER).pid}/ns/net")
