"""Breaks of the host: its network and its versions."""

from __future__ import annotations

from mutation_kinds import both, moved, mutation, new_file, replaced, shell, text

from tinykit_ops import layout

_TABLE = f"inet {layout.FIREWALL_TABLE}"
_RULES = f"nft -f {layout.FIREWALL_RULES}"
_FAKE_APT = "/usr/local/sbin/apt-get"
_WAITS = '#!/bin/sh\\necho "Inst libssl3 [3.0] (3.1 Debian-Security:13/stable-security)"\\n'
_UPGRADES_RAN = "/var/lib/apt/periodic/unattended-upgrades-stamp"


def firewall(*commands: str):
    """Other rules than those of the settings."""
    return shell("; ".join(f"nft {command}" for command in commands), _RULES)


def listening(port: int):
    """A server that nobody wanted."""
    unit = f"mutation-{port}"
    find = "$(ip -4 -o addr show host0 | awk '{split($4, a, \"/\"); print a[1]}')"
    serve = f"python3 -m http.server --bind {find} {port}"
    return shell(
        f"systemd-run --quiet --unit {unit} {serve}; for n in $(seq 200); do "
        f"ss -Hltn 'sport = :{port}' | grep -qv 127.0.0.1 && break; sleep 0.3; done",
        f"systemctl stop {unit}",
    )


NETWORK = (
    mutation("tinykit on every address", "network.loopback-only", listening(3000)),
    mutation("PocketBase on every address", "network.loopback-only", listening(8091)),
    mutation(
        "tinykit's port open",
        "network.loopback-only network.ports-closed",
        both(listening(3000), firewall(f"insert rule {_TABLE} input tcp dport 3000 accept")),
    ),
    mutation(
        "PocketBase's port open",
        "network.loopback-only network.ports-closed",
        both(listening(8091), firewall(f"insert rule {_TABLE} input tcp dport 8091 accept")),
    ),
    mutation(
        "no firewall",
        "network.firewall-drops network.egress-contained network.ssh-allowlist "
        "network.nothing-else-open network.metrics-private proxy.fetches-nothing-inside",
        firewall(f"delete table {_TABLE}"),
        runtime="systemd",
    ),
    mutation(
        "a firewall that accepts",
        "network.firewall-drops network.ssh-allowlist network.nothing-else-open "
        "network.metrics-private",
        firewall(f"add chain {_TABLE} input {{ policy accept\\; }}"),
    ),
    mutation(
        "SSH for everybody",
        "network.ssh-allowlist",
        firewall(f"insert rule {_TABLE} input tcp dport 22 accept"),
    ),
    mutation(
        "exporter for everybody",
        "network.nothing-else-open network.metrics-private",
        firewall(f"insert rule {_TABLE} input tcp dport 9100 accept"),
    ),
    mutation(
        "a second web server",
        "network.nothing-else-open",
        both(listening(8080), firewall(f"insert rule {_TABLE} input tcp dport 8080 accept")),
    ),
    mutation(
        "egress open",
        "network.egress-contained proxy.fetches-nothing-inside",
        firewall(f"flush chain {_TABLE} output"),
        runtime="systemd",
    ),
    mutation(
        "metadata reachable",
        "network.egress-contained",
        firewall(f"insert rule {_TABLE} tinykit ip daddr 169.254.0.0/16 accept"),
        runtime="systemd",
    ),
)

VERSIONS = (
    mutation(
        "old PocketBase",
        "versions.pocketbase",
        replaced(layout.POCKETBASE_BINARY, "echo pocketbase version 0.37.3"),
    ),
    mutation("ended Node.js", "versions.node", replaced(layout.NODE_BINARY, "echo v18.20.4")),
    mutation(
        "ended Debian",
        "versions.system",
        text(
            "/etc/os-release",
            lambda said: said.replace('VERSION_ID="13"', 'VERSION_ID="11"').replace(
                'VERSION_ID="12"', 'VERSION_ID="11"'
            ),
        ),
    ),
    mutation(
        "a changed checkout",
        "versions.tinykit",
        text(
            f"{layout.TINYKIT_CURRENT}/release.json",
            lambda said: said.replace('"dirty": false', '"dirty": true'),
        ),
    ),
    mutation(
        "a release of no commit",
        "versions.tinykit",
        moved(f"{layout.TINYKIT_CURRENT}/release.json"),
    ),
    mutation(
        "an update is left waiting",
        "versions.security-updates",
        shell(
            f"printf '{_WAITS}' > {_FAKE_APT}; chmod 755 {_FAKE_APT};"
            f" if [ -e {_UPGRADES_RAN} ]; then cp -p {_UPGRADES_RAN} {_UPGRADES_RAN}.mutation; fi;"
            f" mkdir -p $(dirname {_UPGRADES_RAN}); touch -d '1 minute' {_UPGRADES_RAN}",
            f"rm -f {_FAKE_APT} {_UPGRADES_RAN};"
            f" [ ! -e {_UPGRADES_RAN}.mutation ] || mv {_UPGRADES_RAN}.mutation {_UPGRADES_RAN}",
        ),
    ),
    mutation(
        "updates switched off",
        "versions.unattended-upgrades",
        text("/etc/apt/apt.conf.d/21tinykit-ops", lambda said: said.replace("1", "0")),
    ),
    mutation("a reboot is due", "versions.no-reboot-needed", new_file("/run/reboot-required", "x")),
    mutation(
        "another agent",
        "versions.agent",
        text(
            f"{layout.AGENT_VENV}/tinykit_ops/__init__.py",
            lambda said: said + '\n__version__ = "0.0.9"\n',
        ),
    ),
)
