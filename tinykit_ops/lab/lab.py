"""A lab: its hosts, its outside client, its S3 and ACME servers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinykit_ops.lab import plan
from tinykit_ops.lab import state as notes
from tinykit_ops.lab.acme import LabAcme
from tinykit_ops.lab.addresses import LabNetworks
from tinykit_ops.lab.errors import LabNotFoundError
from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.machine import Machine
from tinykit_ops.lab.names import (
    DEFAULT_LAB,
    LabNames,
    cache_root,
    check_name,
    docker_wanted,
    state_root,
)
from tinykit_ops.lab.outside import Outside
from tinykit_ops.lab.s3 import LabS3
from tinykit_ops.lab.state import LabState

Progress = Callable[[str], None]


def quiet(_: str) -> None:
    """Says nothing."""


@dataclass(frozen=True)
class Lab:
    """A lab that has been planned; see `up` and `load`."""

    names: LabNames
    state: LabState
    cache: Path

    @classmethod
    def up(
        cls,
        name: str = DEFAULT_LAB,
        *,
        releases: Sequence[str] = (),
        count: int = 1,
        s3: bool = True,
        disk: str | None = None,
        acme_life: int = 0,
        docker: bool | None = None,
        root: Path | None = None,
        cache: Path | None = None,
        progress: Progress = quiet,
    ) -> Lab:
        """Make a lab, or what is missing of it, and wait until its hosts are ready.

        Args:
            releases: one host for each ("13", "trixie", "12", "bookworm"); the lab's own
                hosts, or one of Debian 13, when empty.
            count: hosts of each release.
            s3: whether to run an S3 server.
            disk: size of a disk for each new host ("2G"); None shares this machine's.
            acme_life: seconds that the certificates of an ACME server of its own are good for;
                without one when 0. It stays as it was first asked for.
            docker: whether Docker can run on each new host; it gets every capability for that.
                None is what the environment says (TINYKIT_LAB_DOCKER=1).
            root, cache: folders for the labs and the base trees.
        Raises: TinykitOpsError in many kinds; what was made stays, and `up` goes on from there.
        """
        from tinykit_ops.lab.building import build  # it needs this module

        docker = docker_wanted() if docker is None else docker
        request = (releases, count, s3, disk, acme_life, docker)
        names = LabNames(root or state_root(), check_name(name))
        return build(names, cache or cache_root(), *request, progress=progress)

    @classmethod
    def load(cls, name: str = DEFAULT_LAB, root: Path | None = None) -> Lab:
        """Find a lab again. Raises: LabNotFoundError, LabStateError."""
        names = LabNames(root or state_root(), check_name(name))
        return cls(names, notes.load(names.folder), cache_root())

    def down(self, progress: Progress = quiet) -> None:
        """End the lab and remove everything of it."""
        from tinykit_ops.lab.removal import remove_lab

        remove_lab(self.names, progress)

    @property
    def name(self) -> str:
        """What the lab is called."""
        return self.names.name

    @property
    def folder(self) -> Path:
        """Where the lab keeps everything (0700)."""
        return self.names.folder

    @property
    def networks(self) -> LabNetworks:
        """Its subnets; `networks.controller4` and 6 are this machine's addresses there."""
        return plan.networks_of(self.state)

    @property
    def key(self) -> Path:
        """The private SSH key that opens root and ops on every host."""
        return self.folder / "keys" / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """Pins the key of every host."""
        return self.folder / "keys" / "known_hosts"

    @property
    def age_key(self) -> Path:
        """An age identity for backups of this lab."""
        return self.folder / "keys" / "backup-age.key"

    @property
    def admin_password(self) -> Path:
        """A password for the first account of tinykit."""
        return self.folder / "keys" / "admin-password"

    @property
    def hosts(self) -> list[LabHost]:
        """All hosts, in the order of their numbers."""
        trees = self.cache
        machines = (Machine(self.names, host, trees) for host in self.state.hosts)
        return [LabHost(machine, self.key, self.known_hosts) for machine in machines]

    def host(self, name: str) -> LabHost:
        """One host. Raises: LabNotFoundError."""
        for host in self.hosts:
            if host.name == name:
                return host
        known = ", ".join(host.name for host in self.hosts) or "none"
        raise LabNotFoundError(
            f"Lab {self.name!r} has no host {name!r}.", hint=f"Its hosts: {known}"
        )

    @property
    def outside(self) -> Outside:
        """A client that is on no allowlist."""
        networks = self.networks
        return Outside(self.names, str(networks.client4), str(networks.client6))

    @property
    def s3(self) -> LabS3:
        """Its S3 server. Raises: LabNotFoundError when it was made without."""
        if not self.state.s3:
            raise LabNotFoundError(
                f"Lab {self.name!r} has no S3 server.", hint="tinykit-ops lab up (without --no-s3)"
            )
        return LabS3(self.folder / "s3", str(self.networks.controller4))

    @property
    def acme(self) -> LabAcme:
        """Its ACME server. Raises: LabNotFoundError when it was made without."""
        if not self.state.acme_life:
            raise LabNotFoundError(
                f"Lab {self.name!r} has no ACME server.", hint="tinykit-ops lab up --acme"
            )
        address = str(self.networks.controller4)
        return LabAcme(self.folder / "acme", address, self.state.acme_life)
