import json
import threading
import time
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

import pytest

from tinykit_ops.errors import UnavailableError
from tinykit_ops.lab import addresses


def test_a_lab_gets_the_same_networks_every_time() -> None:
    assert addresses.choose("/labs/demo", []) == addresses.choose("/labs/demo", [])


def test_two_labs_never_get_overlapping_networks() -> None:
    used: list[IPv4Network | IPv6Network] = []
    for number in range(50):
        chosen = addresses.choose(f"/labs/{number}", used)
        four = [chosen.hosts4, chosen.hosts6, chosen.outside4, chosen.outside6]
        assert not any(n.version == u.version and n.overlaps(u) for n in four for u in used)
        used += four


def test_a_taken_network_is_passed_over() -> None:
    first = addresses.choose("/labs/demo", [])
    second = addresses.choose("/labs/demo", [ip_network(f"{first.controller4}/32")])
    third = addresses.choose("/labs/demo", [ip_network(f"{first.controller6}/128")])
    assert not first.hosts4.overlaps(second.hosts4)
    assert not first.hosts6.overlaps(third.hosts6)


def test_when_every_network_is_taken_it_says_so() -> None:
    with pytest.raises(UnavailableError, match="taken"):
        addresses.choose("/labs/demo", [ip_network("10.0.0.0/8")])


def test_the_outside_client_is_in_neither_of_the_hosts_networks() -> None:
    networks = addresses.choose("/labs/demo", [])
    assert networks.client4 not in networks.hosts4
    assert networks.client6 not in networks.hosts6
    assert networks.controller4 in networks.hosts4
    assert networks.controller6 in networks.hosts6


def test_hosts_get_addresses_of_their_own() -> None:
    networks = addresses.choose("/labs/demo", [])
    four = {networks.host4(n) for n in range(1, 100)} | {networks.controller4}
    six = {networks.host6(n) for n in range(1, 100)} | {networks.controller6}
    assert len(four) == len(six) == 100
    assert all(address in networks.hosts4 for address in four)


def test_default_and_multicast_routes_take_no_network() -> None:
    routes = [
        {"dst": "default"},
        {"dst": "10.1.0.0/16"},
        {"type": "local", "dst": "10.1.2.3"},
        {"type": "multicast", "dst": "ff00::/8"},
        {"dst": "::/0"},
    ]
    found = addresses.networks_of_routes(json.dumps(routes))
    assert found == [ip_network("10.1.0.0/16"), ip_network("10.1.2.3/32")]
    assert addresses.networks_of_routes("") == []


def test_a_resolver_on_loopback_is_of_no_use_to_a_host(tmp_path: Path) -> None:
    stub, real = tmp_path / "stub", tmp_path / "real"
    stub.write_text("nameserver 127.0.0.53\nnameserver ::1\nsearch example.com\n")
    real.write_text("# by systemd\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\n")
    missing = tmp_path / "missing"
    assert addresses.resolvers([missing, stub, real]) == [IPv4Address("192.0.2.53")]
    assert addresses.resolvers([stub, missing]) == []


def test_resolvers_are_not_handed_to_a_lab_as_its_network(tmp_path: Path) -> None:
    resolver = addresses.choose("/labs/demo", []).host4(1)
    again = addresses.choose("/labs/demo", [ip_network(str(ip_address(resolver)))])
    assert resolver not in again.hosts4


def test_only_one_lab_at_a_time_chooses_and_nothing_is_left_of_that(tmp_path: Path) -> None:
    folder = tmp_path / "networks"
    chosen: list[str] = []

    def choose(name: str) -> None:
        with addresses.choosing(folder):
            chosen.append(f"{name} begins")
            time.sleep(0.05)
            chosen.append(f"{name} ends")

    labs = [threading.Thread(target=choose, args=(name,)) for name in "abc"]
    for lab in labs:
        lab.start()
    for lab in labs:
        lab.join()
    assert [word.split()[0] for word in chosen[::2]] == [word.split()[0] for word in chosen[1::2]]
    assert len(chosen) == 6
    assert not folder.exists()


def test_a_lab_that_fails_to_choose_lets_the_next_one_do_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), addresses.choosing(tmp_path / "networks"):
        raise ValueError("no")
    with addresses.choosing(tmp_path / "networks"):
        pass
