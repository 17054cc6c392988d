"""What a lab calls the things it makes, so that they can be found again without any notes.

Every name derives from the folder that holds the labs and from the lab's own name. That is how
`lab down --all` knows what is its own after a crash, and how labs kept in two folders (a user's
and a test's) never touch each other's things.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from tinykit_ops.errors import UsageError

DEFAULT_ROOT = Path("/var/lib/tinykit-ops/labs")
DEFAULT_CACHE = Path("/var/cache/tinykit-ops/lab")
DEFAULT_LAB = "default"
DOMAIN = "lab.test"  #: .test is reserved for this (RFC 6761)
MAX_HOSTS = 99  #: a machine name and its interface (15 characters) hold two digits

_VALID_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
LAB_DOCKER = "TINYKIT_LAB_DOCKER"


def state_root() -> Path:
    """The folder that holds the labs: $TINYKIT_LAB_ROOT, or /var/lib/tinykit-ops/labs."""
    return Path(os.environ.get("TINYKIT_LAB_ROOT") or DEFAULT_ROOT).absolute()


def cache_root() -> Path:
    """The folder that holds base trees: $TINYKIT_LAB_CACHE, or /var/cache/tinykit-ops/lab."""
    return Path(os.environ.get("TINYKIT_LAB_CACHE") or DEFAULT_CACHE).absolute()


def docker_wanted() -> bool:
    """Whether Docker can run on hosts of labs that do not say: $TINYKIT_LAB_DOCKER is 1."""
    return os.environ.get(LAB_DOCKER) == "1"


def check_name(name: str) -> str:
    """Returns `name` if a lab may be called so. Raises: UsageError."""
    if not _VALID_NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a lab.",
            hint="Use 1 to 32 small letters, digits and hyphens, for example: demo, test-2",
        )
    return name


@dataclass(frozen=True)
class RootNames:
    """The prefixes that everything made for the labs of one folder begins with."""

    root: Path

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that stand for the folder."""
        return hashlib.sha256(os.fsencode(self.root)).hexdigest()[:8]

    @property
    def link_prefix(self) -> str:
        """Interfaces have 15 characters, so only three digits of the folder fit."""
        return f"tk{self.digest[:3]}"

    @property
    def netns_prefix(self) -> str:
        """Network namespaces of this folder's labs begin with this."""
        return f"tinykit-lab-{self.digest}-"

    @property
    def table_prefix(self) -> str:
        """nft tables of this folder's labs begin with this."""
        return f"tinykit_lab_{self.digest}_"

    @property
    def cgroup(self) -> str:
        """The control group, relative to a hierarchy's root, that holds this folder's labs."""
        return f"tinykit-lab-{self.digest}"


@dataclass(frozen=True)
class LabNames:
    """What one lab calls its folder, interfaces, namespace, nft table and control group."""

    root: Path
    name: str

    @property
    def of_root(self) -> RootNames:
        """The prefixes of the folder that this lab is in."""
        return RootNames(self.root)

    @property
    def folder(self) -> Path:
        """Where the lab keeps everything."""
        return self.root / self.name

    @property
    def link_id(self) -> str:
        """Eight characters: what this lab's interfaces and machines begin with."""
        digest = hashlib.sha256(self.name.encode()).hexdigest()[:3]
        return f"{self.of_root.link_prefix}{digest}"

    @property
    def bridge(self) -> str:
        """The bridge that the hosts are on."""
        return f"{self.link_id}-br"

    @property
    def outside_link(self) -> str:
        """This machine's end of the cable to the outside client."""
        return f"{self.link_id}-out"

    @property
    def netns(self) -> str:
        """The outside client's network namespace."""
        return f"{self.of_root.netns_prefix}{self.name}"

    @property
    def table(self) -> str:
        """The nft table (family inet) with the lab's two rules."""
        return f"{self.of_root.table_prefix}{self.name.replace('-', '_')}"

    @property
    def cgroup(self) -> str:
        """The control group that holds every process of this lab."""
        return f"{self.of_root.cgroup}/{self.name}"

    @property
    def clients_cgroup(self) -> str:
        """Holds what talks to the hosts: on the outside client, and the lab's own SSH."""
        return f"{self.cgroup}/outside"

    def machine(self, number: int) -> str:
        """What systemd-nspawn calls host `number` (1..99): 11 characters at most."""
        return f"{self.link_id}-{number}"
