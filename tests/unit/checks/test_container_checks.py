"""Checks of a host whose instance runs in containers."""

import copy
import json

import pytest
from checks_host import good_host, on
from checks_imitations import FakeHost, verdict

from tinykit_ops import layout
from tinykit_ops.checks.areas import egress
from tinykit_ops.checks.containers import ours
from tinykit_ops.checks.model import Outcome

IDS = {"pocketbase": "997", "tinykit": "996", "nobody": "65534"}
HARDENED, CONFINED = "files.units-hardened", "files.tinykit-confined"
EGRESS = "network.egress-contained"
DOCKER_INFO = "docker info --format {{.PidsLimit}} {{.MemoryLimit}}"
APP = layout.TINYKIT_CONTAINERS[0]


def container(name):
    """What `docker inspect` says of one of ours."""
    return {
        "State": {"Running": True, "Pid": 4711},
        "Config": {"User": f"{IDS[ours()[name]]}:{IDS[ours()[name]]}"},
        "HostConfig": {
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "CapAdd": None,
            "Privileged": False,
            "SecurityOpt": ["no-new-privileges:true"],
            "NetworkMode": "container:abc",
            "PidMode": "",
            "PidsLimit": 256,
            "Memory": 0 if name == layout.POCKETBASE_CONTAINER else 1 << 25,
            "LogConfig": {"Type": "local", "Config": {}},
            "PortBindings": {"3000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "3000"}]},
        },
        "Mounts": [
            {"Type": "bind", "Source": layout.DOCKER_RESOLV, "RW": False},
            {"Type": "bind", "Source": f"{layout.DOCKER_SECRETS}/x", "RW": False},
        ],
    }


def docker_host(changed=None, **changes):
    """A good host; `changes` of a container: section__key=value."""
    host = good_host().saying(DOCKER_INFO, "true true\n")
    for user, number in IDS.items():
        host = host.saying(f"id --user {user}", f"{number}\n")
    for name in ours():
        said = container(name)
        if name == changed:
            for path, value in changes.items():
                *above, key = path.split("__")
                place = said
                for step in above:
                    place = place[step]
                place[key] = copy.deepcopy(value)
        host = host.saying(f"docker inspect --type=container {name}", json.dumps([said]))
    return host


def look(host):
    return on(host, runtime="docker")


@pytest.mark.parametrize("check", [HARDENED, CONFINED])
def test_containers_that_are_shut_in_pass(check):
    assert verdict(check, look(docker_host())).outcome == Outcome.PASS


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"HostConfig__ReadonlyRootfs": False}, "root file system"),
        ({"HostConfig__CapDrop": None}, "capabilities"),
        ({"HostConfig__CapAdd": ["NET_ADMIN"]}, "capabilities"),
        ({"HostConfig__Privileged": True}, "privileged"),
        ({"HostConfig__SecurityOpt": None}, "no-new-privileges"),
        (
            {"HostConfig__SecurityOpt": ["no-new-privileges:true", "seccomp=unconfined"]},
            "unconfined",
        ),
        ({"HostConfig__NetworkMode": "host"}, "NetworkMode"),
        ({"HostConfig__PidMode": "host"}, "PidMode"),
        ({"HostConfig__PidsLimit": -1}, "any number of processes"),
        ({"HostConfig__PidsLimit": None}, "any number of processes"),
        ({"HostConfig__LogConfig": {"Type": "json-file", "Config": {}}}, "logs without an end"),
        ({"Config__User": ""}, "root"),
        ({"Config__User": "1000:1000"}, "runs as 1000"),
        ({"HostConfig__PortBindings": {"3000/tcp": [{"HostIp": "", "HostPort": "3000"}]}}, "every"),
        (
            {"Mounts": [{"Type": "bind", "Source": "/run/docker.sock", "RW": False}]},
            "command Docker",
        ),
    ],
)
def test_every_looseness_of_a_container_is_a_finding(changes, words):
    for name in ours():
        seen = verdict(HARDENED, look(docker_host(name, **changes)))
        assert seen.outcome == Outcome.FAIL
        assert any(words in line and name in line for line in seen.evidence)


def test_tinykits_memory_is_bounded_where_the_kernel_can():
    without = docker_host(APP, HostConfig__Memory=0)
    seen = verdict(HARDENED, look(without))
    assert seen.outcome == Outcome.FAIL
    assert f"{APP} may take all memory" in seen.evidence
    seen = verdict(HARDENED, look(without.saying(DOCKER_INFO, "true false\n")))
    assert seen.outcome == Outcome.PASS
    assert "this kernel lets Docker limit processes" in seen.evidence
    seen = verdict(HARDENED, look(without.saying(DOCKER_INFO, "", 1)))
    assert seen.outcome == Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("mount", "words"),
    [
        ({"Source": "/srv", "RW": True}, "may write to /srv"),
        ({"Source": f"{layout.POCKETBASE_STATE}/pb_data", "RW": False}, "sees /var/lib/pocketbase"),
        ({"Source": layout.SECRETS_DIR, "RW": False}, "sees /etc/tinykit-ops/secrets"),
        ({"Source": "/", "RW": False}, "sees /"),
    ],
)
def test_tinykits_container_sees_no_data_and_writes_nowhere(mount, words):
    seen = verdict(CONFINED, look(docker_host(APP, Mounts=[{"Type": "bind", **mount}])))
    assert seen.outcome == Outcome.FAIL
    assert any(words in line for line in seen.evidence)


@pytest.mark.parametrize("check", [HARDENED, CONFINED, EGRESS])
@pytest.mark.parametrize("said", ["", "[]", "[{}]", "{}", '[{"State": {"Running": false}}]'])
def test_what_docker_does_not_tell_is_no_pass(check, said):
    host = docker_host()
    for name in ours():
        host = host.saying(f"docker inspect --type=container {name}", said)
    assert verdict(check, look(host)).outcome == Outcome.UNKNOWN
    assert verdict(check, look(FakeHost())).outcome == Outcome.UNKNOWN


def connects(address, port):
    enter = "nsenter --net=/proc/4711/ns/net"
    return f"{enter} runuser -u tinykit -- python3 -c {egress._CONNECT} {address} {port}"


def contained(**more):
    answers = {"127.0.0.1 8091": 0, "127.0.0.1 3000": 7, "169.254.169.254 80": 7}
    answers |= {"172.31.83.1 22": 7, **{key.replace("_", " "): v for key, v in more.items()}}
    host = docker_host()
    for where, status in answers.items():
        host = host.saying(connects(*where.split()), "", status)
    return look(host)


def test_egress_is_tried_in_the_containers_network_and_towards_the_host():
    seen = verdict(EGRESS, contained())
    assert seen.outcome == Outcome.PASS
    assert any("172.31.83.1 port 22: refused" in line for line in seen.evidence)


@pytest.mark.parametrize("where", ["127.0.0.1 3000", "169.254.169.254 80", "172.31.83.1 22"])
@pytest.mark.parametrize("status", [0, 8])
def test_what_is_reached_or_only_silent_is_a_finding(where, status):
    assert verdict(EGRESS, contained(**{where: status})).outcome == Outcome.FAIL


def test_an_instance_that_cannot_reach_its_database_proves_nothing():
    assert verdict(EGRESS, contained(**{"127.0.0.1 8091": 7})).outcome == Outcome.UNKNOWN
