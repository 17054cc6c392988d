"""One lab with a host of each release, used as its users use it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from waiting import PATIENCE

from tinykit_ops.lab.lab import Lab
from tinykit_ops.lab.names import DEFAULT_LAB

pytestmark = pytest.mark.lab

HOSTS = {"tk-1": "trixie", "tk-2": "bookworm"}
LabCommand = Callable[..., str]


@pytest.fixture(scope="module")
def lab(labs: Any) -> Lab:
    labs("up", "--release", "13", "--release", "12")
    return Lab.load(DEFAULT_LAB, labs.root)


@pytest.mark.parametrize(("name", "release"), HOSTS.items())
@pytest.mark.parametrize("user", ["root", "ops"])
def test_both_users_log_in_with_the_pinned_key(
    lab: Lab, name: str, release: str, user: str
) -> None:
    host = lab.host(name)
    assert host.ssh(["whoami"], user=user).stdout == f"{user}\n"
    assert host.ssh(["sudo", "-n", "whoami"], user=user).stdout == "root\n"
    assert f"VERSION_CODENAME={release}" in host.ssh(["cat", "/etc/os-release"]).stdout
    assert host.ssh(["hostname"]).stdout == f"{name}\n"


def test_a_host_with_another_key_is_not_trusted(lab: Lab) -> None:
    host, other = lab.host("tk-1"), lab.host("tk-2")
    # The same command, but towards the other host's address under the first one's name.
    words = [*host.ssh_command()[:-1], "-o", "HostKeyAlias=tk-1", f"root@{other.address4}", "true"]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode != 0
    assert "key" in done.stderr.lower()


@pytest.mark.parametrize("name", HOSTS)
def test_the_hosts_are_bare_and_healthy(lab: Lab, name: str) -> None:
    host = lab.host(name)
    assert host.ssh(["systemctl", "is-system-running"]).stdout == "running\n"
    for program in ("nft", "cron", "curl", "node", "caddy", "pip3"):
        assert host.ssh(["which", program], check=False).returncode == 1, program
    assert host.ssh(["passwd", "--status", "root"]).stdout.split()[1] == "L"  # keys only


def test_an_answer_comes_over_both_families_from_here_and_from_outside(lab: Lab) -> None:
    probe = (
        "import socket, sys; s = socket.create_connection((sys.argv[1], 22), 60); "
        "print(s.getsockname()[0], s.recv(4).decode())"
    )
    for host in lab.hosts:
        for address, ours, client in (
            (host.address4, str(lab.networks.controller4), lab.outside.address4),
            (host.address6, str(lab.networks.controller6), lab.outside.address6),
        ):
            words = ["/usr/bin/env", "python3", "-c", probe, address]
            here = subprocess.run(
                words, check=False, capture_output=True, text=True, timeout=PATIENCE
            )
            assert here.stdout == f"{ours} SSH-\n", here.stderr
            outside = lab.outside.run(words, check=True)
            assert outside.stdout == f"{client} SSH-\n"


def test_the_hosts_see_the_outside_client_by_its_own_address(lab: Lab) -> None:
    host = lab.host("tk-1")
    listen = (
        "import socket\n"
        "s = socket.create_server(('::', 7777), family=socket.AF_INET6, dualstack_ipv6=True)\n"
        "for _ in range(2):\n"
        "    c, peer = s.accept(); c.sendall(peer[0].encode()); c.close()\n"
    )
    host.run(["systemd-run", "--quiet", "python3", "-c", listen])
    ask = (
        "import socket, sys, time\n"
        "for _ in range(600):\n"
        "    try:\n"
        "        s = socket.create_connection((sys.argv[1], 7777), 60); break\n"
        "    except ConnectionRefusedError: time.sleep(0.1)\n"
        "print(s.recv(99).decode())\n"
    )
    for address, seen in (
        (host.address4, f"::ffff:{lab.outside.address4}"),
        (host.address6, lab.outside.address6),
    ):
        said = lab.outside.run(["/usr/bin/env", "python3", "-c", ask, address], check=True)
        assert said.stdout.strip() == seen


def test_names_of_the_hosts_are_known_outside_and_to_each_other(lab: Lab) -> None:
    for name in HOSTS:
        assert name in lab.outside.run(["getent", "hosts", f"{name}.lab.test"], check=True).stdout
        said = lab.host("tk-2").ssh(["getent", "ahosts", f"{name}.lab.test"]).stdout
        assert lab.host(name).address4 in said


@pytest.mark.parametrize("name", HOSTS)
def test_apt_and_pip_work_inside(lab: Lab, name: str) -> None:
    host = lab.host(name)
    quiet = "DEBIAN_FRONTEND=noninteractive apt-get -qq"
    for fetch in (
        f"{quiet} -o APT::Update::Error-Mode=any update",
        f"{quiet} install -y --no-install-recommends python3-pip nftables",
        "pip download -q --retries=6 --no-deps --no-cache-dir -d /tmp/got six",
    ):
        # A network that is away for a minute is waited for.
        again = " || ".join(["again", *(f"{{ sleep {pause}; again; }}" for pause in (5, 20, 60))])
        host.ssh([f"again() {{ {fetch}; }}; {again}"])
    assert "six-" in host.ssh(["ls", "/tmp/got"]).stdout
    rules = (
        "table inet t {\n"
        "  set seen { type ipv6_addr; flags dynamic,timeout; timeout 1m; }\n"
        "  chain out {\n"
        "    type filter hook output priority 0; policy accept;\n"
        "    meta skuid 33 reject\n"
        "    ip6 daddr ::1 add @seen { ip6 daddr limit rate 5/second } accept\n"
        "  }\n"
        "}\n"
    )
    host.ssh(["nft", "-f", "-"], input_text=rules)
    assert "dynamic" in host.ssh(["nft", "list", "table", "inet", "t"]).stdout
    host.ssh(["nft", "delete", "table", "inet", "t"])


@pytest.mark.parametrize("name", HOSTS)
def test_the_sandbox_of_a_hardened_unit_is_enforced(lab: Lab, name: str) -> None:
    host = lab.host(name)
    hardening = [
        *("PrivateUsers=yes", "PrivateDevices=yes", "ProtectSystem=strict", "ProcSubset=pid"),
        *("ProtectProc=invisible", "MemoryDenyWriteExecute=yes", "RestrictNamespaces=yes"),
        *("SystemCallFilter=@system-service", "ProtectKernelTunables=yes", "DevicePolicy=closed"),
        *("ProtectControlGroups=yes", "LoadCredential=word:/etc/hostname"),
    ]
    flags = [flag for item in hardening for flag in ("-p", item)]
    shell = 'cat "$CREDENTIALS_DIRECTORY/word"; touch /etc/x || echo read-only'
    said = host.run(["systemd-run", "--quiet", "--wait", "--pipe", *flags, "sh", "-c", shell])
    assert said.stdout == f"{name}\nread-only\n"

    send = "import socket as s; s.socket(s.AF_INET, s.SOCK_DGRAM).sendto(b'x', ('{}', 9))"
    deny = ["-p", "IPAddressDeny=any", "-p", "IPAddressAllow=localhost"]
    run = ["systemd-run", "--quiet", "--wait", "--pipe", *deny, "python3", "-c"]
    assert host.run([*run, send.format("127.0.0.1")], check=False).returncode == 0
    refused = host.run([*run, send.format(lab.networks.controller4)], check=False)
    assert "Operation not permitted" in refused.stderr


@pytest.mark.parametrize("name", HOSTS)
def test_a_reboot_from_inside_keeps_files_and_forgets_the_rest(lab: Lab, name: str) -> None:
    host = lab.host(name)
    host.ssh(
        ["sh", "-c", "echo stays > /srv/file; echo goes > /run/file; ip link add lost0 type bridge"]
    )
    before = host.ssh(["cat", "/proc/sys/kernel/random/uuid", "/etc/machine-id"]).stdout.split()[1]
    host.reboot()
    assert host.ssh(["cat", "/srv/file"]).stdout == "stays\n"
    assert host.ssh(["cat", "/run/file"], check=False).returncode != 0
    assert host.ssh(["ip", "link", "show", "lost0"], check=False).returncode != 0
    assert host.ssh(["cat", "/etc/machine-id"]).stdout.strip() == before
    assert f"inet6 {host.address6}" in host.ssh(["ip", "-6", "address"]).stdout


def s3_client(lab: Lab, secret: str | None = None) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=lab.s3.endpoint,
        region_name="us-east-1",
        aws_access_key_id=lab.s3.access_key_id_file.read_text().strip(),
        aws_secret_access_key=secret or lab.s3.secret_access_key_file.read_text().strip(),
        config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def test_s3_keeps_what_is_put_and_refuses_a_wrong_secret(lab: Lab) -> None:
    client = s3_client(lab)
    client.put_object(Bucket=lab.s3.bucket, Key="a/b", Body=b"content")
    assert client.get_object(Bucket=lab.s3.bucket, Key="a/b")["Body"].read() == b"content"
    assert (lab.s3.data / lab.s3.bucket / "a/b").read_bytes() == b"content"
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        s3_client(lab, "wrong").list_objects_v2(Bucket=lab.s3.bucket)
    reach = "import urllib.request as r, urllib.error as e\ntry: r.urlopen('{}', timeout=60)\n"
    reach += "except e.HTTPError as x: print(x.code)"
    assert (
        lab.host("tk-1")
        .ssh(["python3", "-c", reach.format(lab.s3.endpoint)])
        .stdout.startswith("4")
    )


def test_no_secret_is_in_any_command_line_nor_readable_by_others(lab: Lab) -> None:
    secrets = [
        lab.s3.secret_access_key_file.read_text().strip(),
        lab.admin_password.read_text().strip(),
    ]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            said = path.read_text(errors="replace")
        except OSError:
            continue
        assert not any(secret in said for secret in secrets)
    assert lab.folder.stat().st_mode & 0o077 == 0
    for file in (lab.key, lab.s3.secret_access_key_file, lab.admin_password, lab.age_key):
        assert file.stat().st_mode & 0o077 == 0


def test_a_second_up_changes_nothing(lab: Lab, labs: LabCommand) -> None:
    before = [(h.name, h.machine.leader()) for h in lab.hosts]
    password = lab.admin_password.read_text()
    state = (lab.folder / "state.json").read_text()
    labs("up", "--release", "13", "--release", "12")
    labs("up")
    assert [(h.name, h.machine.leader()) for h in lab.hosts] == before
    assert lab.admin_password.read_text() == password
    assert (lab.folder / "state.json").read_text() == state


def test_what_died_is_booted_again_with_its_files(lab: Lab, labs: LabCommand) -> None:
    host, other = lab.host("tk-2"), lab.host("tk-1")
    host.ssh(["sh", "-c", "echo kept > /srv/kept; sync"])
    survivor = other.machine.leader()
    labs("kill", "tk-2")
    assert not host.is_running
    assert "off" in labs("list")
    assert "is off" in labs("exec", "tk-2", "--", "true", code=69)
    labs("up")
    assert host.ssh(["cat", "/srv/kept"]).stdout == "kept\n"
    assert other.machine.leader() == survivor


def test_a_host_that_was_shut_down_stays_off_until_up(lab: Lab, labs: LabCommand) -> None:
    host = lab.host("tk-1")
    host.power_off()
    assert not host.is_running
    labs("up")
    assert host.ssh(["true"]).returncode == 0


def test_the_network_comes_back_when_somebody_removed_it(lab: Lab, labs: LabCommand) -> None:
    subprocess.run(["ip", "link", "delete", lab.names.outside_link], check=True)
    subprocess.run(["nft", "delete", "table", "inet", lab.names.table], check=True)
    labs("up")
    words = ["/usr/bin/env", "python3", "-c", "import socket as s, sys; s.create_connection("]
    words[-1] += f"('{lab.host('tk-1').address6}', 22), 60)"
    assert lab.outside.run(words).returncode == 0


def test_commands_pass_words_and_exit_codes_on(lab: Lab, labs: LabCommand) -> None:
    assert labs("ssh", "tk-1", "--", "printf", "%s.", "a b", "$HOME") == "a b.$HOME."
    assert labs("ssh", "--user", "ops", "tk-1", "echo $HOME") == "/home/ops\n"
    assert labs("exec", "tk-1", "--", "printf", "%s.", "a b", "$HOME") == "a b.$HOME."
    assert labs("exec", "outside", "--", "printf", "%s", "x") == "x"
    labs("ssh", "tk-1", "--", "sh", "-c", "exit 7", code=7)
    labs("exec", "outside", "--", "sh", "-c", "exit 8", code=8)
    assert "no host 'tk-9'" in labs("ssh", "tk-9", code=64)


def test_list_and_inventory_as_json_name_every_host(lab: Lab, labs: LabCommand) -> None:
    listed = json.loads(labs("list", "--format", "json"))
    assert [(h["name"], h["release"], h["running"]) for h in listed[0]["hosts"]] == [
        (name, release, True) for name, release in HOSTS.items()
    ]
    described = json.loads(labs("inventory", "--format", "json"))
    assert [host["name"] for host in described["hosts"]] == list(HOSTS)
    assert Path(described["s3"]["secret_access_key_file"]).is_file()


def test_a_host_can_be_added_and_has_a_disk_that_fills_up(lab: Lab, labs: LabCommand) -> None:
    labs("up", "--release", "13", "--count", "2", "--disk", "300M")
    host = Lab.load(DEFAULT_LAB, labs.root).host("tk-3")  # type: ignore[attr-defined]
    full = host.ssh(["dd", "if=/dev/zero", "of=/srv/big", "bs=1M", "count=400"], check=False)
    assert "No space left" in full.stderr
    host.ssh(["rm", "/srv/big"])
    host.reboot()
    assert host.ssh(["whoami"], user="ops").stdout == "ops\n"
