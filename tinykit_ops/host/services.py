"""Which systemd units an instance consists of, by the names that people use."""

from __future__ import annotations

from tinykit_ops import layout
from tinykit_ops.settings import Settings


def services(settings: Settings) -> dict[str, str]:
    """Name → unit of what has to run on a host with these settings."""
    found = {
        "tinykit": layout.TINYKIT_UNIT,
        "pocketbase": layout.POCKETBASE_UNIT,
        "edge": layout.CADDY_UNIT if settings.edge.kind == "caddy" else layout.NGINX_UNIT,
        "cron": "cron.service",
    }
    if settings.in_containers:
        found["network"] = layout.NET_UNIT
    if settings.firewall.enabled:
        found["firewall"] = layout.FIREWALL_UNIT
    if settings.bans.enabled:
        found["bans"] = layout.BANS_UNIT
    if settings.metrics.enabled:
        found["metrics"] = layout.NODE_EXPORTER_UNIT
        if settings.edge.kind == "nginx":
            found["edge-metrics"] = layout.NGINX_EXPORTER_UNIT
    return found
