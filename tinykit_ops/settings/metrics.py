"""Exporters for a Prometheus, and who may scrape them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from tinykit_ops import layout
from tinykit_ops.settings.firewall import MAX_NETWORKS, is_everywhere
from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import ListLike, Network

#: Who listens there already, on an instance.
_TAKEN = {
    layout.TINYKIT_PORT: "tinykit",
    layout.TINYKIT_STANDBY_PORT: "tinykit's standby",
    layout.POCKETBASE_PORT: "PocketBase",
    layout.CADDY_ASK_PORT: "Caddy",
    layout.NGINX_STATUS_PORT: "nginx's own count",
}


def _scrapers_are_some(metrics: MetricsSettings) -> Iterator[Problem]:
    if metrics.scrapers and not metrics.enabled:
        reason = "is set, and metrics are not enabled: there is nothing to scrape"
        yield Problem("scrapers", reason, 'set "enabled": True, or leave it out')
    for number, network in enumerate(metrics.scrapers):
        if is_everywhere(network):
            reason = f"{network} is every address: metrics say much about a host"
            yield Problem(f"scrapers[{number}]", reason, "name the address of your Prometheus")


def _ports_are_free(metrics: MetricsSettings) -> Iterator[Problem]:
    for key in ("node_port", "edge_port"):
        port = getattr(metrics, key)
        if port in _TAKEN:
            yield Problem(key, f"{port} is the port of {_TAKEN[port]}", "take another one")
    if metrics.node_port == metrics.edge_port:
        yield Problem("edge_port", "is that of node_port", "give each a port of its own")


class MetricsSettings(Section):
    """Exporters for a Prometheus, and who may scrape them."""

    rules = (_scrapers_are_some, _ports_are_free)

    enabled: bool = Field(
        default=False,
        description="Whether the host runs exporters for a Prometheus: node-exporter, with what "
        "backups, checks and the watch write down, and the edge's own numbers.",
        examples=[True],
    )
    scrapers: Annotated[list[Network], ListLike] = Field(
        default=[],
        max_length=MAX_NETWORKS,
        description="Addresses and networks of who may scrape. Left out, exporters listen on "
        "loopback only, for a Prometheus or an agent on the host itself, or a tunnel.",
        examples=[["203.0.113.9", "2001:db8::9"]],
    )
    node_port: int = Field(
        default=9100, ge=1024, le=65535, description="Port of node-exporter.", examples=[9100]
    )
    edge_port: int = Field(
        default=9113,
        ge=1024,
        le=65535,
        description="Port of the edge's numbers: Caddy's own, or nginx' through its exporter.",
        examples=[9113],
    )

    @property
    def ports(self) -> tuple[int, int]:
        """Both ports."""
        return self.node_port, self.edge_port
