"""The network: what tinykit's server can reach, and whether the firewall comes back."""

from __future__ import annotations

from tinykit_ops import layout
from tinykit_ops.checks.containers import in_containers, inside
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import (
    Area,
    CannotLook,
    Remedy,
    Severity,
    Tally,
    Vantage,
    Verdict,
    failed,
    passed,
)
from tinykit_ops.checks.registry import check

#: Connects as its caller and says how that went: 0 connected, 7 refused at once, 8 anything else.
_CONNECT = (
    "import socket,sys\n"
    "s=socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET)\n"
    "s.settimeout(3)\n"
    "try: s.connect((sys.argv[1],int(sys.argv[2])))\n"
    "except (ConnectionRefusedError,PermissionError): sys.exit(7)\n"
    "except OSError as e: sys.exit(8 if e.errno not in (101,113) else 7)\n"
)
_OWN = ("127.0.0.1", str(layout.TINYKIT_PORT))
#: What a cloud's machines answer at: credentials of the host.
_METADATA = ("169.254.169.254", "80")


@check(
    id="network.egress-contained",
    title="tinykit's open proxy reaches nothing inside",
    area=Area.NETWORK,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist="Protect the builder; PocketBase behind /_pb/",
    remedy=Remedy(
        by_hand="Run deploys/firewall.py again (`firewall.enabled`); or in nftables:\n"
        'chain output {\n\ttype filter hook output priority filter;\n\tmeta skuid "tinykit" '
        "ct state new ip daddr { 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, "
        "172.16.0.0/12, 192.168.0.0/16 } tcp dport != 8091 reject\n}\n"
        "tinykit's own block-list misses [::1], [::ffff:127.0.0.1], 169.254.169.254 and redirects."
    ),
)
def egress_is_contained(look: Context) -> Verdict:
    """Connects as tinykit's user: to PocketBase, which must work, to tinykit's own port, to the
    metadata of a cloud and to SSH over IPv6, which must be refused at once. With containers, it
    does so in their network, and to the host's SSH there. Nothing is sent."""
    enter = inside(look.machine) if in_containers(look) else ()
    tinykit = (*enter, "runuser", "-u", layout.TINYKIT_USER, "--", "python3", "-c", _CONNECT)
    control = look.machine.run(*tinykit, "127.0.0.1", str(layout.POCKETBASE_PORT))
    if control.status != 0:
        raise CannotLook(f"user {layout.TINYKIT_USER} cannot reach PocketBase: {control.complaint}")
    # As root this port answers, so that a refusal is the firewall's.
    if not _answers_root(look, _OWN):
        raise CannotLook(f"nothing answers at {' port '.join(_OWN)}, so a refusal proves nothing")
    tally = Tally()
    for address, port in (_OWN, _METADATA, *_beyond(look)):
        result = look.machine.run(*tinykit, address, port)
        line = f"user {layout.TINYKIT_USER} to {address} port {port}"
        if result.status == 0:
            tally.bad.append(f"{line}: connected")
        elif result.status == 7:
            tally.good.append(f"{line}: refused at once")
        else:
            tally.bad.append(f"{line}: not refused, only unanswered")
    return tally.verdict()


def _answers_root(look: Context, place: tuple[str, str]) -> bool:
    """Does something listen there? With containers, their ports answer on the host too."""
    return look.machine.run("python3", "-c", _CONNECT, *place).status == 0


def _beyond(look: Context) -> list[tuple[str, str]]:
    """Where the host's SSH server answers: over IPv6; out of a container at the gateway."""
    port = str(look.settings.firewall.ssh_port if look.settings else 22)
    if look.settings and look.settings.in_containers:
        return [(str(look.settings.docker.gateway), port)]
    return [("::1", port)] if _answers_root(look, ("::1", port)) else []


@check(
    id="network.firewall-persistent",
    title="The firewall comes back after a reboot",
    area=Area.NETWORK,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist="Protect the builder",
    remedy=Remedy(
        by_hand=f"systemctl enable --now {layout.FIREWALL_UNIT} (or `nftables.service`, where the "
        "rules are in /etc/nftables.conf)"
    ),
)
def firewall_comes_back(look: Context) -> Verdict:
    """Asks systemd whether the unit that loads the rules is enabled, and whether it failed."""
    tally = Tally()
    for unit in (layout.FIREWALL_UNIT, "nftables.service"):
        enabled = look.machine.run("systemctl", "is-enabled", unit).out.strip()
        active = look.machine.run("systemctl", "is-active", unit).out.strip()
        line = f"{unit} is {enabled or 'not there'} and {active or 'unknown'}"
        if enabled.startswith("enabled") and active == "active":
            return passed(line)
        tally.bad.append(line)
    return failed(*tally.bad)
