"""Breaks of the host: files, units, firewall, versions."""

from __future__ import annotations

from mutation_kinds import both, mode, moved, mutation, new_file, owner, replaced, shell, text

from tinykit_ops import layout

MARKER = f"{layout.TINYKIT_CURRENT}/{layout.TINYKIT_MARKER}"
_CLIENT = f"{layout.TINYKIT_CURRENT}/build/client"
_DROP_IN = "/run/systemd/system/{}.d/mutation.conf"
_TABLE = f"inet {layout.FIREWALL_TABLE}"
_RULES = f"nft -f {layout.FIREWALL_RULES}"
#: Reads a secret on the host; it never leaves it.
_SECRET = f"$(cat {layout.SECRETS_DIR}/{layout.BASIC_COOKIE})"


def drop_in(unit: str, *lines: str, reload: bool = True):
    """Other settings of a unit, as `systemctl edit --runtime` makes them."""
    path = _DROP_IN.format(unit)
    content = "[Service]\n" + "\n".join(lines)
    then = "systemctl daemon-reload"
    make = f"mkdir -p {path.rsplit('/', 1)[0]}; printf %s '{content}' > {path}"
    return shell(f"{make}; {then}" if reload else make, f"rm -f {path}; {then}")


def firewall(*commands: str):
    """Other rules than those of the settings."""
    return shell("; ".join(f"nft {command}" for command in commands), _RULES)


def stopped(unit: str):
    """A unit that does not run."""
    return shell(f"systemctl stop {unit}", f"systemctl start {unit}")


def disabled(unit: str):
    """A unit that does not come back after a reboot."""
    return shell(f"systemctl disable -q {unit}", f"systemctl enable -q {unit}")


def listening(port: int):
    """A server that nobody wanted."""
    unit = f"mutation-{port}"
    find = "$(ip -4 -o addr show host0 | awk '{split($4, a, \"/\"); print a[1]}')"
    serve = f"python3 -m http.server --bind {find} {port}"
    return shell(
        f"systemd-run --quiet --unit {unit} {serve}; for n in 1 2 3 4 5 6 7 8 9; do "
        f"ss -Hltn 'sport = :{port}' | grep -qv 127.0.0.1 && break; sleep 0.3; done",
        f"systemctl stop {unit}",
    )


FILES = (
    mutation(
        "environment readable", "secrets.environment-file", mode(layout.TINYKIT_ENVIRONMENT, "644")
    ),
    mutation(
        "environment of tinykit",
        "secrets.environment-file",
        owner(layout.TINYKIT_ENVIRONMENT, "tinykit"),
    ),
    mutation(
        "environment's folder open",
        "secrets.environment-file",
        mode(layout.TINYKIT_CONFIG_DIR, "777"),
    ),
    mutation("marker writable", "secrets.setup-marker", mode(MARKER, "666")),
    mutation("marker of tinykit", "secrets.setup-marker", owner(MARKER, "tinykit")),
    mutation(
        "token in the marker", "secrets.setup-marker", text(MARKER, lambda _: '{"auth_token":"x"}')
    ),
    mutation("no marker", "secrets.setup-marker", moved(MARKER)),
    mutation(
        "a secret shared",
        "secrets.files-private",
        mode(f"{layout.SECRETS_DIR}/{layout.BASIC_COOKIE}", "644"),
    ),
    mutation(
        "a secret of somebody",
        "secrets.files-private",
        owner(f"{layout.SECRETS_DIR}/{layout.DEDUP_KEY}", "tinykit"),
    ),
    mutation(
        "data readable",
        "secrets.database-private files.upload-folder-private",
        both(mode(layout.POCKETBASE_STATE, "755"), mode(layout.POCKETBASE_DATA, "755")),
    ),
    mutation(
        "secret in arguments",
        "secrets.not-in-arguments",
        shell(
            f"systemd-run --quiet --unit mutation-argv sh -c 'exec sleep 600 # '; "
            f"printf 'exec -a \"x {_SECRET}\" sleep 600 & echo $! > /run/mutation-pid' "
            "> /run/m.sh; "
            "bash /run/m.sh > /dev/null 2>&1",
            "kill $(cat /run/mutation-pid); systemctl stop mutation-argv; rm /run/m.sh",
        ),
    ),
    mutation(
        "key in the release",
        "secrets.release-clean",
        shell(
            f". {layout.TINYKIT_ENVIRONMENT}; "
            f'printf \'let a = "%s"\' "$LLM_API_KEY" > {_CLIENT}/m.js',
            f"rm {_CLIENT}/m.js",
        ),
    ),
    mutation(
        "program of tinykit's",
        "files.programs-roots",
        owner(f"{layout.TINYKIT_CURRENT}/build/index.js", "tinykit"),
    ),
    mutation(
        "hooks writable",
        "files.programs-roots",
        mode(f"{layout.POCKETBASE_HOOKS}/tinykit_ops.pb.js", "666"),
    ),
    mutation(
        ".env in the release",
        "files.no-setup-leftovers",
        new_file(f"{layout.TINYKIT_CURRENT}/.env", "A=b"),
    ),
)

UNITS = (
    mutation(
        "tinykit may write",
        "files.tinykit-confined",
        drop_in(layout.TINYKIT_UNIT, "ReadWritePaths=/srv"),
    ),
    mutation(
        "tinykit sees the data",
        "files.tinykit-confined",
        drop_in(layout.TINYKIT_UNIT, "InaccessiblePaths="),
    ),
    mutation(
        "a milder sandbox",
        "files.units-hardened",
        drop_in(
            layout.POCKETBASE_UNIT,
            "NoNewPrivileges=no",
            "PrivateDevices=no",
            "RestrictNamespaces=no",
            "SystemCallFilter=",
        ),
    ),
    mutation(
        "a unit changed and not read",
        "files.units-hardened",
        shell(
            f"touch -d '+1 hour' /etc/systemd/system/{layout.TINYKIT_UNIT}",
            f"touch /etc/systemd/system/{layout.TINYKIT_UNIT}; systemctl daemon-reload",
        ),
    ),
    mutation("tinykit not enabled", "monitoring.services-run", disabled(layout.TINYKIT_UNIT)),
    mutation("PocketBase not enabled", "monitoring.services-run", disabled(layout.POCKETBASE_UNIT)),
    mutation("firewall not enabled", "network.firewall-persistent", disabled(layout.FIREWALL_UNIT)),
    mutation("no fail2ban", "authentication.bans", stopped(layout.BANS_UNIT)),
    mutation(
        "no jail for logins",
        "authentication.bans",
        shell(
            f"fail2ban-client stop {layout.LOGINS_JAIL}", f"systemctl restart {layout.BANS_UNIT}"
        ),
    ),
    mutation("nothing measures", "monitoring.metrics", stopped("prometheus-node-exporter.service")),
    mutation("no cron", "backups.scheduled", stopped("cron.service")),
    mutation(
        "no timer for updates", "versions.unattended-upgrades", stopped("apt-daily-upgrade.timer")
    ),
    mutation(
        "logrotate does not run",
        "monitoring.log-rotation",
        stopped("logrotate.timer"),
        only="nginx",
    ),
    mutation(
        "no rule for rotation",
        "monitoring.log-rotation",
        shell(
            "mkdir /root/mut; mv $(grep -rlF /var/log/nginx/tinykit/ /etc/logrotate.d) /root/mut",
            "mv /root/mut/* /etc/logrotate.d; rmdir /root/mut",
        ),
        only="nginx",
    ),
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
        "network.nothing-else-open proxy.fetches-nothing-inside",
        firewall(f"delete table {_TABLE}"),
    ),
    mutation(
        "a firewall that accepts",
        "network.firewall-drops network.ssh-allowlist network.nothing-else-open",
        firewall(f"add chain {_TABLE} input {{ policy accept\\; }}"),
    ),
    mutation(
        "SSH for everybody",
        "network.ssh-allowlist",
        firewall(f"insert rule {_TABLE} input tcp dport 22 accept"),
    ),
    mutation(
        "exporter for everybody",
        "network.nothing-else-open",
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
    ),
    mutation(
        "metadata reachable",
        "network.egress-contained",
        firewall(f"insert rule {_TABLE} tinykit ip daddr 169.254.0.0/16 accept"),
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
        "an update waits",
        "versions.security-updates",
        new_file(
            "/usr/local/sbin/apt-get",
            "#!/bin/sh\necho Inst libssl3 [3.0] (3.1 Debian-Security:13/stable-security)",
            "chmod 755 /usr/local/sbin/apt-get 2>/dev/null || true",
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
