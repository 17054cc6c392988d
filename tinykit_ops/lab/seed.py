"""What makes a host out of a base tree: name, keys, addresses. The lab's cloud-init.

It is a tar archive that is unpacked over the tree before the first boot, so that the host's
identity is known, and pinned, before anything can talk to it.
"""

from __future__ import annotations

import io
import os
import tarfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from tinykit_ops.lab.addresses import LabNetworks
from tinykit_ops.lab.names import DOMAIN
from tinykit_ops.lab.tree import SUDO_USER

OPS_UID = 1000  #: the first user that useradd makes


@dataclass(frozen=True)
class Seed:
    """One host's identity."""

    name: str
    address4: IPv4Address
    address6: IPv6Address
    networks: LabNetworks
    resolvers: Iterable[str]
    hosts_lines: str  #: an /etc/hosts with all hosts of the lab
    authorized_key: str  #: the lab's public key
    host_key: bytes  #: the host's private SSH key
    host_key_public: str


def write(path: Path, seed: Seed) -> None:
    """Write the archive (0600, for it holds the host's private key)."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content, mode, owner in _files(seed):
            _add(archive, name, content, mode, owner)
    partial.replace(path)


def hosts_file(hosts: Iterable[tuple[str, str, str]]) -> str:
    """The text of an /etc/hosts.

    Args:
        hosts: name, IPv4 and IPv6 address of each host.
    """
    lines = ["127.0.0.1 localhost\n", "::1 localhost ip6-localhost ip6-loopback\n"]
    for name, v4, v6 in hosts:
        lines += [f"{v4} {name}.{DOMAIN} {name}\n", f"{v6} {name}.{DOMAIN} {name}\n"]
    return "".join(lines)


def _files(seed: Seed) -> Iterable[tuple[str, bytes, int, int]]:
    """Path, content, mode and owner of each file."""
    key = f"{seed.authorized_key}\n".encode()
    resolv = "".join(f"nameserver {address}\n" for address in seed.resolvers)
    sshd = "HostKey /etc/ssh/ssh_host_ed25519_key\n"
    yield "etc/hostname", f"{seed.name}\n".encode(), 0o644, 0
    yield "etc/hosts", seed.hosts_lines.encode(), 0o644, 0
    yield "etc/resolv.conf", resolv.encode(), 0o644, 0
    yield "etc/systemd/network/10-lab.network", _network(seed).encode(), 0o644, 0
    yield "etc/ssh/ssh_host_ed25519_key", seed.host_key, 0o600, 0
    yield "etc/ssh/ssh_host_ed25519_key.pub", f"{seed.host_key_public}\n".encode(), 0o644, 0
    yield "etc/ssh/sshd_config.d/10-lab.conf", sshd.encode(), 0o644, 0
    yield "root/.ssh/", b"", 0o700, 0
    yield "root/.ssh/authorized_keys", key, 0o600, 0
    yield f"home/{SUDO_USER}/.ssh/", b"", 0o700, OPS_UID
    yield f"home/{SUDO_USER}/.ssh/authorized_keys", key, 0o600, OPS_UID


def _network(seed: Seed) -> str:
    return f"""\
# Written by tinykit-ops lab. Sorts before systemd's own 80-container-host0.network.
[Match]
Name=host0

[Network]
DHCP=no
LLMNR=no
IPv6AcceptRA=no
Gateway={seed.networks.controller4}
Gateway={seed.networks.controller6}

[Address]
Address={seed.address4}/{seed.networks.hosts4.prefixlen}

[Address]
Address={seed.address6}/{seed.networks.hosts6.prefixlen}
DuplicateAddressDetection=none
"""


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int, owner: int) -> None:
    entry = tarfile.TarInfo(name.rstrip("/"))
    entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
    entry.mtime = int(time.time())
    entry.size, entry.mode, entry.uid, entry.gid = len(content), mode, owner, owner
    archive.addfile(entry, io.BytesIO(content))
