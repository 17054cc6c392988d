"""Who is logged in by SSH: which connections there are, and which one this program runs in."""

from __future__ import annotations

import os
import re
import subprocess
from ipaddress import IPv6Address, ip_address
from pathlib import Path

#: A connection as its client's end: "203.0.113.7 51000".
Peer = str


def peer_of(ssh_connection: str) -> Peer | None:
    """The client's end in a text of SSH_CONNECTION; None when it is empty or no such text."""
    words = ssh_connection.split()
    if len(words) != 4:
        return None
    return _peer(words[0], words[1])


def own_connection(pid: int | None = None, proc: Path = Path("/proc")) -> str:
    """SSH_CONNECTION of the login that this process runs in, or an empty text.

    sudo takes the variable away, so the processes that started this one are asked, nearest first.
    """
    number = os.getpid() if pid is None else pid
    for _ in range(100):
        if number <= 1:
            break
        found = _variable(proc / str(number) / "environ")
        if found:
            return found
        number = _parent(proc / str(number) / "status")
    return ""


def established() -> set[Peer]:
    """Every TCP connection to this host, as its client's end."""
    done = subprocess.run(
        ["ss", "-Htn", "state", "established"], capture_output=True, text=True, check=True
    )
    return peers_in(done.stdout)


def peers_in(listing: str) -> set[Peer]:
    """The same out of what `ss -Htn state established` prints."""
    found = set()
    for line in listing.splitlines():
        words = line.split()
        if len(words) >= 4:
            address, _, port = words[3].rpartition(":")
            found.add(_peer(address, port))
    return found


def ssh_ports() -> set[int]:
    """Ports that an SSH server listens on, as far as its name is known here.

    Where systemd listens for it (ssh.socket), there is no such process until somebody logs in;
    systemd's other ports are then among these.
    """
    done = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True)
    return ports_in(done.stdout, by_socket=_systemd_listens_for_ssh())


def ports_in(listing: str, *, by_socket: bool) -> set[int]:
    """The same out of what `ss -Hltnp` prints."""
    names = "sshd|sshd-session|dropbear" + ("|systemd" if by_socket else "")
    lines = [line for line in listing.splitlines() if re.search(f'"({names})"', line)]
    return {int(line.split()[3].rpartition(":")[2]) for line in lines}


def _systemd_listens_for_ssh() -> bool:
    words = ["systemctl", "--quiet", "is-active", "ssh.socket", "sshd.socket"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _peer(address: str, port: str) -> Peer:
    parsed = ip_address(address.split("%")[0].strip("[]"))
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return f"{parsed} {port}"


def _variable(environ: Path) -> str:
    try:
        entries = environ.read_bytes().split(b"\0")
    except OSError:
        return ""
    marker = b"SSH_CONNECTION="
    found = [entry[len(marker) :] for entry in entries if entry.startswith(marker)]
    return found[0].decode(errors="replace") if found else ""


def _parent(status: Path) -> int:
    try:
        match = re.search(r"^PPid:\s+(\d+)$", status.read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(match[1]) if match else 0
