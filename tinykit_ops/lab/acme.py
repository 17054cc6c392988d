"""The lab's certificate authority: pebble, a real ACME server for tests, with a DNS of its own.

It asks every host at port 80, as a public authority does, and forgets everything when it ends.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinykit_ops.lab import acme_certificate, cgroups
from tinykit_ops.lab.errors import CommandError
from tinykit_ops.lab.names import DOMAIN, LabNames
from tinykit_ops.lab.state import HostState, write_private

DIRECTORY_PORT = 14000
MANAGEMENT_PORT = 15000
DNS_PORT = 8053
NAMES_PORT = 8055
START_SECONDS = 60.0
DEFAULT_LIFE = 90 * 24 * 3600  #: seconds, as public authorities give
#: In front of a host's own name: all of these have an address, and no other name has one.
PREFIXES = ("", "www.", "build.", *(f"app{number}." for number in range(1, 10)))


@dataclass(frozen=True)
class LabAcme:
    """How to reach the lab's authority; hosts and this machine use the same address."""

    folder: Path
    address: str
    life: int  #: seconds that its certificates are good for

    @property
    def directory(self) -> str:
        """For the setting `edge.tls.directory`."""
        return f"https://{self.address}:{DIRECTORY_PORT}/dir"

    @property
    def directory_ca(self) -> Path:
        """For `edge.tls.directory_ca`: what the directory's own certificate is signed with."""
        return self.folder / "directory-ca.pem"

    def root(self) -> str:
        """The authority behind the certificates that it gives, as PEM; another after each start."""
        return self._get(f"https://{self.address}:{MANAGEMENT_PORT}/roots/0")

    def point(self, name: str, host: HostState) -> None:
        """Let a name lead to a host, as a DNS record would."""
        self._tell("add-a", {"host": f"{name}.", "addresses": [host.address4]})
        self._tell("add-aaaa", {"host": f"{name}.", "addresses": [host.address6]})

    def forget(self, name: str) -> None:
        """Take a name's addresses away."""
        self._tell("clear-a", {"host": f"{name}."})
        self._tell("clear-aaaa", {"host": f"{name}."})

    def stop(self, names: LabNames) -> None:
        """End it, with everything that it knew; `ensure_running` starts another."""
        cgroups.end(_group(names))

    def _tell(self, what: str, message: Mapping[str, object]) -> None:
        url = f"http://{self.address}:{NAMES_PORT}/{what}"
        request = urllib.request.Request(url, json.dumps(message).encode())
        with urllib.request.urlopen(request, timeout=START_SECONDS):  # noqa: S310
            pass

    def _get(self, url: str) -> str:
        context = ssl.create_default_context(cafile=str(self.directory_ca))
        with urllib.request.urlopen(url, timeout=START_SECONDS, context=context) as answer:  # noqa: S310
            text: str = answer.read().decode()
        return text


def ensure_running(acme: LabAcme, names: LabNames, hosts: Sequence[HostState]) -> None:
    """Start it unless it runs, wait until it answers, and point the names of all hosts.

    Raises: CommandError when it does not answer within a minute.
    """
    group = _group(names)
    if not cgroups.is_alive(group):
        acme.folder.mkdir(mode=0o700, exist_ok=True)
        acme_certificate.write(acme.folder, acme.address)
        write_private(acme.folder / "pebble.json", json.dumps(_configuration(acme)))
        cgroups.create(group)
        _start_names(acme, group)
        _start_pebble(acme, group)
    for port in (NAMES_PORT, DIRECTORY_PORT, MANAGEMENT_PORT):
        _wait(acme, group, port)
    for host in hosts:
        for prefix in PREFIXES:
            acme.point(f"{prefix}{host.name}.{DOMAIN}", host)


def _group(names: LabNames) -> str:
    return f"{names.cgroup}/acme"


def _configuration(acme: LabAcme) -> dict[str, object]:
    return {
        "pebble": {
            "listenAddress": f"{acme.address}:{DIRECTORY_PORT}",
            "managementListenAddress": f"{acme.address}:{MANAGEMENT_PORT}",
            "certificate": str(acme.folder / acme_certificate.CERTIFICATE),
            "privateKey": str(acme.folder / acme_certificate.KEY),
            "httpPort": 80,
            "tlsPort": 443,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
            "certificateValidityPeriod": acme.life,
        }
    }


def _start_names(acme: LabAcme, group: str) -> None:
    off = [f"-{what}=" for what in ("http01", "https01", "tlsalpn01")]
    words = [
        *("pebble-challtestsrv", *off, "-defaultIPv4=", "-defaultIPv6="),
        *("-dns01", f"{acme.address}:{DNS_PORT}", "-management", f"{acme.address}:{NAMES_PORT}"),
    ]
    _start(acme, group, words, {})


def _start_pebble(acme: LabAcme, group: str) -> None:
    words = [
        *("pebble", "-config", str(acme.folder / "pebble.json")),
        *("-dnsserver", f"{acme.address}:{DNS_PORT}"),
    ]
    # No random waits, and no refusals by lot: it would call one nonce in twenty bad, where clients
    # try once more and not twice. Each order is looked into anew.
    env = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
    _start(acme, group, words, env)


def _start(acme: LabAcme, group: str, words: list[str], env: Mapping[str, str]) -> None:
    with (acme.folder / f"{words[0]}.log").open("ab") as log:
        subprocess.Popen(
            cgroups.inside(group, words),
            env={"PATH": os.environ.get("PATH", ""), **env},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )


def _wait(acme: LabAcme, group: str, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((acme.address, port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    log = (acme.folder / "pebble.log").read_text(errors="replace")[-1500:]
    state = "runs but does not answer" if cgroups.is_alive(group) else "ended at once"
    raise CommandError(f"The lab's ACME server {state}.", where=acme.directory, hint=log.strip())
