"""The lab's network: a bridge for the hosts, a routed subnet for the outside client.

    hosts ── bridge ── this machine ── outside client (a network namespace)
                            │
                         uplink (masqueraded for the hosts, so that apt and pip work)

The outside client is routed, not masqueraded: the hosts see its own address, which is on no
allowlist.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from tinykit_ops.lab import cgroups
from tinykit_ops.lab.addresses import LabNetworks
from tinykit_ops.lab.commands import run
from tinykit_ops.lab.names import LabNames

NETNS_CONFIG = Path("/etc/netns")  #: where `ip netns exec` looks for a namespace's own files


def build(names: LabNames, networks: LabNetworks) -> None:
    """Make whatever of the lab's network is not there yet."""
    _build_bridge(names, networks)
    _build_outside(names, networks)
    run(["nft", "-f", "-"], input_text=ruleset(names, networks))


def write_outside_hosts(names: LabNames, lines: str) -> None:
    """Tell the outside client the hosts' names (the text of an /etc/hosts)."""
    folder = NETNS_CONFIG / names.netns
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError:  # the end of another lab took the empty folder away
        folder.mkdir(parents=True, exist_ok=True)
    (folder / "hosts").write_text(lines)


def remove(names: LabNames) -> None:
    """Remove the lab's network, whatever of it is there."""
    remove_links([names.bridge, names.outside_link])
    remove_netns(names.netns)
    remove_table(names.table)


def ruleset(names: LabNames, networks: LabNetworks) -> str:
    """The lab's nft table; loading it again replaces it in one step."""
    hosts4, hosts6, bridge = networks.hosts4, networks.hosts6, names.bridge
    return f"""\
table inet {names.table} {{}}
delete table inet {names.table}
table inet {names.table} {{
    chain forward {{
        type filter hook forward priority filter; policy accept;
        iifname {{ "{bridge}", "{names.outside_link}" }} accept
        oifname {{ "{bridge}", "{names.outside_link}" }} accept
    }}
    chain uplink {{
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr {hosts4} ip daddr != {{ {hosts4}, {networks.outside4} }} masquerade
        ip6 saddr {hosts6} ip6 daddr != {{ {hosts6}, {networks.outside6} }} masquerade
    }}
}}
"""


def link_exists(name: str) -> bool:
    """Whether this machine has an interface of that name."""
    return Path("/sys/class/net", name).exists()


def links_with(prefix: str) -> list[str]:
    """Interfaces of this machine whose names begin with `prefix`."""
    return sorted(p.name for p in Path("/sys/class/net").iterdir() if p.name.startswith(prefix))


def netns_with(prefix: str) -> list[str]:
    """Named network namespaces, and leftovers of their files, that begin with `prefix`."""
    found: set[str] = set()
    for folder in (Path("/run/netns"), NETNS_CONFIG):
        with suppress(FileNotFoundError):
            found.update(path.name for path in folder.iterdir())
    return sorted(name for name in found if name.startswith(prefix))


def tables_with(prefix: str) -> list[str]:
    """nft tables of family inet whose names begin with `prefix`."""
    words = (line.split() for line in run(["nft", "list", "tables"]).stdout.splitlines())
    tables = (line[2] for line in words if line[:2] == ["table", "inet"])
    return sorted(table for table in tables if table.startswith(prefix))


def remove_links(links: list[str]) -> None:
    """Remove those of the interfaces that exist."""
    for link in links:
        if link_exists(link):
            run(["ip", "link", "delete", link])


def remove_netns(name: str) -> None:
    """Remove a named network namespace and its files, if they exist."""
    if Path("/run/netns", name).exists():
        run(["ip", "netns", "delete", name])
    shutil.rmtree(NETNS_CONFIG / name, ignore_errors=True)
    with suppress(OSError):  # not empty, or gone: labs of other folders come and go beside this
        NETNS_CONFIG.rmdir()


def forget_netns_mount() -> None:
    """Undo the mount that `ip netns add` makes the first time, when no namespace is left."""
    folder = Path("/run/netns")
    points = [line.split(" ")[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    if str(folder) in points and not any(folder.iterdir()):
        # Fails, rightly, when somebody makes a namespace at this very moment.
        run(["umount", str(folder)], check=False)


def remove_table(name: str) -> None:
    """Remove an nft table of family inet, if it exists."""
    if name in tables_with(name):
        run(["nft", "delete", "table", "inet", name])


def outside_command(names: LabNames, words: list[str]) -> list[str]:
    """The command that runs `words` on the outside client, inside the lab's control group."""
    return cgroups.inside(names.clients_cgroup, ["ip", "netns", "exec", names.netns, *words])


def _build_bridge(names: LabNames, networks: LabNetworks) -> None:
    if not link_exists(names.bridge):
        run(["ip", "link", "add", names.bridge, "type", "bridge", "forward_delay", "0"])
    _address(names.bridge, f"{networks.controller4}/24", f"{networks.controller6}/64")
    run(["ip", "link", "set", names.bridge, "up"])


def _build_outside(names: LabNames, networks: LabNetworks) -> None:
    if not Path("/run/netns", names.netns).exists():
        run(["ip", "netns", "add", names.netns])
    inside = ["ip", "-netns", names.netns]
    if not link_exists(names.outside_link):
        # Both ends are born where they belong, so that no half of a pair can be left over.
        pair = ["type", "veth", "peer", "name", "eth0", "netns", names.netns]
        run(["ip", "link", "add", names.outside_link, *pair])
    _address(names.outside_link, f"{networks.outside4[1]}/24", f"{networks.outside6[1]}/64")
    run(["ip", "link", "set", names.outside_link, "up"])
    run([*inside, "link", "set", "lo", "up"])
    _address("eth0", f"{networks.client4}/24", f"{networks.client6}/64", inside)
    run([*inside, "link", "set", "eth0", "up"])
    run([*inside, "-4", "route", "replace", "default", "via", str(networks.outside4[1])])
    run([*inside, "-6", "route", "replace", "default", "via", str(networks.outside6[1])])


def _address(link: str, v4: str, v6: str, ip: list[str] | None = None) -> None:
    # nodad: the subnets are ours alone, and a tentative address cannot be listened on.
    command = ip or ["ip"]
    run([*command, "address", "replace", v4, "dev", link])
    run([*command, "address", "replace", v6, "dev", link, "nodad"])
