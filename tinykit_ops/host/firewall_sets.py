"""Keeping the firewall's sets: of resolvers, the language model's address, the CDN's networks.

They change without the rules, so they live in a file of their own, which the rules include. It is
swapped in one transaction; nothing in it can shut out SSH, so nobody has to confirm it.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.host import files
from tinykit_ops.host import firewall_known as host_knows
from tinykit_ops.host.firewall_known import Known
from tinykit_ops.host.firewall_near import near
from tinykit_ops.host.firewall_places import NFT, TABLE, Places, is_active, nft
from tinykit_ops.host.firewall_wants import Wants
from tinykit_ops.host.units import systemctl
from tinykit_ops.settings.network_list import Networks

#: Confirmed rules of an older version have no such sets, and are loaded with this file too.
_NEAR = "".join(
    f"add set {TABLE} near{family} {{ type ipv{family}_addr; flags interval; auto-merge; }}\n"
    for family in "46"
)


def _reload(unit: str) -> None:
    """Have a unit read its files anew, if it runs.

    One that takes over from another proxy later in this run is not there yet, which systemctl would
    take for a mistake.
    """
    if is_active(unit):
        systemctl("try-reload-or-restart", unit)


@dataclass
class FirewallSets:
    """The step that brings the sets to what the deploy and this host say.

    Attributes:
        networks_file: where the edge reads the CDN's networks, one a line.
        resolv_conf, container_resolv_conf: name the resolvers, of the host and of containers.
        fetch, resolve, reload: how to ask the network, and how to tell a unit of new networks.
        near: the public networks that this host is part of.
    """

    wants: Wants
    places: Places = field(default_factory=Places)
    networks_file: Path = Path(layout.CDN_NETWORKS)
    resolv_conf: Path = host_knows.RESOLV_CONF
    container_resolv_conf: Path = Path(layout.DOCKER_RESOLV)
    fetch: host_knows.Fetch = host_knows.fetch
    resolve: host_knows.Resolve = host_knows.resolve
    reload: Callable[[str], None] = _reload
    near: Callable[[], Networks] = near

    def pending(self) -> list[str]:
        """What is not known yet, or not written."""
        known = host_knows.read_known(self.places.known)
        left = [f"networks of {address}" for address in self._unfetched(known)]
        if self._llm_name() not in ("", *known.llm):
            left.append(f"addresses of {self._llm_name()}")
        if not left and files.read(self.places.sets) != self._sets(known):
            left.append("the firewall's sets")
        if not left and files.read(self.networks_file) != self._lines(known):
            left.append("the CDN's networks for the edge")
        return left

    def apply(self) -> None:
        """Find out what is not known yet, and swap the sets.

        Raises:
            UnavailableError: a CDN's list that was never read cannot be had now.
        """
        known = host_knows.read_known(self.places.known)
        for address in self._unfetched(known):
            known.cdn[address] = host_knows.fetched_networks(address, [], self.fetch)
        if self._llm_name() not in ("", *known.llm):
            self._resolve_llm(known)
        self._write(known)

    def refresh(self) -> list[TinykitOpsError]:
        """Find out everything anew; what cannot be had stays as it was.

        Returns:
            What went wrong; also noted in the status file.
        """
        known = host_knows.read_known(self.places.known)
        problems: list[TinykitOpsError] = []
        for address in self.wants.lists:
            before = known.cdn.get(address, [])
            try:
                known.cdn[address] = host_knows.fetched_networks(address, before, self.fetch)
            except TinykitOpsError as problem:
                problems.append(problem)
        self._resolve_llm(known)
        self._write(known)
        self._note(known, problems)
        return problems

    def _unfetched(self, known: Known) -> list[str]:
        return [address for address in self.wants.lists if not known.cdn.get(address)]

    def _llm_name(self) -> str:
        wants = self.wants
        return f"{wants.llm_host}:{wants.llm_port}" if wants.llm_host else ""

    def _resolve_llm(self, known: Known) -> None:
        name = self._llm_name()
        if name:
            found = self.resolve(self.wants.llm_host, self.wants.llm_port)
            known.llm = {name: found or known.llm.get(name, [])}

    def _write(self, known: Known) -> None:
        known.cdn = {
            address: known.cdn[address] for address in self.wants.lists if address in known.cdn
        }
        with self.places.locked():
            text = self._sets(known)
            if files.read(self.places.sets) != text:
                if _live_sets_fit(text):
                    nft(["--file", "-"], text)
                files.write(self.places.sets, text, mode=0o600)
            host_knows.write_known(self.places.known, known)
        self._tell_the_edge(known)

    def _tell_the_edge(self, known: Known) -> None:
        """Write the networks for the edge, which reads them when it reloads."""
        lines, before = self._lines(known), files.read(self.networks_file)
        if before == lines:
            return
        _replace(self.networks_file, lines)
        try:
            self.reload(self.wants.edge_unit)
        except TinykitOpsError:
            _replace(self.networks_file, before)  # so that the next run tries again
            raise

    def _lines(self, known: Known) -> str | None:
        if not self.wants.cdn:
            return None
        networks = host_knows.cdn_networks(self.wants, known)
        return "".join(f"{network}\n" for network in networks)

    def _sets(self, known: Known) -> str:
        """The nft script that fills the sets."""
        names = [
            f"{kind}{family}" for kind in ("resolver", "llm", "cdn", "near") for family in "46"
        ]
        content: dict[str, list[str]] = {name: [] for name in names}
        for address in self._resolvers():
            content[f"resolver{ip_address(address).version}"].append(address)
        for address in known.llm.get(self._llm_name(), []):
            parsed = _real(address)
            content[f"llm{parsed.version}"].append(f"{parsed} . {self.wants.llm_port}")
        for network in host_knows.cdn_networks(self.wants, known) if self.wants.cdn else []:
            content[f"cdn{network.version}"].append(str(network))
        for network in self.near():
            content[f"near{network.version}"].append(str(network))
        return _NEAR + "".join(_filled(name, members) for name, members in content.items())

    def _resolvers(self) -> list[str]:
        """Those of the host, and those that containers ask."""
        found = set(host_knows.resolvers(self.resolv_conf))
        if self.container_resolv_conf.exists():
            found |= set(host_knows.resolvers(self.container_resolv_conf))
        return sorted(found)

    def _note(self, known: Known, problems: Iterable[TinykitOpsError]) -> None:
        counts = {address: len(networks) for address, networks in known.cdn.items()}
        note = {
            "at": int(time.time()),
            "ok": not list(problems),
            "networks": counts,
            "problems": [str(problem) for problem in problems],
        }
        files.write(self.places.status, json.dumps(note, indent=1) + "\n", mode=0o600)


def _replace(path: Path, text: str | None) -> None:
    """A file with this text, or no file."""
    if text is None:
        path.unlink(missing_ok=True)
    else:
        files.write(path, text)


def _filled(name: str, members: list[str]) -> str:
    text = f"flush set {TABLE} {name}\n"
    return text + (f"add element {TABLE} {name} {{ {', '.join(members)} }}\n" if members else "")


def _real(address: str) -> host_knows.Address:
    """An address as it is on the wire: a mapped IPv4 one is IPv4."""
    parsed = ip_address(address)
    if not isinstance(parsed, IPv4Address) and parsed.ipv4_mapped:
        return parsed.ipv4_mapped
    return parsed


def _live_sets_fit(text: str) -> bool:
    """Whether the table that is loaded has these sets; rules to come bring them otherwise."""
    done = subprocess.run(
        [NFT, "--check", "--file", "-"], input=text, text=True, capture_output=True, check=False
    )
    return done.returncode == 0
