"""The network: what the world can connect to."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tinykit_ops import layout
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.firewall import input_policies, read_ruleset
from tinykit_ops.checks.http import Client
from tinykit_ops.checks.model import Area, Remedy, Severity, Tally, Vantage, Verdict
from tinykit_ops.checks.ports import PortState, addresses_of_host, knock
from tinykit_ops.checks.registry import check
from tinykit_ops.checks.sockets import listeners

_LINE = "Protect the builder; PocketBase behind /_pb/"
_PORTS = {layout.TINYKIT_PORT: "tinykit", layout.POCKETBASE_PORT: "PocketBase"}
_PATIENCE = 3.0  #: seconds at most; a firewall that drops never answers
_ROUND_TRIPS = 20  #: waited for an answer, where the web port shows how long one takes
_BIND = Remedy(
    by_hand="Let tinykit and PocketBase listen on loopback only (HOST=127.0.0.1 for tinykit, "
    "`--http 127.0.0.1:8091` for PocketBase, `127.0.0.1:3000:3000` in a compose file), and let "
    "a firewall drop what it does not know."
)


@check(
    id="network.ports-closed",
    title="tinykit and PocketBase cannot be reached beside the reverse proxy",
    area=Area.NETWORK,
    severity=Severity.CRITICAL,
    looks_from=Vantage.OUTSIDER,
    checklist=_LINE,
    remedy=_BIND,
)
def ports_are_closed(look: Context) -> Verdict:
    """Tries to connect to both ports on every address of the instance."""
    client, tally = look.stranger, Tally()
    for address in addresses_of_host(look):
        _try_ports(client, address, tally)
    return tally.verdict()


def _try_ports(client: Client, address: str, tally: Tally) -> None:
    """Knock on both ports of an address, at once, and on the web port to see that it lives."""
    started = time.monotonic()
    alive = knock(client.dialer, address, client.target.port, _PATIENCE) == PortState.OPEN
    answered_in = time.monotonic() - started
    patience = min(max(1.0, _ROUND_TRIPS * answered_in), _PATIENCE)
    with ThreadPoolExecutor(len(_PORTS)) as pool:
        states = pool.map(lambda port: knock(client.dialer, address, port, patience), _PORTS)
    for (port, name), state in zip(_PORTS.items(), states, strict=True):
        line = f"{address} {state} on port {port} ({name})"
        if state == PortState.OPEN:
            tally.bad.append(line)
        elif alive and state != PortState.UNREACHABLE:
            tally.good.append(line)
        else:
            tally.unseen.append(f"{line}, but the web port does not answer there either")


@check(
    id="network.loopback-only",
    title="tinykit and PocketBase listen on loopback only",
    area=Area.NETWORK,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=_BIND,
)
def services_listen_on_loopback(look: Context) -> Verdict:
    """Reads the kernel's list of listening sockets."""
    tally = Tally()
    found = listeners(look.machine)
    for port, name in _PORTS.items():
        addresses = [each for each in found if each.port == port]
        if not addresses:
            tally.unseen.append(f"nothing listens on port {port} ({name})")
        for each in addresses:
            line = f"{name} listens on {each.address} port {port}"
            (tally.good if each.is_loopback else tally.bad).append(line)
    return tally.verdict()


@check(
    id="network.firewall-drops",
    title="A firewall drops what it does not know, IPv4 and IPv6",
    area=Area.NETWORK,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist="Protect the builder",
    remedy=Remedy(
        by_hand="table inet filter {\n\tchain input {\n"
        "\t\ttype filter hook input priority filter; policy drop;\n"
        "\t\tct state established,related accept\n\t\tiif lo accept\n"
        "\t\tmeta l4proto { icmp, ipv6-icmp } accept\n\t\ttcp dport { 22, 80, 443 } accept\n\t}\n"
        "}\nin /etc/nftables.conf, and `systemctl enable --now nftables`."
    ),
)
def firewall_drops(look: Context) -> Verdict:
    """Reads nftables' rules as the kernel holds them."""
    policies = input_policies(read_ruleset(look.machine))
    tally = Tally()
    for family, guards in policies.items():
        if guards:
            tally.good.append(f"{family}: {', '.join(guards)} drops by default")
        else:
            tally.bad.append(f"{family}: no input chain drops by default")
    return tally.verdict()
