"""Finding out who is connected by SSH, and which connection a program runs in."""

import pytest

from tinykit_ops.host.firewall_logins import own_connection, peer_of, peers_in, ports_in

CONNECTION = "203.0.113.7 51000 192.0.2.1 22"


def process(proc, pid, parent, environ=""):
    folder = proc / str(pid)
    folder.mkdir()
    folder.joinpath("status").write_text(f"Name:\tx\nPPid:\t{parent}\n")
    folder.joinpath("environ").write_bytes(environ.encode())


def test_the_login_is_found_above_sudo(tmp_path):
    process(tmp_path, 30, 20, "SHELL=/bin/sh\0")
    process(tmp_path, 20, 10, "")
    process(tmp_path, 10, 1, f"A=b\0SSH_CONNECTION={CONNECTION}\0")
    assert own_connection(30, tmp_path) == CONNECTION


def test_a_program_of_no_login_has_no_connection(tmp_path):
    process(tmp_path, 30, 1, "SHELL=/bin/sh\0")
    assert own_connection(30, tmp_path) == ""
    assert own_connection(99, tmp_path) == ""


@pytest.mark.parametrize(
    ("text", "peer"),
    [
        (CONNECTION, "203.0.113.7 51000"),
        ("::ffff:203.0.113.7 51000 ::ffff:192.0.2.1 22", "203.0.113.7 51000"),
        ("fe80::1%eth0 51000 fe80::2%eth0 22", "fe80::1 51000"),
        ("2001:DB8:0::1 51000 2001:db8::2 22", "2001:db8::1 51000"),
        ("", None),
        ("who knows", None),
    ],
)
def test_a_connection_is_known_by_its_clients_end(text, peer):
    assert peer_of(text) == peer


def test_what_ss_lists_is_compared_in_the_same_form():
    listing = (
        "0 0 192.0.2.1:22 203.0.113.7:51000\n"
        "0 0 [::ffff:192.0.2.1]:22 [::ffff:203.0.113.8]:51001\n"
        "0 0 [fe80::2]%eth0:22 [fe80::1]%eth0:51002\n"
    )
    assert peers_in(listing) == {"203.0.113.7 51000", "203.0.113.8 51001", "fe80::1 51002"}


@pytest.mark.parametrize(("by_socket", "ports"), [(False, {2222}), (True, {2222, 22})])
def test_an_ssh_server_that_systemd_listens_for_is_one(by_socket, ports):
    listing = (
        'LISTEN 0 128 0.0.0.0:2222 0.0.0.0:* users:(("sshd",pid=7,fd=3))\n'
        'LISTEN 0 4096 *:22 *:* users:(("systemd",pid=1,fd=90))\n'
        'LISTEN 0 511 127.0.0.1:3000 0.0.0.0:* users:(("node",pid=8,fd=20))\n'
    )
    assert ports_in(listing, by_socket=by_socket) == ports
