"""What the firewall's deploy tells the agent: a file of its own, so that it can run alone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from tinykit_ops import layout
from tinykit_ops.errors import UsageError
from tinykit_ops.host import files
from tinykit_ops.settings import Settings
from tinykit_ops.settings.network_list import Networks, in_order


@dataclass(frozen=True)
class Wants:
    """What the host has to know for the firewall.

    Attributes:
        ssh_port: where sshd has to listen.
        confirm_seconds: how long new rules may stay unconfirmed.
        cdn: whether the web is for a CDN alone.
        networks: those of the CDN that the controller knows.
        lists: https addresses of lists of more of them.
        llm_host, llm_port: the language model's API; an empty host for none.
        edge_unit: reads the CDN's networks when it reloads.
    """

    ssh_port: int
    confirm_seconds: int
    cdn: bool
    networks: tuple[str, ...]
    lists: tuple[str, ...]
    llm_host: str
    llm_port: int
    edge_unit: str

    @property
    def known_networks(self) -> Networks:
        """`networks`, as networks."""
        return [ip_network(text) for text in self.networks]


def wants_of(settings: Settings, given: Iterable[str] = ()) -> Wants:
    """What settings say.

    Args:
        given: the CDN's networks out of files of the controller.
    """
    firewall = settings.firewall
    llm = urlsplit(settings.llm.base_url or "")
    networks = in_order([*firewall.cdn.networks, *(ip_network(text) for text in given)])
    return Wants(
        ssh_port=firewall.ssh_port,
        confirm_seconds=firewall.confirm_seconds,
        cdn=firewall.mode == "cdn",
        networks=tuple(str(network) for network in networks),
        lists=tuple(firewall.cdn.addresses),
        llm_host=llm.hostname or "",
        llm_port=llm.port or (80 if llm.scheme == "http" else 443),
        edge_unit=layout.CADDY_UNIT if settings.edge.kind == "caddy" else layout.NGINX_UNIT,
    )


def as_text(wants: Wants) -> str:
    """The file's content."""
    return json.dumps(asdict(wants), indent=1, sort_keys=True) + "\n"


def read_wants(path: Path = Path(layout.FIREWALL_WANTS)) -> Wants:
    """What the deploy said last. Raises: UsageError when it said nothing, or in other words."""
    try:
        found = json.loads(files.read(path) or "{}")
        return Wants(**{**found, "networks": tuple(found["networks"]), "lists": (*found["lists"],)})
    except (ValueError, TypeError, KeyError):
        raise UsageError(
            "nothing here says what the firewall should be",
            where=str(path),
            hint="run `pyinfra INVENTORY deploys/firewall.py`",
        ) from None
