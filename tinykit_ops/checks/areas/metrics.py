"""Metrics: for this host and its scrapers, and nobody else."""

from __future__ import annotations

from tinykit_ops import layout
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.firewall import input_policies, opened_to_all, read_ruleset
from tinykit_ops.checks.model import (
    Area,
    Need,
    Remedy,
    Severity,
    Tally,
    Vantage,
    Verdict,
    passed,
)
from tinykit_ops.checks.registry import check
from tinykit_ops.checks.sockets import Listener, listeners

_USUAL = (9100, 9113)  #: of exporters that somebody installed by hand


@check(
    id="network.metrics-private",
    title="Exporters' metrics are for this host and its scrapers only",
    area=Area.NETWORK,
    severity=Severity.MEDIUM,
    looks_from=Vantage.HOST,
    needs=(Need.SETTINGS,),
    checklist="Set up monitoring (unusual traffic, error spikes)",
    remedy=Remedy(
        by_hand="Let the exporter listen on loopback (`--web.listen-address=127.0.0.1:9100`), or "
        "name your Prometheus in `metrics.scrapers` and run deploys/full.py: the firewall then "
        "lets in nobody else."
    ),
)
def metrics_are_private(look: Context) -> Verdict:
    """Reads the kernel's list of listening sockets, and nftables' rules."""
    ports = {*_USUAL, *look.known.metrics.ports, layout.NGINX_STATUS_PORT}
    found = [each for each in listeners(look.machine) if each.port in ports]
    if not found:
        return passed(f"nothing listens on the ports of exporters ({_numbers(ports)})")
    tally = Tally()
    ruleset = "" if all(each.is_loopback for each in found) else read_ruleset(look.machine)
    for each in found:
        if each.is_loopback:
            tally.good.append(f"port {each.port} listens on {each.address}")
        else:
            _behind_firewall(ruleset, each, tally)
    return tally.verdict()


def _behind_firewall(ruleset: str, each: Listener, tally: Tally) -> None:
    where = f"port {each.port} listens on {each.address}"
    policies = input_policies(ruleset)
    # The wildcard of IPv6 takes IPv4 too.
    wanted = ["IPv4"] if each.address.version == 4 else ["IPv4", "IPv6"]
    bare = [family for family in wanted if not policies[family]]
    if bare:
        tally.bad.append(f"{where}, and no firewall drops what comes by {' and '.join(bare)}")
    elif each.port in opened_to_all(ruleset):
        tally.bad.append(f"{where}, and a rule of the firewall lets everybody in there")
    else:
        tally.good.append(f"{where}, behind a firewall that lets in whom it names")


def _numbers(ports: set[int]) -> str:
    return ", ".join(str(port) for port in sorted(ports))
