"""The files that run tinykit and PocketBase in containers, and the units that start them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.artifacts import file_sha256
from tinykit_ops.deploy.pocketbase import CREDENTIALS, DIRECTORIES
from tinykit_ops.deploy.templates import render
from tinykit_ops.errors import UsageError
from tinykit_ops.ops.tree import File, Folder
from tinykit_ops.settings import Settings
from tinykit_ops.settings.docker import make_base
from tinykit_ops.settings.pyinfra_error import RunStoppedError

UNITS = "/etc/systemd/system"


@dataclass(frozen=True)
class Slot:
    """One place for a release of tinykit: a service in compose.yml, and its unit.

    Attributes:
        link: points at the release on the host.
        boots: it starts with the host.
    """

    service: str
    unit: str
    port: int
    link: str
    boots: bool = True

    @property
    def container(self) -> str:
        """What the container is called."""
        return f"tinykit-{self.service.removeprefix('tinykit-')}"

    @property
    def variable(self) -> str:
        """Holds the release's id in compose.yml."""
        return f"{self.service.upper().replace('-', '_')}_RELEASE"


SERVER = Slot("tinykit-app", layout.TINYKIT_UNIT, layout.TINYKIT_PORT, layout.TINYKIT_CURRENT)
STANDBY = Slot(
    "tinykit-standby",
    layout.TINYKIT_STANDBY_UNIT,
    layout.TINYKIT_STANDBY_PORT,
    layout.TINYKIT_STANDBY,
    boots=False,
)
SLOTS = (SERVER, STANDBY)


def packages(facts: Mapping[str, str]) -> list[str]:
    """What to install for Docker: nothing where somebody brought Docker's own packages."""
    if facts.get("docker_ce"):
        return []
    # Debian 12 has the command in docker.io.
    client = [] if facts.get("version") == "12" else ["docker-cli"]
    return ["docker.io", *client, "docker-compose", "iptables"]


def pocketbase_reads(settings: Settings) -> list[str]:
    """What makes PocketBase's container stale."""
    return [*layout.DOCKER_READ, f"{layout.DOCKER_BUILT}/pocketbase-{settings.pocketbase.version}"]


def base_archive(settings: Settings) -> tuple[Path, str] | None:
    """The base image's root file system on the controller, and its hash; None without one.

    Raises:
        RunStoppedError: it cannot be read; pyinfra prints it and stops.
    """
    if not settings.in_containers or not settings.docker.base_archive:
        return None
    path = Path(settings.docker.base_archive).expanduser()
    digest = file_sha256(path)
    if not digest:
        problem = UsageError(
            "the base image's archive cannot be read",
            where=f"docker.base_archive = {path}",
            hint=f"`{make_base(path)}` makes one",
        )
        raise RunStoppedError(problem)
    return path, digest


def docker_files(settings: Settings) -> list[Folder | File]:
    """compose.yml, the script that the units run, the rules inside, and the network's unit."""
    return [
        Folder(layout.DOCKER_DIR, mode="700"),
        File(
            layout.DOCKER_COMPOSE,
            render(
                "docker/compose.yml.j2",
                settings=settings,
                slots=SLOTS,
                directories=DIRECTORIES,
                pocketbase_environment=pocketbase_environment(settings),
            ),
            mode="600",
        ),
        File(
            layout.DOCKER_NET,
            render(
                "docker/net.yml.j2",
                settings=settings,
                ports=[*(slot.port for slot in SLOTS), layout.POCKETBASE_PORT],
            ),
            mode="600",
        ),
        File(
            layout.DOCKER_RUN,
            render("docker/run.sh.j2", slots=SLOTS, credentials=CREDENTIALS),
            mode="700",
        ),
        File(layout.DOCKER_INSIDE, render("docker/inside.nft.j2", settings=settings), mode="600"),
        File(f"{UNITS}/{layout.NET_UNIT}", _net_unit()),
    ]


def pocketbase_environment(settings: Settings) -> dict[str, str]:
    """What the hooks read, none of it secret; the same as in PocketBase's unit for systemd."""
    limits, tls = settings.edge.limits, settings.edge.tls
    return {
        "CREDENTIALS_DIRECTORY": "/run/credentials",
        "TINYKIT_OPS_SUPERUSER_EMAIL": settings.superuser,
        "TINYKIT_OPS_GUESSES_A_MINUTE": str(limits.logins),
        "TINYKIT_OPS_SNAPSHOTS": layout.POCKETBASE_SNAPSHOTS,
        "TINYKIT_OPS_BASIC_USER": settings.access.basic_user,
        **(
            {
                "TINYKIT_OPS_TLS_NAMES": layout.POCKETBASE_TLS_NAMES,
                "TINYKIT_OPS_TLS_NAMES_A_DAY": str(tls.new_names_a_day),
            }
            if tls.on_demand
            else {}
        ),
    }


def pocketbase_unit() -> str:
    """PocketBase's unit."""
    return _unit(
        layout.POCKETBASE_UNIT,
        "PocketBase, the database of tinykit",
        "pocketbase",
        layout.POCKETBASE_CONTAINER,
        needs=[layout.NET_UNIT],
        asks=(layout.POCKETBASE_PORT, "/api/health"),
    )


def tinykit_unit(settings: Settings, slot: Slot) -> str:
    """The unit of a slot. Asked for data, tinykit logs in at PocketBase before a visitor comes."""
    return _unit(
        slot.unit,
        "tinykit",
        slot.service,
        slot.container,
        needs=[layout.NET_UNIT],
        wants=[layout.POCKETBASE_UNIT],
        after=[layout.FIREWALL_UNIT],
        asks=(slot.port, "/_tk/data/none/none"),
        guarded=settings.firewall.enabled,
        boots=slot.boots,
    )


def _net_unit() -> str:
    return _unit(
        layout.NET_UNIT,
        "The network of tinykit and PocketBase",
        "net",
        layout.NET_CONTAINER,
        after=["network-online.target", layout.FIREWALL_UNIT],
        inside=True,
    )


def _unit(
    unit: str,
    description: str,
    service: str,
    container: str,
    *,
    needs: list[str] | None = None,
    wants: list[str] | None = None,
    after: list[str] | None = None,
    asks: tuple[int, str] | None = None,
    guarded: bool = False,
    inside: bool = False,
    boots: bool = True,
) -> str:
    return render(
        "systemd/container.service.j2",
        unit=unit,
        description=description,
        service=service,
        container=container,
        needs=needs or [],
        wants=wants or [],
        after=after or [],
        asks=asks,
        guarded=guarded,
        inside=inside,
        boots=boots,
    )
