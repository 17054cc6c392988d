"""A wrong inventory ends in one message before any host is touched, with the real pyinfra."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tinykit_ops.cli import run
from tinykit_ops.errors import UsageError
from tinykit_ops.settings import SettingsError, validate_inventory

ROOT = Path(__file__).parents[3]
CHECKED = "from tinykit_ops.settings import check_inventory\n{body}\ncheck_inventory(__file__)\n"
DEPLOY = """
from pyinfra import host
from pyinfra.operations import server
from tinykit_ops.settings import secrets_for, settings_for

settings = settings_for(host)
secrets = secrets_for(host)
server.shell(name="Touch the host", commands=["echo {name} >> touched".format(
    name=settings.domains[0])])
"""
Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file into the current folder, which holds an archive and a deploy."""
    monkeypatch.chdir(tmp_path)

    def make(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    make("app.tar.zst", "not looked into here")
    make("deploy.py", DEPLOY)
    return make


def host(name: str = "@local", **changes: Any) -> str:
    """One host as it stands in an inventory."""
    data = {
        "domains": ["apps.example.com"],
        "admin_email": "you@example.com",
        "app": {"archive": "app.tar.zst"},
        **changes,
    }
    return f"({name!r}, {{'tinykit': {data!r}}})"


def pyinfra(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the real pyinfra in the current folder."""
    return subprocess.run(
        [str(Path(sys.executable).parent / "pyinfra"), "-y", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A port that nobody should connect to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def nobody_came(listener: socket.socket) -> bool:
    """Has no client connected so far?"""
    try:
        listener.accept()
    except BlockingIOError:
        return True
    return False


def assert_stopped(result: subprocess.CompletedProcess[str], *words: str) -> None:
    """It ended with 64 and one message that holds these words."""
    assert result.returncode == 64, result.stderr
    assert result.stderr.count("error: ") == 1
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr
    assert not Path("touched").exists()


# Running pyinfra -------------------------------------------------------------------------------


def test_a_wrong_inventory_stops_before_connecting_with_the_faults_of_all_hosts(
    write: Write, server: socket.socket
) -> None:
    ssh = f"'ssh_hostname': '127.0.0.1', 'ssh_port': {server.getsockname()[1]}"
    first = host("web1", domains=["https://x"]).replace("{'tinykit'", f"{{{ssh}, 'tinykit'")
    hosts = f"hosts = [{first}, {host('web2', admin_email='you')}, 'web3', '@local']"
    write("bad.py", CHECKED.format(body=hosts))
    result = pyinfra("bad.py", "deploy.py")
    assert_stopped(
        result, "web1: domains[0]", "web2: admin_email", "web3: tinykit: is missing", "@local"
    )
    assert "Connecting" not in result.stderr
    assert nobody_came(server)


def test_a_missing_secret_stops_before_connecting(write: Write, server: socket.socket) -> None:
    ssh = f"'ssh_hostname': '127.0.0.1', 'ssh_port': {server.getsockname()[1]}"
    web = host("web1", admin_password={"env": "NOT_SET_ANYWHERE"})
    web = web.replace("{'tinykit'", f"{{{ssh}, 'tinykit'", 1)
    write("bad.py", CHECKED.format(body=f"hosts = [{web}]"))
    assert_stopped(pyinfra("bad.py", "deploy.py"), "admin_password", "NOT_SET_ANYWHERE is not set")
    assert nobody_came(server)


def test_a_missing_archive_stops_before_connecting(write: Write) -> None:
    write("bad.py", CHECKED.format(body=f"hosts = [{host(app={'archive': 'nowhere.zst'})}]"))
    result = pyinfra("bad.py", "deploy.py")
    assert_stopped(result, "app.archive", "there is no file nowhere.zst", "release build")
    assert "Connecting" not in result.stderr


def test_an_inventory_without_hosts_stops_with_an_example(write: Write) -> None:
    write("bad.py", CHECKED.format(body="hosts = []"))
    assert_stopped(pyinfra("bad.py", "deploy.py"), "names no host", "example: hosts = [")


def test_ctrl_c_while_the_inventory_is_read_is_not_told_as_a_fault_of_it(write: Write) -> None:
    # Ctrl-C comes as the file is read the second time, by `check_inventory`.
    press = "import os, signal\nif os.environ.setdefault('READ', '') == 'once':\n    "
    press += "os.kill(os.getpid(), signal.SIGINT)\nos.environ['READ'] = 'once'\n"
    body = f"{press}hosts = [{host()}]"
    write("site.py", CHECKED.format(body=body))
    result = pyinfra("site.py", "deploy.py", ADMIN_PASSWORD="a long password")
    assert "error: this run was stopped (SIGINT)" in result.stderr
    assert "setting" not in result.stderr
    assert result.returncode == 130
    assert not Path("touched").exists()


def test_without_the_last_line_the_first_deploy_stops_before_changing_anything(
    write: Write,
) -> None:
    write("bad.py", f"hosts = [{host(domains=['x:80'])}, 'unreachable.invalid']")
    assert_stopped(
        pyinfra("bad.py", "deploy.py", "--limit", "@local"),
        "@local: domains[0]",
        "unreachable.invalid: tinykit: is missing",
    )


def test_without_the_last_line_a_missing_secret_stops_the_deploy_cleanly(write: Write) -> None:
    write("bad.py", f"hosts = [{host(admin_password={'env': 'NOT_SET_ANYWHERE'})}]")
    assert_stopped(pyinfra("bad.py", "deploy.py"), "@local: admin_password")


def test_a_deploy_without_an_inventory_file_says_what_is_missing(write: Write) -> None:
    assert_stopped(pyinfra("@local", "deploy.py"), "tinykit: is missing", "example: hosts = [")


def test_a_right_inventory_runs_with_what_its_group_data_adds(write: Write) -> None:
    write("inventories/site.py", CHECKED.format(body=f"hosts = [{host(admin_email='a@b.co')}]"))
    shared = {"admin_password": {"env": "ADMIN_PASSWORD"}, "firewall": {"ssh_from": ["10.0.0.1"]}}
    write("inventories/group_data/site.py", f"tinykit_defaults = {shared!r}")
    result = pyinfra("inventories/site.py", "deploy.py", ADMIN_PASSWORD="a long password")
    assert result.returncode == 0, result.stderr
    assert Path("touched").read_text() == "apps.example.com\n"
    assert "warning: @local: backup.targets" in result.stderr
    assert "ssh_from" not in result.stderr, "the group has said it"
    Path("touched").unlink()
    assert_stopped(pyinfra("inventories/site.py", "deploy.py"), "ADMIN_PASSWORD is not set")


def test_a_command_on_the_hosts_needs_no_secrets(write: Write) -> None:
    body = f"hosts = [{host(admin_password={'env': 'NOT_SET_ANYWHERE'})}]"
    write("site.py", CHECKED.format(body=body))
    result = pyinfra("site.py", "exec", "--", "echo ran")
    assert result.returncode == 0, result.stderr


# validate_inventory ----------------------------------------------------------------------------


def test_hosts_of_all_groups_are_read_with_their_groups_data(write: Write) -> None:
    path = write(
        "site.py",
        f"web = ([{host('web1')}, {host('web2')}], {{'tinykit_defaults': {{}}}})\n"
        f"db = [{host('web2')}]\n_networks = ['10.0.0.1']\nNAME = 'x'\n",
    )
    assert [found.host for found in validate_inventory(path)] == ["web1", "web2"]


def test_an_inventory_that_checks_itself_can_be_validated_too(write: Write) -> None:
    path = write("site.py", CHECKED.format(body=f"hosts = [{host(runtime='x')}, 'web2']"))
    with pytest.raises(SettingsError) as caught:
        validate_inventory(path)
    assert {(p.where, p.key) for p in caught.value.problems} == {
        ("@local", "runtime"),
        ("web2", "tinykit"),
    }


def test_a_list_that_is_no_group_of_hosts_is_explained(write: Write) -> None:
    path = write("site.py", f"TRUSTED = ['10.0.0.1']\nhosts = [{host()}]")
    with pytest.raises(SettingsError, match="a name that starts with _"):
        validate_inventory(path)


def test_an_archive_is_held_to_its_hash(write: Write) -> None:
    wrong = {"archive": "app.tar.zst", "sha256": "a" * 64}
    path = write("site.py", f"hosts = [{host(app=wrong)}]")
    with pytest.raises(SettingsError) as caught:
        validate_inventory(path)
    assert caught.value.problems[0].key == "app.sha256"


def test_certificate_files_are_looked_at(write: Write) -> None:
    write("cert.pem", "-----BEGIN CERTIFICATE-----\n")
    write("key.pem", "DER, alas")
    tls = {"mode": "files", "certificate": "cert.pem", "key": "key.pem"}
    path = write("site.py", f"hosts = [{host(edge={'tls': tls})}]")
    with pytest.raises(SettingsError) as caught:
        validate_inventory(path)
    assert [problem.key for problem in caught.value.problems] == ["edge.tls.key"]
    Path("key.pem").unlink()
    with pytest.raises(SettingsError, match=r"key\.pem cannot be read"):
        validate_inventory(path)


def test_a_base_image_that_is_not_there_is_told_before_any_host_is_touched(write: Write) -> None:
    docker = {"base_archive": "."}
    path = write("site.py", f"hosts = [{host(runtime='docker', docker=docker)}]")
    with pytest.raises(SettingsError, match="cannot be read: Is a directory") as caught:
        validate_inventory(path)
    assert [problem.key for problem in caught.value.problems] == ["docker.base_archive"]
    validate_inventory(write("other.py", f"hosts = [{host(docker=docker)}]"))  # not used


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hosts = [", "SyntaxError"),
        ("raise RuntimeError('no lab is up')", "RuntimeError: no lab is up"),
        ("import nowhere_at_all", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("hosts = ['@nowhere/x']", "Invalid connector"),
        ("", "names no host"),
        ("hosts = []", "names no host"),
    ],
)
def test_a_file_that_is_no_inventory_is_one_message(write: Write, text: str, words: str) -> None:
    path = write("site.py", text)
    with pytest.raises(UsageError, match=words):
        validate_inventory(path)


def test_reading_an_inventory_leaves_the_process_as_it_was(write: Write) -> None:
    program = (
        "import socket, threading; from pathlib import Path\n"
        "before = socket.socket, threading.Lock, threading.Event\n"
        "from tinykit_ops.settings import validate_inventory\n"
        "validate_inventory(Path('site.py'))\n"
        "assert before == (socket.socket, threading.Lock, threading.Event)\n"
    )
    write("site.py", f"hosts = [{host()}]")
    subprocess.run(
        [sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )


def test_a_missing_file_is_not_taken_for_a_host_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no inventory file"):
        validate_inventory(tmp_path / "production.py")


# The command -----------------------------------------------------------------------------------


def test_validate_says_what_is_right_and_warns(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "correct horse battery"
    path = write("site.py", f"hosts = [{host(admin_password=secret)}]")
    assert run(["settings", "validate", str(path)]) == 0
    out = capsys.readouterr().out
    assert "@local: settings are right (apps.example.com)" in out
    assert "warning: admin_password: the secret stands in the inventory in plain text" in out
    assert secret not in out


def test_validate_ends_with_64_and_every_fault(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("site.py", f"hosts = [{host(domains=['x:80'], runtime='x')}]")
    assert run(["settings", "validate", str(path)]) == 64
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "2 wrong settings" in captured.err and "domains[0]" in captured.err


def test_validate_speaks_json(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write("site.py", f"hosts = [{host()}]")
    assert run(["settings", "validate", str(path), "--format", "json"]) == 0
    right = json.loads(capsys.readouterr().out)
    assert right["ok"] and right["hosts"][0]["host"] == "@local"
    assert right["hosts"][0]["warnings"][0]["key"] == "firewall.ssh_from"
    path = write("wrong.py", f"hosts = [{host(runtime='x')}]")
    assert run(["settings", "validate", str(path), "--format", "json"]) == 64
    wrong = json.loads(capsys.readouterr().out)
    assert not wrong["ok"] and wrong["problems"][0]["key"] == "runtime"
    path = write("none.py", "no python")
    assert run(["settings", "validate", str(path), "--format", "json"]) == 64
    unread = json.loads(capsys.readouterr().out)
    assert not unread["ok"] and "cannot be read" in unread["problems"][0]["reason"]


def test_validate_reads_secrets_only_when_asked(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("site.py", f"hosts = [{host(admin_password={'env': 'NOT_SET_ANYWHERE'})}]")
    assert run(["settings", "validate", str(path)]) == 0
    assert run(["settings", "validate", str(path), "--secrets"]) == 64
    assert "NOT_SET_ANYWHERE is not set" in capsys.readouterr().err


# The example -----------------------------------------------------------------------------------


def test_the_example_is_right_once_its_archive_is_there(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    example = ROOT / "inventories" / "example.py"
    with pytest.raises(SettingsError) as caught:
        validate_inventory(example)
    assert [problem.key for problem in caught.value.problems] == ["app.archive"]
    archive = str(caught.value.problems[0].reason.split()[4])
    write(archive, "a release")
    (found,) = validate_inventory(example)
    assert [advice.key for advice in found.advice] == ["backup.targets"]


def test_what_the_example_leaves_commented_out_is_right_too(write: Write) -> None:
    text = (ROOT / "inventories" / "example.py").read_text()
    write("dist/tinykit-617db3416af2.tar.zst", "a release")
    key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
    lines = []
    for line in text.replace('["age1…"]', f'["{key}"]').splitlines():
        code = line.strip().removeprefix("#   ")
        optional = line.strip().startswith("#   ") and line.startswith(" " * 12)
        if optional and '"sha256": "…"' not in code and '{"command"' not in code:
            lines.append(code if not code.startswith("ssh ") else line)
        else:
            lines.append(line)
    path = write("all.py", "\n".join(lines))
    (found,) = validate_inventory(path)
    assert found.settings.backup.targets[0].name == "offsite"
    assert found.settings.edge.tls.mode == "internal"
    assert found.settings.access.builder.require == ["account", "allowlist"]
    assert found.advice == ()
