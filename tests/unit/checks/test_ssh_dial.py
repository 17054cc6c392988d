"""Looking from an SSH host: a real SSH server in this process, on loopback."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest
from checks_imitations import SHELL, hardened
from checks_site import Site

from tinykit_ops.checks.http import Client
from tinykit_ops.checks.model import CannotLook
from tinykit_ops.checks.ports import PortState, knock
from tinykit_ops.checks.ssh_dial import (
    Login,
    SshHost,
    _downstream,
    _upstream,
    elsewhere,
    parse_login,
)
from tinykit_ops.checks.target import Target
from tinykit_ops.cli import run
from tinykit_ops.errors import Exit, UnavailableError, UsageError

Serve = Callable[..., Site]


class _Rules(paramiko.ServerInterface):
    def __init__(self, jump: Jump) -> None:
        self.jump = jump

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        good = username == "ops" and key == self.jump.user_key
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        if not self.jump.forwards:
            return paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        if destination[1] in self.jump.silent:
            self.jump.ending.wait(120)
        try:
            self.jump.reached[chanid] = socket.create_connection(destination, 60)
        except OSError:
            return paramiko.OPEN_FAILED_CONNECT_FAILED
        return paramiko.OPEN_SUCCEEDED


class Jump:
    """An sshd that forwards connections, as OpenSSH does."""

    def __init__(self) -> None:
        self.user_key, self.host_key = (paramiko.ECDSAKey.generate() for _ in range(2))
        self.forwards, self.silent = True, set()
        self.reached: dict[int, socket.socket] = {}
        self.ending = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.transports: list[paramiko.Transport] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            self.transports.append(transport)
            transport.add_server_key(self.host_key)
            try:
                transport.start_server(server=_Rules(self))
            except paramiko.SSHException:  # the client did not like the key
                continue
            threading.Thread(target=self._forward, args=(transport,), daemon=True).start()

    def _forward(self, transport: paramiko.Transport) -> None:
        while transport.is_active():
            if channel := transport.accept(0.2):
                outer = self.reached.pop(channel.get_id())
                for pair in ((channel, outer), (outer, channel)):
                    threading.Thread(target=_carry, args=pair, daemon=True).start()

    def close(self) -> None:
        self.ending.set()
        self.listener.close()
        for transport in self.transports:
            transport.close()


def _carry(one: socket.socket, other: socket.socket) -> None:
    try:
        while piece := one.recv(4096):
            other.sendall(piece)
    except OSError:
        pass
    one.close()
    other.close()


@pytest.fixture
def jump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jump]:
    """A jump host that ~/.ssh knows as `monitor`, and whose host key it knows."""
    jump, home = Jump(), tmp_path / ".ssh"
    home.mkdir(mode=0o700)
    jump.user_key.write_private_key_file(str(home / "key"))
    known = f"[127.0.0.1]:{jump.port} {jump.host_key.get_name()} {jump.host_key.get_base64()}\n"
    (home / "known_hosts").write_text(known)
    (home / "config").write_text(
        f"Host monitor\n  HostName 127.0.0.1\n  Port {jump.port}\n  User ops\n"
        f"  IdentityFile {home}/key\n  UserKnownHostsFile {home}/known_hosts\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    from pyinfra.connectors.sshuserclient import client

    for cached in (client.get_ssh_config, client.get_host_keys):
        cached.cache.clear()
    yield jump
    jump.close()


@pytest.fixture
def monitor(jump: Jump) -> Iterator[SshHost]:
    host = SshHost(Login("monitor"), 60.0)
    yield host
    host.close()


def test_a_page_is_fetched_over_the_ssh_host(monitor: SshHost, serve: Serve, jump: Jump) -> None:
    site = serve(hardened())
    client = Client(Target("http", "127.0.0.1", site.port, site.port), dialer=monitor)
    for _ in range(3):
        assert client.get("/_tk/assets/placeholder.jpg").status == 200
    assert len(site.requests) == 3
    assert monitor.name == "monitor"


def test_what_is_open_refused_and_silent_is_told_apart(
    monitor: SshHost, serve: Serve, jump: Jump
) -> None:
    site = serve({})
    jump.silent.add(9)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = taken.getsockname()[1]
    assert knock(monitor, "127.0.0.1", site.port, 60.0) == PortState.OPEN
    assert knock(monitor, "127.0.0.1", closed, 60.0) == PortState.REFUSED
    assert knock(monitor, "127.0.0.1", 9, 0.3) == PortState.SILENT


def test_a_host_that_forwards_nothing_cannot_be_looked_from(monitor: SshHost, jump: Jump) -> None:
    jump.forwards = False
    with pytest.raises(CannotLook, match="AllowTcpForwarding"):
        knock(monitor, "127.0.0.1", 80, 60.0)


def test_an_ssh_connection_that_breaks_is_no_closed_port(monitor: SshHost, jump: Jump) -> None:
    for transport in jump.transports:
        transport.close()
    monitor._transport.join(60)
    assert knock(monitor, "127.0.0.1", 80, 60.0) == PortState.SILENT
    with pytest.raises(OSError) as error:
        monitor.dial("127.0.0.1", 80, 60.0)
    assert error.value.errno != errno.ECONNREFUSED


class _AfterItsLogin:
    """A channel as paramiko has it when its connection has ended."""

    def _gone(self, *_: object) -> bytes:
        raise EOFError

    recv = sendall = close = _gone


def test_what_is_still_carried_when_the_login_ends_just_ends() -> None:
    for carry in (_upstream, _downstream):
        ours, theirs = socket.socketpair()
        ours.sendall(b"a question")
        ours.shutdown(socket.SHUT_WR)
        with ours, theirs:
            carry(_AfterItsLogin(), theirs)  # it has a thread: what it raises would be printed


def test_the_instance_itself_is_no_place_outside_of_it(monitor: SshHost) -> None:
    assert monitor.is_own("127.0.0.1")
    assert not monitor.is_own("192.0.2.7")


def test_a_strange_host_key_and_a_strange_user_are_refused(
    jump: Jump, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnavailableError, match="cannot be used"):
        SshHost(Login("monitor", user="somebody"), 10.0)
    (tmp_path / ".ssh" / "known_hosts").write_text("")
    from pyinfra.connectors.sshuserclient import client

    client.get_host_keys.cache.clear()
    with pytest.raises(UnavailableError, match="known_hosts"):
        SshHost(Login("monitor"), 10.0)


def test_what_a_stranger_on_an_ssh_host_sees_decides(
    jump: Jump, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    """From here a gate may be open to this very machine; from there it is open to strangers."""
    site = serve({**hardened(), "/tinykit": SHELL})
    words = ["check", f"http://127.0.0.1:{site.port}", "--only=builder.gated"]
    assert run(words) == Exit.COULD_NOT_SEE
    assert "--from USER@HOST" in capsys.readouterr().out
    assert run([*words, "--from=monitor"]) == Exit.FINDINGS
    assert "GET /tinykit answered 200" in capsys.readouterr().out


def test_several_instances_are_looked_at_by_one_login(
    jump: Jump, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    sites = [serve({**hardened(), "/tinykit": SHELL}) for _ in range(3)]
    urls = [f"http://127.0.0.1:{site.port}" for site in sites]
    words = ["check", *urls, "--only=builder.gated", "--from=monitor"]
    assert run(words) == Exit.FINDINGS
    assert "3 failed" in capsys.readouterr().out
    assert len(jump.transports) == 1


def test_ports_of_the_ssh_host_itself_are_not_looked_at_from_it(
    jump: Jump, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    site = serve(hardened())
    words = ["check", f"http://127.0.0.1:{site.port}", "--only=network.nothing-else-open"]
    assert run([*words, "--from=monitor"]) == Exit.COULD_NOT_SEE
    assert "127.0.0.1 is an address of monitor: look from outside" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--from=monitor", "--from-netns=x"], Exit.USAGE, "exclude each other"),
        (["--from=a b"], Exit.USAGE, "wants an SSH host"),
        (["--from=nobody@127.0.0.1:1"], Exit.UNAVAILABLE, "must work without a question"),
    ],
)
def test_a_place_that_cannot_be_used_is_said_before_anything_is_asked(
    more: list[str], code: Exit, said: str, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    site = serve(hardened())
    assert run(["check", f"http://127.0.0.1:{site.port}", *more]) == code
    assert said in capsys.readouterr().err
    assert site.requests == []


@pytest.mark.parametrize(
    ("text", "login"),
    [
        ("monitor", Login("monitor")),
        ("ops@monitor.example.com", Login("monitor.example.com", "ops")),
        ("ops@[2001:db8::7]:2222", Login("2001:db8::7", "ops", 2222)),
        ("192.0.2.7:22", Login("192.0.2.7", "", 22)),
    ],
)
def test_ssh_hosts_are_named_as_for_ssh(text: str, login: Login) -> None:
    assert parse_login(text) == login


@pytest.mark.parametrize("bad", ["", "@", "a:b:c", "ops:secret@x", "x/y", "x:99999", "x?y"])
def test_what_names_no_ssh_host_is_refused(bad: str) -> None:
    with pytest.raises(UsageError, match="--from wants"):
        parse_login(bad)


def test_without_a_name_there_is_no_second_place() -> None:
    with elsewhere("", "", 1.0) as place:
        assert place is None
    with pytest.raises(UsageError), elsewhere("tinykit-ops-none", "", 1.0):
        pass
