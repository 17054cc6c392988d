"""What cannot be seen on a host, special hosts, and what is known of versions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from checks_host import (
    CONFINED,
    FIND_RELEASE,
    FIND_SECRETS,
    JOURNAL,
    PS,
    UPGRADE,
    UPGRADES_CAME,
    UPGRADES_RAN,
    WAITS,
    answers_root,
    connects,
    good_host,
    on,
    status,
)
from checks_imitations import FakeHost, verdict

from tinykit_ops import layout
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.status import STATUS_FILE
from tinykit_ops.checks.advisories import DEBIAN_ENDS, NODE_ENDS, POCKETBASE, numbers
from tinykit_ops.checks.model import Outcome

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


def _no_secrets(host: FakeHost) -> FakeHost:
    host = host.saying(f"find {layout.SECRETS_DIR} -type f", "")
    return host.without(layout.TINYKIT_ENVIRONMENT)


UNSEEN: dict[str, tuple[str, Break]] = {
    "no ps": ("secrets.not-in-arguments", says(PS, "", 1)),
    "empty journal": ("secrets.not-in-journal", says(JOURNAL, "")),
    "no journal": ("secrets.not-in-journal", says(JOURNAL, "", 1)),
    "empty release": ("secrets.release-clean", says(FIND_RELEASE, "")),
    "no secrets": ("secrets.not-in-arguments", _no_secrets),
    "unreadable secrets": ("secrets.files-private", says(FIND_SECRETS, "", 1)),
    "no data": ("files.upload-folder-private", gone(layout.POCKETBASE_DATA)),
    "stopped": ("files.tinykit-confined", says(CONFINED, "ActiveState=inactive\n")),
    "no control": (
        "network.egress-contained",
        says(connects("127.0.0.1", layout.POCKETBASE_PORT), "", 7),
    ),
    "nobody at tinykit's port": (
        "network.egress-contained",
        says(answers_root("127.0.0.1", layout.TINYKIT_PORT), "", 7),
    ),
    "no df": ("monitoring.disk-space", says("df -P /", "", 1)),
    "old lists": ("versions.security-updates", says("stat -c %Y /var/lib/apt/lists", "1000")),
    "apt broken": ("versions.security-updates", says(UPGRADE, "", 100)),
    "new node": ("versions.node", says(f"{layout.NODE_BINARY} --version", "v99.0.0\n")),
    "node silent": ("versions.node", says(f"{layout.NODE_BINARY} --version", "")),
    "ubuntu": ("versions.system", file("/etc/os-release", 'ID=ubuntu\nVERSION_ID="24.04"\n')),
    "no snapshot": ("backups.verified", gone(str(STATUS_FILE))),
    "no lock folder": ("backups.not-stuck", gone(layout.LOCK_DIR)),
}


@pytest.mark.parametrize("name", UNSEEN)
def test_what_cannot_be_seen_on_the_host_is_unknown(name: str) -> None:
    check, make = UNSEEN[name]
    assert verdict(check, on(make(good_host()))).outcome == Outcome.UNKNOWN


def test_an_update_that_came_out_since_updates_were_last_installed_is_no_finding() -> None:
    host = good_host().saying(UPGRADE, WAITS)
    found = verdict("versions.security-updates", on(host))
    assert found.outcome == Outcome.PASS
    assert "libssl3" in str(found.evidence)
    fresh = host.saying(f"stat -c %Y {UPGRADES_RAN}", "", 1).saying(
        f"stat -c %Y {UPGRADES_CAME}", str(int(datetime.now(UTC).timestamp()))
    )
    assert verdict("versions.security-updates", on(fresh)).outcome == Outcome.PASS
    off = host.saying("apt-config dump", "")
    assert verdict("versions.security-updates", on(off)).outcome == Outcome.FAIL


def test_a_lock_whose_process_has_ended_or_that_is_young_is_no_finding() -> None:
    for make in (lock(2), lock(30, process=99999)):
        assert verdict("backups.not-stuck", on(make(good_host()))).outcome == Outcome.PASS


def test_a_bucket_that_is_not_sealed_is_a_finding() -> None:
    target = {
        "kind": "s3",
        "name": "disk",
        "bucket": "backups",
        "access_key_id": {"file": "/x"},
        "secret_access_key": {"file": "/y"},
        "encryption": "none",
    }
    look = on(good_host(), backup={"targets": [target]})
    assert verdict("backups.encrypted", look).outcome == Outcome.FAIL
    assert verdict("backups.off-host", look).outcome == Outcome.PASS


def test_settings_that_name_nobody_to_tell_are_a_finding() -> None:
    target = {"kind": "directory", "name": "disk", "path": "/mnt/backup"}
    look = on(good_host(), backup={"targets": [target]})
    assert verdict("monitoring.alerts", look).outcome == Outcome.FAIL


def test_nightly_checks_that_are_switched_off_are_a_finding() -> None:
    look = on(good_host(), checks={"enabled": False})
    assert verdict("monitoring.nightly-check", look).outcome == Outcome.FAIL


def test_behind_a_cdn_nobody_is_banned_for_logins() -> None:
    host = good_host().saying("fail2ban-client status", "Jail list:\tsshd\n")
    cdn = {"mode": "cdn", "cdn": {"networks": ["203.0.113.0/24"]}}
    assert verdict("authentication.bans", on(host, firewall=cdn)).outcome == Outcome.PASS


def test_nginx_has_a_rule_of_its_own_for_rotation() -> None:
    log = f"{layout.NGINX_LOGS}/access.log"
    host = (
        good_host()
        .with_file(layout.NGINX_CONFIG, "root", 0o644, f"\taccess_log {log} tinykit;\n")
        .with_file(log, "www-data", 0o600)
        .saying(f"grep -rlF {layout.NGINX_LOGS}/ /etc/logrotate.d", "/etc/logrotate.d/x\n")
        .saying("systemctl is-active logrotate.timer", "active\n")
    )
    nginx = {"edge": {"kind": "nginx"}}
    for check in ("monitoring.access-log", "monitoring.log-rotation"):
        assert verdict(check, on(host, **nginx)).outcome == Outcome.PASS
    for broken in (
        host.saying(f"grep -rlF {layout.NGINX_LOGS}/ /etc/logrotate.d", "", 1),
        host.saying("systemctl is-active logrotate.timer", "inactive\n", 3),
    ):
        assert verdict("monitoring.log-rotation", on(broken, **nginx)).outcome == Outcome.FAIL


# What is known of versions.


def test_the_default_versions_have_no_known_hole_and_the_floor_has() -> None:
    assert not [each for each in POCKETBASE if each.concerns(numbers("0.40.6"))]
    assert len([each for each in POCKETBASE if each.concerns(numbers("0.23.4"))]) >= 4


def test_the_hole_of_oauth2_begins_and_ends_where_it_does() -> None:
    (hole,) = [each for each in POCKETBASE if each.id == "CVE-2026-44166"]
    expected = {"0.29.9": False, "0.30.0": True, "0.37.3": True, "0.37.4": False, "0.40.6": False}
    assert {text: hole.concerns(numbers(text)) for text in expected} == expected


def test_every_row_names_its_source() -> None:
    assert all(each.source.startswith("https://") for each in POCKETBASE)
    assert min(NODE_ENDS) == 18 and min(DEBIAN_ENDS) == 11


@pytest.mark.parametrize(
    ("text", "expected"),
    [("v24.19.0", (24, 19, 0)), ("pocketbase version 0.40.6", (0, 40, 6)), ("dev", ())],
)
def test_versions_are_read_off_what_programs_say(text: str, expected: tuple[int, ...]) -> None:
    assert numbers(text) == expected


def test_where_nothing_answers_over_ipv6_it_is_not_tried_there() -> None:
    host = good_host().saying(answers_root("::1", 22), "", 7)
    seen = verdict("network.egress-contained", on(host))
    assert seen.outcome == Outcome.PASS
    assert not [line for line in seen.evidence if "::1" in line]
