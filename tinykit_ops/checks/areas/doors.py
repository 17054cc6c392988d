"""The network: ports that nobody needs from outside."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tinykit_ops.checks.context import Context
from tinykit_ops.checks.http import Client
from tinykit_ops.checks.model import (
    Area,
    CannotLook,
    Need,
    Remedy,
    Severity,
    Tally,
    Vantage,
    Verdict,
    passed,
)
from tinykit_ops.checks.ports import PortState, addresses_of_host, knock
from tinykit_ops.checks.registry import check

#: What is found on servers by mistake, by the port that it usually has.
_MISTAKES = {
    2019: "Caddy's administration",
    2375: "Docker without a password",
    5432: "PostgreSQL",
    6379: "Redis",
    8080: "a second web server",
    9100: "Prometheus' node-exporter",
    9113: "an exporter of the web server's numbers",
}
_PATIENCE = 1.5  #: seconds; a firewall that drops never answers


@check(
    id="network.nothing-else-open",
    title="No other service can be reached from outside",
    area=Area.NETWORK,
    severity=Severity.HIGH,
    looks_from=Vantage.OUTSIDER,
    checklist="Protect the builder",
    remedy=Remedy(
        by_hand="Let the service listen on 127.0.0.1, and let the firewall drop what it does not "
        "know (check `network.firewall-drops`). Docker's published ports go around a firewall's "
        "input chain: publish them as 127.0.0.1:PORT:PORT."
    ),
)
def nothing_else_is_open(look: Context) -> Verdict:
    """Tries to connect to the ports of services that are often left open."""
    client, tally = look.stranger, Tally()
    ports = _mistakes(look)
    for address in addresses_of_host(look):
        _try_mistakes(client, address, ports, tally)
    return tally.verdict()


def _mistakes(look: Context) -> dict[int, str]:
    """The ports to try. Whether a scraper of the settings looks from here is not known unless it
    is certain that it is a stranger; to a scraper, metrics are open."""
    metrics = look.settings.metrics if look.settings else None
    if metrics is None:
        return _MISTAKES
    ours = {port: "metrics" for port in metrics.ports if metrics.enabled}
    if metrics.scrapers and not look.is_stranger:
        return {port: name for port, name in _MISTAKES.items() if port not in ours}
    return {**ours, **_MISTAKES}


def _try_mistakes(client: Client, address: str, ports: dict[int, str], tally: Tally) -> None:
    if _knock(client, address, client.target.port) != PortState.OPEN:
        tally.unseen.append(f"{address} does not answer on port {client.target.port} either")
        return
    with ThreadPoolExecutor(len(ports)) as pool:
        states = list(pool.map(lambda port: _knock(client, address, port), ports))
    pairs = zip(ports.items(), states, strict=True)
    found = [(port, name) for (port, name), state in pairs if state == PortState.OPEN]
    tally.bad += [f"{address} port {port} ({name}) is open" for port, name in found]
    tally.good.append(f"{address}: {len(ports) - len(found)} ports are closed")


def _knock(client: Client, address: str, port: int) -> PortState:
    return knock(client.dialer, address, port, _PATIENCE)


@check(
    id="network.ssh-allowlist",
    title="SSH can be reached from where the settings say, and from nowhere else",
    area=Area.NETWORK,
    severity=Severity.MEDIUM,
    looks_from=Vantage.OUTSIDER,
    needs=(Need.SETTINGS,),
    checklist="Ways to add authentication: IP allowlist",
    remedy=Remedy(
        by_hand="Run deploys/firewall.py again: the host's rules are not those of the inventory "
        "(`firewall.ssh_from`). Until then, `nft list table inet tinykit_ops` shows what holds."
    ),
)
def ssh_keeps_its_allowlist(look: Context) -> Verdict:
    """Knocks at SSH from an address that is on no allowlist."""
    firewall = look.known.firewall
    if any(network.prefixlen == 0 for network in firewall.ssh_from):
        return passed(f"SSH (port {firewall.ssh_port}) is meant for everybody: firewall.ssh_from")
    if not look.is_stranger:
        raise CannotLook("needs to look from an address on no allowlist (--from USER@HOST)")
    client, port, tally = look.stranger, firewall.ssh_port, Tally()
    for address in addresses_of_host(look):
        state = _knock(client, address, port)
        line = f"{address} {state} on port {port}"
        if state == PortState.OPEN:
            tally.bad.append(line)
        elif _knock(client, address, client.target.port) == PortState.OPEN:
            tally.good.append(line)
        else:
            tally.unseen.append(f"{line}, but the web port does not answer there either")
    return tally.verdict()
