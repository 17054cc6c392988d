"""Wrong input and hosts that cannot be provisioned: one clear message, and an untouched host.

What the settings alone can tell is in tests/unit/settings; here a real host is at the other end.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess

import pytest
from tests_e2e_support import until

pytestmark = pytest.mark.lab

#: Stands for an address of the lab that no host has.
NOBODY = "nobody"
#: The second where this machine's own name servers do not answer just now.
UNKNOWN_NAME = "Name or service not known|Temporary failure in name resolution"
#: A message of ours: alone on its line, or behind the name of the host that it is about.
ERROR = re.compile(r"( *\[[^]]+\] )?error: ")

# Each: overrides of the settings, and words that the message must hold.
SETTINGS = {
    "an unknown key": ({"domian": "x"}, ["domian", "did you mean"]),
    "a bad network": ({"firewall": {"ssh_from": ["10.0.0.0/33"]}}, ["firewall.ssh_from"]),
    "host bits in a network": ({"firewall": {"ssh_from": ["10.0.0.1/8"]}}, ["10.0.0.0/8"]),
    "a domain twice": ({"domains": ["a.lab.test", "A.lab.test"]}, ["domains", "a.lab.test"]),
    "a domain with a scheme": ({"domains": ["https://a.lab.test"]}, ["domains"]),
    "no e-mail address": ({"admin_email": "nobody"}, ["admin_email"]),
    "a missing secret file": (
        {"superuser_password": {"file": "/nowhere/password"}},
        ["superuser_password", "/nowhere/password"],
    ),
    "a missing secret variable": (
        {"superuser_password": {"env": "TK_NOT_SET"}},
        ["superuser_password", "TK_NOT_SET"],
    ),
    "a failing secret command": (
        {"superuser_password": {"command": "echo no such entry >&2; exit 3"}},
        ["superuser_password", "no such entry"],
    ),
    "a wrong archive hash": ({"app": {"sha256": "0" * 64}}, ["app.sha256"]),
    "an archive that is not there": (
        {"app": {"archive": "/nowhere/app.tar.zst"}},
        ["app.archive", "/nowhere/app.tar.zst"],
    ),
    "an unknown PocketBase": ({"pocketbase": {"version": "0.24.0"}}, ["pocketbase.version"]),
    "an ancient PocketBase": ({"pocketbase": {"version": "0.22.0"}}, ["pocketbase.version"]),
    "a bad schedule": ({"backup": {"schedule": "every night"}}, ["backup.schedule"]),
    "an allowlist that is empty": ({"access": {"allowlist": []}}, ["access"]),
    "an unreadable certificate": (
        {"edge": {"tls": {"mode": "files", "certificate": "/nope.pem", "key": "/nope.key"}}},
        ["edge.tls.certificate", "/nope.pem"],
    ),
    "two errors at once": (
        {"domains": [], "backup": {"schedule": "x"}},
        ["domains", "backup.schedule"],
    ),
}


@pytest.fixture(scope="module")
def bare(new_host):
    """A host that stays bare: nothing here may change it."""
    return new_host("13")


@pytest.fixture
def untouched(bare):
    """Fails the test when files of the host changed during it."""
    host = bare.host
    host.run(["touch", "/run/before-test"])
    yield
    prune = "-path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /dev -o -path /var"
    newer = f"find / \\( {prune} \\) -prune -o -newercm /run/before-test -type f -print"
    assert host.run(["sh", "-c", newer]).stdout == ""


def assert_one_clear_message(run, *words):
    assert run.code != 0
    assert "Traceback" not in run.text
    for word in words:
        assert word in run.text, run.text[-2000:]
    said = [line for line in run.text.splitlines() if ERROR.match(line)]
    assert len(said) == 1, run.text[-2000:]


@pytest.mark.parametrize("name", SETTINGS)
def test_wrong_settings_end_the_run_before_the_host_is_touched(bare, untouched, name):
    overrides, words = SETTINGS[name]
    inventory = bare.inventory({bare.host.name: "root"}, overrides)
    run = bare.deploy_plain(inventory)
    assert_one_clear_message(run, *words)
    assert run.code == 64
    assert "Connecting to hosts" not in run.text


def test_an_archive_that_is_no_release_is_refused(bare, untouched):
    overrides = {"app": {"archive": __file__, "sha256": None}}
    run = bare.deploy_plain(bare.inventory({bare.host.name: "root"}, overrides))
    assert_one_clear_message(run, "not zstd-compressed", __file__, "tinykit-ops release build")


def test_rules_that_would_shut_out_this_connection_are_refused(bare, untouched):
    overrides = {"firewall": {"ssh_from": ["192.0.2.1"]}}
    run = bare.deploy_plain(bare.inventory({bare.host.name: "root"}, overrides))
    assert_one_clear_message(run, "would shut out", "firewall.ssh_from")


def test_another_ssh_port_in_the_settings_is_refused(bare, untouched):
    overrides = {"firewall": {"ssh_port": 2222}}
    run = bare.deploy_plain(bare.inventory({bare.host.name: "root"}, overrides))
    assert_one_clear_message(run, "firewall.ssh_port is 2222, but SSH listens on 22")


def test_a_user_without_sudo_is_told_how_to_become_root(bare, untouched):
    inventory = bare.inventory({bare.host.name: "ops"}, data={"_sudo": False})
    run = bare.deploy_plain(inventory)
    assert_one_clear_message(run, "runs as ops, not as root", "_sudo")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"ssh_hostname": NOBODY, "ssh_connect_timeout": 2}, "Could not connect"),
        ({"ssh_port": 2}, "Could not connect"),
        ({"ssh_hostname": "no-such-host.lab.test"}, UNKNOWN_NAME),
        ({"ssh_user": "nobody-here"}, "uthentication"),
        ({"ssh_key": "/nowhere/key"}, "ssh_key"),
    ],
    ids=["silent host", "closed port", "unknown name", "unknown user", "missing key"],
)
def test_a_host_that_cannot_be_reached_is_named_with_the_reason(bare, untouched, data, words):
    if data.get("ssh_hostname") == NOBODY:
        data = {**data, "ssh_hostname": str(bare.lab.networks.hosts4[-2])}
    data = {**data, "ssh_connect_retries": 0}
    run = bare.deploy_plain(bare.inventory({bare.host.name: "root"}, data=data))
    assert run.code != 0
    assert "Traceback" not in run.text
    assert re.search(words, run.text), run.text[-2000:]


def test_the_key_of_somebody_else_is_refused(bare, untouched, tmp_path):
    key = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    data = {"ssh_key": str(key)}
    run = bare.deploy_plain(bare.inventory({bare.host.name: "root"}, data=data))
    assert run.code != 0
    assert "Traceback" not in run.text
    assert "uthentication" in run.text


def test_a_host_with_another_host_key_is_refused(bare, untouched, tmp_path):
    known = tmp_path / "known_hosts"
    key = shutil.copy(bare.lab.key.with_suffix(".pub"), tmp_path / "key.pub")
    text = " ".join(key.read_text().split()[:2])
    known.write_text(f"{bare.host.address4} {text}\n")
    data = {"ssh_known_hosts_file": str(known)}
    run = bare.deploy_plain(bare.inventory({bare.host.name: "root"}, data=data))
    assert run.code != 0
    assert "Traceback" not in run.text
    assert "host key" in run.text.lower()


def test_an_operating_system_that_was_never_tried_is_refused(bare, untouched):
    os_release = bare.host.run(["cat", "/etc/os-release"]).stdout
    fake = os_release.replace("ID=debian", "ID=ubuntu").replace(
        'VERSION_ID="13"', 'VERSION_ID="24.04"'
    )
    bare.host.ssh(["cat >/run/os-release"], input_text=fake)
    bare.host.run(["mount", "--bind", "/run/os-release", "/etc/os-release"])
    try:
        run = bare.deploy_plain(bare.inventory({bare.host.name: "root"}))
    finally:
        bare.host.run(["umount", "/etc/os-release"])
    assert_one_clear_message(run, "ubuntu 24.04 is not supported")


@pytest.mark.parametrize("port", [80, 443, 3000, 8091])
def test_a_port_that_somebody_else_uses_is_named(bare, untouched, port):
    unit = f"squatter-{port}"
    serve = ["python3", "-m", "http.server", str(port), "--directory", "/run"]
    bare.host.run(["systemd-run", "--quiet", f"--unit={unit}", *serve])
    try:
        assert until(lambda: listens(bare.host.address4, port))
        run = bare.deploy_plain(bare.inventory({bare.host.name: "root"}))
    finally:
        bare.host.run(["systemctl", "stop", unit])
    assert_one_clear_message(run, f"port {port} is taken by python3")


def listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=5).close()
    except OSError:
        return False
    return True


def test_a_full_disk_is_told_before_anything_is_changed(new_host):
    small = new_host("13", disk="900M")
    run = small.deploy_plain(small.inventory({small.host.name: "root"}))
    assert_one_clear_message(run, "MB are free on /opt", "free some disk space")
    assert small.host.ssh(["ls", "/opt"]).stdout == ""
