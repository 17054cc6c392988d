"""What a Prometheus reads: alert rules, and whom to scrape."""

from __future__ import annotations

from collections.abc import Sequence

from tinykit_ops.deploy.templates import render
from tinykit_ops.errors import UsageError
from tinykit_ops.monitoring.groups import groups_of
from tinykit_ops.settings.inventory import HostSettings

JOB = "tinykit"  #: node-exporters
EDGE_JOB = "tinykit-edge"


def alert_rules(hosts: Sequence[HostSettings] = ()) -> str:
    """A file of rules, with the bounds of these hosts, or the defaults."""
    return render("prometheus/alerts.yml.j2", groups=groups_of(hosts), job=JOB, edge_job=EDGE_JOB)


def scrape_configs(hosts: Sequence[HostSettings]) -> str:
    """The part `scrape_configs` of a Prometheus for these hosts.

    Raises:
        UsageError: none of them has metrics.
    """
    wanted = [one for one in hosts if one.settings.metrics.enabled]
    if not wanted:
        raise UsageError(
            "No host of the inventory has metrics", hint='set "metrics": {"enabled": True}'
        )
    jobs = {
        JOB: [_target(one, one.settings.metrics.node_port) for one in wanted],
        EDGE_JOB: [_target(one, one.settings.metrics.edge_port) for one in wanted],
    }
    return render("prometheus/scrape.yml.j2", jobs=jobs)


def _target(one: HostSettings, port: int) -> str:
    return f"[{one.host}]:{port}" if ":" in one.host else f"{one.host}:{port}"
