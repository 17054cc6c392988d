"""The checks that look on the host, each on a host that is right, wrong and unreadable."""

from datetime import timedelta
from pathlib import Path

import pytest
from checks_host import (
    DATABASE,
    EXPOSURE,
    MARKER,
    NFT,
    SHOW,
    TCP,
    cannot_read,
    good_host,
    on,
    ruleset,
    settings,
    sockets,
    status,
)
from checks_imitations import FakeHost, verdict

from tinykit_ops import layout
from tinykit_ops.backup.status import STATUS_FILE
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.host import LocalHost
from tinykit_ops.checks.model import CannotLook, Outcome, Vantage
from tinykit_ops.checks.registry import all_checks

HOST_CHECKS = [check.id for check in all_checks() if check.looks_from == Vantage.HOST]


@pytest.mark.parametrize("check", HOST_CHECKS)
def test_a_good_host_passes_with_evidence_and_without_secrets(check: str) -> None:
    seen = verdict(check, on(good_host()))
    assert seen.outcome == Outcome.PASS, seen
    assert "canary" not in str(seen)


@pytest.mark.parametrize("check", HOST_CHECKS)
def test_an_empty_host_passes_nothing(check: str) -> None:
    assert verdict(check, on(FakeHost())).outcome != Outcome.PASS


@pytest.mark.parametrize("check", HOST_CHECKS)
def test_without_a_host_every_check_says_so(check: str) -> None:
    seen = verdict(check, Context(settings=settings()))
    assert seen.outcome == Outcome.UNKNOWN
    assert "on the host" in seen.evidence[0]


PLAIN_HOST = good_host()
BROKEN: dict[str, tuple[str, FakeHost]] = {
    "environment readable": (
        "secrets.environment-file",
        PLAIN_HOST.with_file(layout.TINYKIT_ENVIRONMENT, "root", 0o640),
    ),
    "environment owned by tinykit": (
        "secrets.environment-file",
        PLAIN_HOST.with_file(layout.TINYKIT_ENVIRONMENT, "tinykit", 0o600),
    ),
    "environment folder writable": (
        "secrets.environment-file",
        PLAIN_HOST.with_file(layout.TINYKIT_CONFIG_DIR, "root", 0o777),
    ),
    "marker with a password": (
        "secrets.setup-marker",
        PLAIN_HOST.with_file(MARKER, "root", 0o444, '{"admin_password":"canary"}'),
    ),
    "marker with a token": (
        "secrets.setup-marker",
        PLAIN_HOST.with_file(MARKER, "root", 0o444, '{"auth_token":"canary"}'),
    ),
    "marker writable": ("secrets.setup-marker", PLAIN_HOST.with_file(MARKER, "tinykit", 0o600)),
    "marker is text": ("secrets.setup-marker", PLAIN_HOST.with_file(MARKER, "root", 0o444, "x")),
    "no marker": ("secrets.setup-marker", PLAIN_HOST.without(MARKER)),
    "database readable": (
        "secrets.database-private",
        PLAIN_HOST.saying(cannot_read(DATABASE), "", 0),
    ),
    "data folder readable": (
        "secrets.database-private",
        PLAIN_HOST.saying(cannot_read(layout.POCKETBASE_DATA), "", 0),
    ),
    "exposed unit": (
        "files.units-hardened",
        PLAIN_HOST.saying(
            f"systemd-analyze security --no-pager {layout.TINYKIT_UNIT}",
            EXPOSURE.format(layout.TINYKIT_UNIT, "9.2"),
        ),
    ),
    "unit as root": (
        "files.units-hardened",
        PLAIN_HOST.saying(SHOW.format(layout.TINYKIT_UNIT), "ActiveState=active\nUser=\n"),
    ),
    "unit changed on disk": (
        "files.units-hardened",
        PLAIN_HOST.saying(
            SHOW.format(layout.TINYKIT_UNIT),
            "ActiveState=active\nUser=tinykit\nNeedDaemonReload=yes\n",
        ),
    ),
    "tinykit on every address": (
        "network.loopback-only",
        PLAIN_HOST.with_file(
            "/proc/net/tcp", "root", 0o444, sockets("00000000:0BB8", "0100007F:1F9B")
        ),
    ),
    "pocketbase on every ipv6 address": (
        "network.loopback-only",
        PLAIN_HOST.with_file("/proc/net/tcp6", "root", 0o444, sockets("0" * 32 + ":1F9B")),
    ),
    "no firewall": ("network.firewall-drops", PLAIN_HOST.saying(NFT, '{"nftables":[]}')),
    "firewall accepts": (
        "network.firewall-drops",
        PLAIN_HOST.saying(NFT, ruleset(policy="accept")),
    ),
    "firewall of ipv4 only": (
        "network.firewall-drops",
        PLAIN_HOST.saying(NFT, ruleset(family="ip")),
    ),
    "firewall with a hole": (
        "network.firewall-drops",
        PLAIN_HOST.saying(NFT, ruleset(rules=[{"counter": {}}, {"accept": None}])),
    ),
    "old backup": (
        "backups.fresh",
        PLAIN_HOST.with_file(str(STATUS_FILE), "root", 0o644, status(timedelta(hours=27))),
    ),
    "backup of tomorrow": (
        "backups.fresh",
        PLAIN_HOST.with_file(str(STATUS_FILE), "root", 0o644, status(timedelta(hours=-9))),
    ),
    "failing backup": (
        "backups.fresh",
        PLAIN_HOST.with_file(str(STATUS_FILE), "root", 0o644, status(None, error="no space")),
    ),
    "backup to elsewhere only": (
        "backups.fresh",
        PLAIN_HOST.with_file(str(STATUS_FILE), "root", 0o644, '{"targets":{"other":{}}}'),
    ),
    "never backed up": ("backups.fresh", PLAIN_HOST.without(str(STATUS_FILE))),
    "old agent": (
        "versions.agent",
        PLAIN_HOST.saying(f"{layout.AGENT_COMMAND} --version", "tinykit-ops, version 0.0.1\n"),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_thing_broken_on_the_host_is_exactly_one_finding(name: str) -> None:
    check, host = BROKEN[name]
    seen = {each: verdict(each, on(host)).outcome for each in HOST_CHECKS}
    assert {each for each, outcome in seen.items() if outcome == Outcome.FAIL} == {check}
    # Of a snapshot that is not there nobody can say whether it comes back.
    unseen = {each for each, outcome in seen.items() if outcome == Outcome.UNKNOWN}
    assert unseen <= {"backups.verified"}
    assert "canary" not in str(verdict(check, on(host)))


UNREADABLE: dict[str, tuple[str, FakeHost]] = {
    "no environment file": (
        "secrets.environment-file",
        PLAIN_HOST.without(layout.TINYKIT_ENVIRONMENT),
    ),
    "no database": ("secrets.database-private", PLAIN_HOST.without(DATABASE)),
    "no such user": (
        "secrets.database-private",
        PLAIN_HOST.saying(cannot_read(DATABASE), "", 1, "runuser: user tinykit does not exist"),
    ),
    "not root": (
        "secrets.database-private",
        PLAIN_HOST.saying(cannot_read(DATABASE), "", 1, "runuser: may not be used by non-root"),
    ),
    "unit stopped": (
        "files.units-hardened",
        PLAIN_HOST.saying(SHOW.format(layout.TINYKIT_UNIT), "ActiveState=failed\nUser=tinykit\n"),
    ),
    "no systemd": (
        "files.units-hardened",
        PLAIN_HOST.saying(SHOW.format(layout.TINYKIT_UNIT), "", 1, "Failed to connect to bus"),
    ),
    "analyze says nothing": (
        "files.units-hardened",
        PLAIN_HOST.saying(f"systemd-analyze security --no-pager {layout.TINYKIT_UNIT}", "", 1),
    ),
    "nothing listens": (
        "network.loopback-only",
        PLAIN_HOST.with_file("/proc/net/tcp", "root", 0o444, TCP),
    ),
    "nft refuses": (
        "network.firewall-drops",
        PLAIN_HOST.saying(NFT, "", 1, "Operation not permitted (you must be root)"),
    ),
    "nft says nonsense": ("network.firewall-drops", PLAIN_HOST.saying(NFT, "{")),
    "status is nonsense": (
        "backups.fresh",
        PLAIN_HOST.with_file(str(STATUS_FILE), "root", 0o644, "half a fi"),
    ),
    "agent broken": (
        "versions.agent",
        PLAIN_HOST.saying(f"{layout.AGENT_COMMAND} --version", "", 1, "Traceback"),
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_on_the_host_is_unknown(name: str) -> None:
    check, host = UNREADABLE[name]
    assert verdict(check, on(host)).outcome == Outcome.UNKNOWN


def test_settings_without_a_backup_target_are_a_finding() -> None:
    seen = verdict("backups.fresh", on(good_host(), backup={"targets": []}))
    assert seen.outcome == Outcome.FAIL


def test_without_settings_backups_are_unknown_and_the_agent_is_unconfigured() -> None:
    look = Context(host=good_host())
    assert verdict("backups.fresh", look).outcome == Outcome.UNKNOWN
    assert verdict("versions.agent", look).outcome == Outcome.FAIL


def test_the_controllers_version_is_the_one_that_counts() -> None:
    look = on(good_host())
    look.expected_version = "99.0"
    seen = verdict("versions.agent", look)
    assert seen.outcome == Outcome.FAIL
    assert "99.0" in seen.evidence[0]


# This machine, for real.


def test_facts_of_a_real_file_are_read(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("text")
    file.chmod(0o640)
    host = LocalHost()
    facts = host.stat(str(file))
    assert facts
    assert (facts.mode, facts.kind, facts.size, facts.owner) == (0o640, "file", 4, file.owner())
    assert host.read(str(file)) == "text"
    assert host.stat(str(tmp_path / "none")) is None
    assert host.read(str(tmp_path / "none")) is None


def test_a_real_command_says_what_it_says_or_why_it_cannot_run() -> None:
    host = LocalHost()
    assert host.run("sh", "-c", "echo out; echo err >&2; exit 3").status == 3
    with pytest.raises(CannotLook, match="not installed"):
        host.run("tinykit-ops-no-such-program")
    with pytest.raises(CannotLook, match="did not end"):
        host.run("sleep", "30", timeout=0.2)


def test_this_machines_listening_sockets_are_found() -> None:
    import socket

    from tinykit_ops.checks.sockets import listeners

    with (
        socket.create_server(("127.0.0.1", 0)) as four,
        socket.create_server(("::", 0), family=socket.AF_INET6) as six,
    ):
        found = {each.port: each for each in listeners(LocalHost())}
        assert found[four.getsockname()[1]].is_loopback
        assert not found[six.getsockname()[1]].is_loopback
