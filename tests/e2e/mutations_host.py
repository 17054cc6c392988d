"""Breaks of the host: files and units."""

from __future__ import annotations

from mutation_kinds import both, mode, moved, mutation, new_file, owner, shell, text

from tinykit_ops import layout

MARKER = f"{layout.TINYKIT_CURRENT}/{layout.TINYKIT_MARKER}"
_CLIENT = f"{layout.TINYKIT_CURRENT}/build/client"
_DROP_IN = "/run/systemd/system/{}.d/mutation.conf"
#: Reads a secret on the host; it never leaves it.
_SECRET = f"$(cat {layout.SECRETS_DIR}/{layout.BASIC_COOKIE})"


def drop_in(unit: str, *lines: str, reload: bool = True):
    """Other settings of a unit, as `systemctl edit --runtime` makes them."""
    path = _DROP_IN.format(unit)
    content = "[Service]\n" + "\n".join(lines)
    then = "systemctl daemon-reload"
    make = f"mkdir -p {path.rsplit('/', 1)[0]}; printf %s '{content}' > {path}"
    return shell(f"{make}; {then}" if reload else make, f"rm -f {path}; {then}")


def stopped(unit: str):
    """A unit that does not run."""
    return shell(f"systemctl stop {unit}", f"systemctl start {unit}")


def disabled(unit: str):
    """A unit that does not come back after a reboot."""
    return shell(f"systemctl disable -q {unit}", f"systemctl enable -q {unit}")


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
        runtime="systemd",
    ),
    mutation(
        "tinykit sees the data",
        "files.tinykit-confined",
        drop_in(layout.TINYKIT_UNIT, "InaccessiblePaths="),
        runtime="systemd",
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
        runtime="systemd",
    ),
    mutation(
        "a unit changed and not read",
        "files.units-hardened",
        shell(
            f"touch -d '+1 hour' /etc/systemd/system/{layout.TINYKIT_UNIT}",
            f"touch /etc/systemd/system/{layout.TINYKIT_UNIT}; systemctl daemon-reload",
        ),
        runtime="systemd",
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
