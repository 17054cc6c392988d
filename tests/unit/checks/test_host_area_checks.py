"""Secrets, files, network, monitoring, backups and versions of a host: one thing broken each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from checks_host import (
    CADDYFILE,
    CANARY,
    CLIENT,
    CONFINED,
    CRON,
    FIND_LEFT,
    FIND_SECRETS,
    JOURNAL,
    NFT,
    PERIODIC,
    PS,
    RELEASE,
    UPGRADE,
    UPGRADES_CAME,
    UPGRADES_RAN,
    WAITS,
    ago,
    confined,
    connects,
    find_programs,
    good_host,
    on,
    ruleset,
    sockets,
    status,
)
from checks_imitations import FakeHost, verdict

from tinykit_ops import layout
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.status import STATUS_FILE
from tinykit_ops.checks.model import Outcome, Vantage
from tinykit_ops.checks.registry import all_checks

HOST_CHECKS = [check.id for check in all_checks() if check.looks_from == Vantage.HOST]
Break = Callable[[FakeHost], FakeHost]


def file(path: str, text: str = "", owner: str = "root", mode: int = 0o644) -> Break:
    return lambda host: host.with_file(path, owner, mode, text)


def gone(path: str) -> Break:
    return lambda host: host.without(path)


def says(words: str, out: str, code: int = 0) -> Break:
    return lambda host: host.saying(words, out, code)


def unit(name: str, state: str = "inactive") -> Break:
    return says(f"systemctl is-active {name}", f"{state}\n", 3)


def disabled(name: str) -> Break:
    return says(f"systemctl is-enabled {name}", "disabled\n", 1)


def proven(**more: object) -> Break:
    return file(str(STATUS_FILE), status(**more))  # type: ignore[arg-type]


def lock(hours: float, process: int = 17) -> Break:
    began = f"{datetime.now(UTC) - timedelta(hours=hours):%Y-%m-%d %H:%M:%S}"
    path = str(Places().lock)
    return lambda host: host.with_file(
        path, "root", 0o600, f"process {process}, since {began} UTC\n"
    ).with_file("/proc/17", "root", 0o555)


def open_exporter(host: FakeHost) -> FakeHost:
    """Port 9100 on every address, and a rule that lets everybody in there."""
    every = sockets("0100007F:0BB8", "0100007F:1F9B", "00000000:238C")
    port = {"left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 9100, "op": "=="}
    answer = ruleset(rules=[{"match": port}, {"accept": None}])
    return host.with_file("/proc/net/tcp", "root", 0o444, every).saying(NFT, answer)


BROKEN: dict[str, tuple[str, Break]] = {
    "secret shared": ("secrets.files-private", says(FIND_SECRETS, "/etc/tinykit-ops/secrets/x\n")),
    "secret in arguments": ("secrets.not-in-arguments", says(PS, f"  17 curl -u a:{CANARY}\n")),
    "key in arguments": ("secrets.not-in-arguments", says(PS, f"  17 x --key={CANARY}-llm\n")),
    "secret in the journal": ("secrets.not-in-journal", says(JOURNAL, f"login {CANARY}\n")),
    "install link": (
        "secrets.not-in-journal",
        says(JOURNAL, "http://127.0.0.1:8091/_/#/pbinstal/eyJh\n"),
    ),
    "key in a bundle": (
        "secrets.release-clean",
        file(f"{CLIENT}/a.js", f'const key="{CANARY}-llm"'),
    ),
    "program of tinykit's": (
        "files.programs-roots",
        says(find_programs(layout.TINYKIT_HOME), f"{layout.TINYKIT_HOME}/x\n"),
    ),
    "hook of pocketbase's": (
        "files.programs-roots",
        says(find_programs(layout.POCKETBASE_HOME), f"{layout.POCKETBASE_HOOKS}/x.pb.js\n"),
    ),
    "may write": ("files.tinykit-confined", says(CONFINED, confined(ReadWritePaths="/srv"))),
    "mild sandbox": ("files.tinykit-confined", says(CONFINED, confined(ProtectSystem="full"))),
    "data in sight": ("files.tinykit-confined", says(CONFINED, confined(InaccessiblePaths=""))),
    "data open": (
        "files.upload-folder-private",
        lambda host: host.with_file(layout.POCKETBASE_STATE, "pocketbase", 0o755).with_file(
            layout.POCKETBASE_DATA, "pocketbase", 0o755
        ),
    ),
    "data of root": (
        "files.upload-folder-private",
        file(layout.POCKETBASE_DATA, owner="root", mode=0o700),
    ),
    "leftovers": ("files.no-setup-leftovers", says(FIND_LEFT, "/opt/tinykit/current/.env\n")),
    "egress open": (
        "network.egress-contained",
        says(connects("127.0.0.1", layout.TINYKIT_PORT), ""),
    ),
    "egress open over IPv6": ("network.egress-contained", says(connects("::1", 22), "")),
    "metadata unanswered": (
        "network.egress-contained",
        says(connects("169.254.169.254", 80), "", 8),
    ),
    "firewall forgets": (
        "network.firewall-persistent",
        lambda host: says("systemctl is-enabled nftables.service", "disabled\n", 1)(
            disabled(layout.FIREWALL_UNIT)(host)
        ),
    ),
    "no bans": ("authentication.bans", says("fail2ban-client status", "", 255)),
    "half the bans": ("authentication.bans", says("fail2ban-client status", "Jail list:\tsshd\n")),
    "no exporter": ("monitoring.metrics", unit("prometheus-node-exporter.service")),
    "exporter for the world": ("network.metrics-private", open_exporter),
    "no mailer": ("monitoring.alerts", gone(layout.SENDMAIL)),
    "no nightly look": ("monitoring.nightly-check", gone(layout.CHECKS_CRON_FILE)),
    "no access log": (
        "monitoring.access-log",
        file(layout.CADDY_CONFIG, "roll_size 50MiB\nroll_keep 10\n"),
    ),
    "log deleted": ("monitoring.access-log", gone(f"{layout.CADDY_LOGS}/access.log")),
    "no rotation": (
        "monitoring.log-rotation",
        file(layout.CADDY_CONFIG, CADDYFILE.replace("roll_size 50MiB", "")),
    ),
    "full disk": (
        "monitoring.disk-space",
        says("df -P /var/log", "head\n/dev/sda1 9 9 0 97% /var/log\n"),
    ),
    "edge ended": ("monitoring.services-run", unit(layout.CADDY_UNIT, "failed")),
    "tinykit not enabled": ("monitoring.services-run", disabled(layout.TINYKIT_UNIT)),
    "no schedule": ("backups.scheduled", gone(layout.CRON_FILE)),
    "schedule of another": ("backups.scheduled", file(layout.CRON_FILE, CRON.format("other"))),
    "schedule off": ("backups.scheduled", file(layout.CRON_FILE, f"# {CRON.format('disk')}")),
    "no cron": ("backups.scheduled", unit("cron.service")),
    "never verified": ("backups.verified", proven(first_success=ago(days=9))),
    "verified long ago": ("backups.verified", proven(last_verified=ago(days=9))),
    "verified bad": (
        "backups.verified",
        proven(last_verified=ago(days=2), last_verify_failure=ago(days=1), verify_error="half"),
    ),
    "folder on the own disk": (
        "backups.off-host",
        says("findmnt --noheadings -o FSTYPE -T /mnt/backup", "ext4\n"),
    ),
    "stuck": ("backups.not-stuck", lock(30)),
    "old pocketbase": (
        "versions.pocketbase",
        says(f"{layout.POCKETBASE_BINARY} --version", "pocketbase version 0.37.3\n"),
    ),
    "old node": ("versions.node", says(f"{layout.NODE_BINARY} --version", "v18.20.4\n")),
    "ancient node": ("versions.node", says(f"{layout.NODE_BINARY} --version", "v12.1.0\n")),
    "old debian": ("versions.system", file("/etc/os-release", 'ID=debian\nVERSION_ID="11"\n')),
    "another commit": ("versions.tinykit", file(RELEASE, f'{{"commit": "{"1" * 40}"}}')),
    "dirty build": (
        "versions.tinykit",
        file(RELEASE, f'{{"commit": "{"0" * 40}", "dirty": true}}'),
    ),
    "no commit": ("versions.tinykit", gone(RELEASE)),
    "update left waiting": (
        "versions.security-updates",
        lambda host: host.saying(UPGRADE, WAITS).saying(
            f"stat -c %Y {UPGRADES_RAN}", str(int(datetime.now(UTC).timestamp()))
        ),
    ),
    "update waits for days": (
        "versions.security-updates",
        lambda host: host.saying(UPGRADE, WAITS).saying(
            f"stat -c %Y {UPGRADES_RAN}", str(int((datetime.now(UTC) - timedelta(3)).timestamp()))
        ),
    ),
    "upgrades never ran": (
        "versions.security-updates",
        lambda host: (
            host.saying(UPGRADE, WAITS)
            .saying(f"stat -c %Y {UPGRADES_RAN}", "", 1)
            .saying(f"stat -c %Y {UPGRADES_CAME}", "", 1)
        ),
    ),
    "no upgrades": ("versions.unattended-upgrades", says("apt-config dump", "")),
    "no timer": ("versions.unattended-upgrades", unit("apt-daily-upgrade.timer")),
    "switched off": (
        "versions.unattended-upgrades",
        says("apt-config dump", PERIODIC.replace('Upgrade "1"', 'Upgrade "0"')),
    ),
    "reboot due": ("versions.no-reboot-needed", file("/run/reboot-required")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_thing_broken_on_the_host_is_exactly_one_finding(name: str) -> None:
    check, make = BROKEN[name]
    look = on(make(good_host()))
    seen = {each: verdict(each, look) for each in HOST_CHECKS}
    strange = {each for each, found in seen.items() if found.outcome != Outcome.PASS}
    assert strange == {check}, [seen[each] for each in strange]
    assert seen[check].outcome == Outcome.FAIL
    assert CANARY not in str(seen)
