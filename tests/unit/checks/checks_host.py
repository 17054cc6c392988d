"""A host as the deploy leaves it, for the checks that look there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from checks_imitations import FakeHost

from tinykit_ops import __version__, layout
from tinykit_ops.backup.status import STATUS_FILE
from tinykit_ops.checks.areas import egress, leaks, monitoring
from tinykit_ops.checks.context import Context
from tinykit_ops.settings.model import Settings

CANARY = "canary-secret-of-this-host"
CLIENT = f"{layout.TINYKIT_CURRENT}/build/client"
RELEASE = f"{layout.TINYKIT_CURRENT}/release.json"
CRON = "17 3 * * * root systemd-cat tinykit-ops backup run --scheduled --target {}\n"
MARKER = f"{layout.TINYKIT_CURRENT}/{layout.TINYKIT_MARKER}"
DATABASE = f"{layout.POCKETBASE_DATA}/data.db"
TCP = "  sl  local_address rem_address   st tx_queue\n"
NFT = "nft -j list ruleset"
SHOW = "systemctl show {} -p ActiveState,User,NeedDaemonReload"
EXPOSURE = "→ Overall exposure level for {}: {} SAFE :-D\n"


def settings(**more: object) -> Settings:
    return Settings.model_validate(
        {
            "domains": ["apps.example.com"],
            "admin_email": "you@example.com",
            "app": {"git": "https://git.example.com/tinykit", "commit": "0" * 40},
            "backup": {
                "targets": [{"kind": "directory", "name": "disk", "path": "/mnt/backup"}],
                "notify": {"email": "ops@example.com"},
            },
            **more,
        }
    )


def ruleset(family: str = "inet", policy: str = "drop", rules: list[object] | None = None) -> str:
    chain = {"family": family, "table": "tinykit_ops", "name": "input", "hook": "input"}
    rule = {"family": family, "table": "tinykit_ops", "chain": "input", "expr": rules or []}
    return json.dumps({"nftables": [{"chain": {**chain, "policy": policy}}, {"rule": rule}]})


def status(age: timedelta | None = timedelta(hours=3), **more: object) -> str:
    when = (datetime.now(UTC) - age).isoformat() if age is not None else None
    known = {"last_success": when, "first_success": when, "snapshot": "20260101T000000Z"}
    return json.dumps({"targets": {"disk": {**known, **more}}})


def ago(**more: float) -> str:
    return (datetime.now(UTC) - timedelta(**more)).isoformat()


def sockets(*local: str) -> str:
    return TCP + "".join(f"   0: {each} 00000000:0000 0A 0:0\n" for each in local)


def cannot_read(path: str) -> str:
    return f"runuser -u tinykit -- test -r {path}"


def systemd(host: FakeHost) -> FakeHost:
    """What systemd says of units, timers and the sandbox."""
    units = (layout.POCKETBASE_UNIT, layout.TINYKIT_UNIT, layout.CADDY_UNIT, layout.FIREWALL_UNIT)
    timers = ("apt-daily.timer", "apt-daily-upgrade.timer", "cron.service")
    for unit in (*units, *timers, *monitoring._EXPORTERS[:1]):
        host = host.saying(f"systemctl is-active {unit}", "active\n")
        host = host.saying(f"systemctl is-enabled {unit}", "enabled\n")
    for unit in (*monitoring._EXPORTERS[1:], "nftables.service"):
        host = host.saying(f"systemctl is-active {unit}", "inactive\n", 3)
    return host.saying(CONFINED, confined())


CONFINED = (
    f"systemctl show {layout.TINYKIT_UNIT} -p "
    "ActiveState,ProtectSystem,ProtectHome,NoNewPrivileges,ReadWritePaths,InaccessiblePaths"
)


def confined(**more: str) -> str:
    said = {
        "ActiveState": "active",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "NoNewPrivileges": "yes",
        "ReadWritePaths": "",
        "InaccessiblePaths": f"-{layout.POCKETBASE_STATE} -{layout.CONFIG_DIR}",
    }
    return "".join(f"{name}={value}\n" for name, value in {**said, **more}.items())


def find_programs(folder: str) -> str:
    strange = "( ! -user root -o -perm /022 )"
    return f"find {folder} ! -type l ! -name .setup_complete {strange} -print -quit"


FIND_SECRETS = f"find {layout.SECRETS_DIR} ( -perm /077 -o ! -user root )"
FIND_RELEASE = f"find {CLIENT} -type f ( -name *.js -o -name *.html -o -name *.css -o -name *.json"
FIND_RELEASE += " -o -name *.map )"
FIND_LEFT = f"find {layout.TINYKIT_HOME} -maxdepth 5 -not -path */node_modules/* ( -name .env -o"
FIND_LEFT += " -name .env.* -o -name .git -o -name data.db ) -not -name .env.example"
PS = "ps -ww -eo pid=,args="
JOURNAL = " ".join(leaks._JOURNAL)
UPGRADE = (
    "apt-get -s -o Debug::NoLocking=true -o APT::Get::Show-User-Simulation-Note=no dist-upgrade"
)
UPGRADES_CAME = "/var/lib/dpkg/info/unattended-upgrades.list"
UPGRADES_RAN = "/var/lib/apt/periodic/unattended-upgrades-stamp"
WAITS = "Inst libssl3 [3.0.15] (3.0.16 Debian-Security:12/stable-security [amd64])\n"
PERIODIC = 'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n'
CADDYFILE = (
    f"log {{\n output file {layout.CADDY_LOGS}/access.log {{\n  roll_size 50MiB\n  roll_keep 10\n"
)


def answers_root(address: str, port: int) -> str:
    return f"python3 -c {egress._CONNECT} {address} {port}"


def connects(address: str, port: int) -> str:
    return f"runuser -u tinykit -- python3 -c {egress._CONNECT} {address} {port}"


def programs(host: FakeHost) -> FakeHost:
    """Files, secrets and versions."""
    for folder in (layout.TINYKIT_HOME, layout.POCKETBASE_HOME, layout.NODE_HOME):
        host = host.with_file(folder, "root", 0o755).saying(find_programs(folder), "")
    for place in ("/", "/var/log", layout.POCKETBASE_STATE):
        table = (
            f"Filesystem blocks Used Available Capacity Mounted on\n/dev/sda1 9 3 6 34% {place}\n"
        )
        host = host.saying(f"df -P {place}", table)
    key = f"{layout.SECRETS_DIR}/superuser-password"
    lists = str(int(datetime.now(UTC).timestamp()) - 3600)
    commit = {"commit": "0" * 40, "dirty": False}
    return (
        host.with_file(layout.SECRETS_DIR, "root", 0o700)
        .with_file(key, "root", 0o600, f"{CANARY}\n")
        .saying(FIND_SECRETS, "")
        .saying(f"find {layout.SECRETS_DIR} -type f", f"{key}\n")
        .saying(FIND_RELEASE, f"{CLIENT}/a.js\n")
        .with_file(f"{CLIENT}/a.js", "root", 0o644, "let a = 1")
        .saying(FIND_LEFT, "")
        .saying(PS, "    1 /usr/lib/systemd/systemd\n   17 node build/index.js\n")
        .saying(JOURNAL, "Server started\n")
        .with_file(RELEASE, "root", 0o644, json.dumps(commit))
        .saying(f"{layout.POCKETBASE_BINARY} --version", "pocketbase version 0.40.6\n")
        .saying(f"{layout.NODE_BINARY} --version", "v24.19.0\n")
        .with_file("/etc/os-release", "root", 0o644, 'ID=debian\nVERSION_ID="13"\n')
        .with_file("/etc/debian_version", "root", 0o644, "13.2\n")
        .saying(UPGRADE, "0 upgraded\n")
        .saying("stat -c %Y /var/lib/apt/lists", lists)
        .saying(f"stat -c %Y {UPGRADES_RAN}", str(int(lists) - 3600))
        .saying("apt-config dump", PERIODIC)
        .saying("fail2ban-client status", "`- Jail list:\tsshd, tinykit-logins\n")
        .saying(connects("127.0.0.1", layout.POCKETBASE_PORT), "")
        .saying(answers_root("127.0.0.1", layout.TINYKIT_PORT), "")
        .saying(connects("127.0.0.1", layout.TINYKIT_PORT), "", 7)
        .saying(answers_root("::1", 22), "")
        .saying(connects("::1", 22), "", 7)
        .saying(connects("169.254.169.254", 80), "", 7)
        .saying("findmnt --noheadings -o FSTYPE -T /mnt/backup", "nfs4\n")
        .with_file(layout.CRON_FILE, "root", 0o644, CRON.format("disk"))
        .with_file(layout.CHECKS_CRON_FILE, "root", 0o644, "41 4 * * * root x check scheduled\n")
        .with_file(layout.SENDMAIL, "root", 0o755)
        .with_file(layout.CONFIG_FILE, "root", 0o600, "{}")
        .with_file(layout.LOCK_DIR, "root", 0o755)
        .with_file(layout.CADDY_CONFIG, "root", 0o644, CADDYFILE)
        .with_file(f"{layout.CADDY_LOGS}/access.log", "caddy", 0o600)
    )


def good_host() -> FakeHost:
    host = (
        FakeHost()
        .with_file(layout.TINYKIT_CONFIG_DIR, "root", 0o755)
        .with_file(layout.TINYKIT_ENVIRONMENT, "root", 0o600, f'LLM_API_KEY="{CANARY}-llm"\n')
        .with_file(MARKER, "root", 0o444, "{}")
        .with_file(DATABASE, "pocketbase", 0o600)
        .with_file(layout.POCKETBASE_STATE, "pocketbase", 0o700)
        .with_file(layout.POCKETBASE_DATA, "pocketbase", 0o700)
        .with_file(str(STATUS_FILE), "root", 0o644, status())
        .with_file("/proc/net/tcp", "root", 0o444, sockets("0100007F:0BB8", "0100007F:1F9B"))
        .with_file("/proc/net/tcp6", "root", 0o444, TCP)
        .saying(cannot_read(layout.POCKETBASE_DATA), "", 1)
        .saying(cannot_read(DATABASE), "", 1)
        .saying(NFT, ruleset())
        .saying(f"{layout.AGENT_COMMAND} --version", f"tinykit-ops, version {__version__}\n")
    )
    for unit, user, exposure in (
        (layout.POCKETBASE_UNIT, "pocketbase", "1.3"),
        (layout.TINYKIT_UNIT, "tinykit", "1.4"),
    ):
        host = host.saying(SHOW.format(unit), f"ActiveState=active\nUser={user}\n").saying(
            f"systemd-analyze security --no-pager {unit}", EXPOSURE.format(unit, exposure)
        )
    return programs(systemd(host))


def on(host: FakeHost, **more: object) -> Context:
    return Context(host=host, settings=settings(**more))
