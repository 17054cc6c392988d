"""An instance in containers: the same job, the same walls, the same data."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from disaster_drill import AUTHORITY, Person
from firewall_inside import (
    MARK,
    PUBLIC,
    assert_nowhere,
    plain,
    proxied,
    surroundings,
    tried,
    unanswered,
    ways_in,
)
from firewall_trials import Trials
from tests_e2e_support import STATUS, Provisioner, check_command, curl, execute, until

from tinykit_ops import layout
from tinykit_ops.checks.containers import ours
from tinykit_ops.lab.lab import Lab

pytestmark = pytest.mark.lab

LAB = "e2e-dk"
USERS = {"tk-1": "root"}
KEY = "/run/backup-age.key"
#: Runs the rest of a command in the containers' network.
PID = f"$(docker inspect -f '{{{{.State.Pid}}}}' {layout.NET_CONTAINER})"
#: Both answer on the host's loopback, which has no curl.
ANSWERS = (
    "python3 -c 'import urllib.request as u; "
    f'[u.urlopen(url, timeout=5) for url in ("{layout.POCKETBASE_URL}/api/health", '
    f'"{layout.TINYKIT_URL}/login")]\' 2>/dev/null'
)
INSIDE = f"nsenter --net=/proc/{PID}/ns/net"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One bare host that Docker can run on."""
    lab = Lab.up(LAB, releases=("13",), docker=True)
    yield lab
    lab.down()


@pytest.fixture(scope="module")
def site(lab, contract_app, tmp_path_factory) -> Provisioner:
    return Provisioner(lab, contract_app, tmp_path_factory.mktemp("inventories"))


@pytest.fixture(scope="module")
def inventory(site) -> Path:
    return site.inventory(USERS, {"runtime": "docker"})


@pytest.fixture(scope="module")
def provisioned(site, inventory):
    return site.deploy(inventory)


@pytest.fixture(scope="module")
def host(lab, provisioned):
    assert provisioned.code == 0, provisioned.text[-3000:]
    return lab.host("tk-1")


@pytest.fixture(scope="module")
def person(lab, host, tmp_path_factory) -> Person:
    """Somebody who works in the builder."""
    person = Person(lab, tmp_path_factory.mktemp("person"))
    person.log_in()
    person.make_project("first", b"an upload")
    return person


def running(host) -> set[str]:
    command = "command -v docker >/dev/null && docker ps --format '{{.Names}}'"
    return set(host.ssh([command], check=False).stdout.split())


def status(client, host, path: str) -> str:
    return client(curl(host, path, *STATUS))


def test_a_bare_host_is_provisioned_with_containers_in_one_run(host, provisioned):
    assert provisioned.failed() == []
    assert running(host) == set(ours())
    programs = host.ssh(["ps", "-u", "tinykit", "-o", "args="], check=False).stdout
    assert f"{layout.NODE_BINARY} build/index.js" in programs


def test_a_second_run_changes_nothing(site, inventory, host):
    run = site.deploy(inventory)
    assert run.code == 0, run.text[-3000:]
    assert run.changed("tk-1") == []


def test_a_stranger_sees_the_published_app_and_nothing_else(lab, host):
    def outside(words):
        return lab.outside.run(words).stdout

    assert status(outside, host, "/_tk/assets/placeholder.jpg") == "200"
    for path in ("/tinykit", "/login", "/setup", "/_pb/_/", "/api/projects"):
        assert status(outside, host, path) in {"403", "404"}
    for port in (layout.TINYKIT_PORT, layout.TINYKIT_STANDBY_PORT, layout.POCKETBASE_PORT):
        for address in (host.address4, host.address6):
            probe = ["timeout", "3", "bash", "-c", f"</dev/tcp/{address}/{port}"]
            assert lab.outside.run(probe).returncode != 0


@contextmanager
def route_to_the_containers(host) -> Iterator[str]:
    """What a neighbour of the host can do: send packets for the containers' addresses to it."""
    inspect = "docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'"
    address = host.ssh([f"{inspect} {layout.NET_CONTAINER}"]).stdout.strip()
    subprocess.run(["ip", "route", "replace", address, "via", host.address4], check=True)
    try:
        yield address
    finally:
        subprocess.run(["ip", "route", "del", address], check=True)


def reaches(address: str, port: int, seconds: int = 3) -> bool:
    probe = ["timeout", str(seconds), "bash", "-c", f"</dev/tcp/{address}/{port}"]
    return subprocess.run(probe, check=False, capture_output=True).returncode == 0


def test_a_neighbour_who_knows_the_containers_address_does_not_get_there(host):
    ports = (layout.TINYKIT_PORT, layout.POCKETBASE_PORT)
    handle = (
        "nft -a list chain inet tinykit_ops forward | awk '/counter packets.*drop/ {print $NF}'"
    )

    def reached(address, seconds=3):
        return [port for port in ports if reaches(address, port, seconds)]

    with route_to_the_containers(host) as address:
        assert reached(address) == []
        number = host.ssh([handle]).stdout.strip()
        host.ssh([f"nft delete rule inet tinykit_ops forward handle {number}"])
        try:
            # Before the host's rules are there, those inside keep the neighbour out.
            assert reached(address) == []
            # It is these two that do it: Docker's own let the neighbour in.
            host.ssh([f"{INSIDE} nft flush chain inet tinykit_ops input"])
            host.ssh([f"{INSIDE} nft add rule inet tinykit_ops input accept"])
            assert reached(address, 60) == list(ports)
        finally:
            host.ssh(["systemctl", "reload", layout.FIREWALL_UNIT, layout.NET_UNIT])
        assert reached(address) == []


def test_tinykits_proxy_reaches_the_internet_and_nothing_inside(site, host):
    trials = Trials(site)
    with surroundings(trials):
        ways = ways_in(trials)
        seen = [url for url in ways if "go/" not in url and "[" not in url][:20]
        assert unanswered(trials, seen) == []  # root on the host gets there
        assert MARK in proxied(trials, plain(PUBLIC[:1])[0])
        assert_nowhere(tried(trials, ways))


def test_docker_shows_no_secret_and_the_host_has_none_in_the_open(host):
    secrets = host.ssh(
        ["for file in /etc/tinykit-ops/secrets/*; do cat $file; echo; done"]
    ).stdout.split()
    command = f"docker inspect {' '.join(ours())}; docker image inspect $(docker image ls -q)"
    seen = host.ssh([f"{command}; cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]).stdout
    assert len(secrets) >= 5 and layout.POCKETBASE_CONTAINER in seen
    assert [secret for secret in secrets if secret in seen] == []
    others = host.ssh(["runuser", "-u", "nobody", "--", "ls", layout.DOCKER_SECRETS], check=False)
    for user in others.stdout.split():
        look = ["runuser", "-u", "nobody", "--", "ls", f"{layout.DOCKER_SECRETS}/{user}"]
        assert host.ssh(look, check=False).returncode != 0
    assert set(others.stdout.split()) == {"pocketbase", "tinykit"}


def test_a_backup_of_containers_is_verified_and_goes_back_in_place(lab, host, person):
    before = person.projects()
    host.ssh(["tinykit-ops", "backup", "run"])
    listed = json.loads(host.ssh(["tinykit-ops", "backup", "list", "--format", "json"]).stdout)
    snapshot = max(one["id"] for one in listed["lab"])
    person.make_project("a mistake")
    host.ssh([f"umask 077; cat >{KEY}"], input_text=lab.age_key.read_text())
    host.ssh(["tinykit-ops", "backup", "verify", f"--identity={KEY}"])
    restore = ["tinykit-ops", "backup", "restore", snapshot, "--in-place", "--yes"]
    done = host.ssh([*restore, f"--identity={KEY}"], check=False)
    host.ssh(["rm", KEY])
    assert done.returncode == 0, done.stdout + done.stderr
    assert person.projects() == before
    assert running(host) == set(ours())


def test_the_checklist_is_green_because_it_looked(lab, host, person, inventory, tmp_path):
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(host.ssh(["cat", AUTHORITY]).stdout)
    words = (f"--from-netns={lab.names.netns}", "--format=json")
    run = execute(check_command(host, inventory, ca_file, *words))
    results = [row for each in json.loads(run.out)["instances"] for row in each["results"]]
    bad = [(row["id"], row["evidence"]) for row in results if row["outcome"] != "pass"]
    assert bad == []
    assert run.code == 0


@contextmanager
def comes_back(host, person, container: str) -> Iterator[None]:
    """After the block, the container is another one, all run, and the person's data is there."""
    before = person.projects()
    name = f"docker inspect -f '{{{{.Id}}}}' {container}"
    former = host.ssh([name]).stdout.strip()
    yield
    anew = f'[ "$({name})" != {former} ] && {ANSWERS}'

    def is_back() -> bool:
        return running(host) == set(ours()) and host.ssh([anew], check=False).returncode == 0

    # Twice, should one come back while another still goes.
    assert until(lambda: is_back() and is_back(), 300)
    assert person.projects() == before


@pytest.mark.parametrize("container", ours())
def test_a_container_that_dies_comes_back_with_all_that_need_it(host, person, container):
    with comes_back(host, person, container):
        host.ssh([f"kill -9 $(docker inspect -f '{{{{.State.Pid}}}}' {container})"])


def test_everything_comes_back_when_docker_is_restarted(host, person):
    with comes_back(host, person, layout.NET_CONTAINER):
        host.ssh(["systemctl", "restart", "docker"])


def test_after_a_reboot_everything_is_back_behind_its_walls(site, inventory, host, person):
    with comes_back(host, person, layout.NET_CONTAINER):
        host.reboot()
    with route_to_the_containers(host) as address:
        assert not reaches(address, layout.TINYKIT_PORT)
        assert not reaches(address, layout.POCKETBASE_PORT)
    assert site.deploy(inventory).changed("tk-1") == []


def test_switching_to_systemd_and_back_keeps_the_data(site, inventory, host, person):
    before = person.projects()
    alone = site.inventory(USERS, {"runtime": "systemd"})
    run = site.deploy(alone)
    assert run.code == 0, run.text[-3000:]
    assert running(host) == set()
    assert person.projects() == before
    person.make_project("made under systemd")
    assert site.deploy(alone).changed("tk-1") == []
    run = site.deploy(inventory)
    assert run.code == 0, run.text[-3000:]
    assert running(host) == set(ours())
    assert set(person.projects()) == {*before, "made under systemd"}
