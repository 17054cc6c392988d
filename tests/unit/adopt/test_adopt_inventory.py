"""The inventory that `adopt` writes."""

from __future__ import annotations

import stat

import pytest
from adopt_hosts import with_docker, with_units

from tinykit_ops.adopt import inventory
from tinykit_ops.adopt.host import read_host
from tinykit_ops.adopt.inventory import guesses, settings_of, write_for, write_inventory
from tinykit_ops.adopt.judge import judge
from tinykit_ops.adopt.model import Answers
from tinykit_ops.errors import UsageError
from tinykit_ops.settings import SettingsError, validate_inventory

KEY = "sk-a-key-that-nobody-shall-see"


@pytest.fixture
def archive(tmp_path):
    file = tmp_path / "app.tar.zst"
    file.write_text("not looked into here")
    return str(file)


@pytest.fixture
def install(archive):
    host = with_units()
    host.say("env-plain", "200", "LLM_PROVIDER=anthropic\nLLM_MODEL=claude-sonnet-4-5\nPORT=3000\n")
    return judge(host.facts(), Answers(release=archive))


def test_what_was_seen_is_an_inventory_that_validates(install, archive, tmp_path, monkeypatch):
    monkeypatch.setattr(inventory, "secret_value", lambda *_: KEY)
    path = tmp_path / "adopted.py"
    write_for(path, "203.0.113.10", {"ssh_user": "root"}, install, archive)
    (host,) = validate_inventory(path, secrets=True)
    settings = host.settings
    assert host.host == "203.0.113.10"
    assert settings.domains == ["apps.example.com", "build.example.com"]
    assert (settings.admin_email, settings.pocketbase.version) == ("ann@example.com", "0.23.4")
    assert (settings.llm.provider, settings.llm.model) == ("anthropic", "claude-sonnet-4-5")
    assert [str(one) for one in settings.access.allowlist] == ["198.51.100.7/32"]


def test_the_key_is_in_a_file_for_its_owner_alone_and_not_in_the_inventory(
    install, archive, tmp_path, monkeypatch
):
    monkeypatch.setattr(inventory, "secret_value", lambda *_: KEY)
    path = tmp_path / "adopted.py"
    write_for(path, "203.0.113.10", {}, install, archive)
    file = path.with_suffix(".llm-api-key")
    assert file.read_text().strip() == KEY
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert KEY not in path.read_text()


def test_an_inventory_that_is_there_stays_as_it_is(install, archive, tmp_path):
    path = tmp_path / "adopted.py"
    path.write_text("mine")
    settings = settings_of(install, archive, None)
    with pytest.raises(UsageError, match="there already"):
        write_inventory(path, "203.0.113.10", {}, settings, [])
    assert path.read_text() == "mine"


def test_settings_that_are_wrong_leave_no_file(install, archive, tmp_path):
    settings = settings_of(install, archive, None) | {"admin_email": "nobody"}
    with pytest.raises(SettingsError, match="admin_email"):
        write_inventory(tmp_path / "adopted.py", "203.0.113.10", {}, settings, [])
    assert [file.name for file in tmp_path.iterdir()] == ["app.tar.zst"]


def test_what_a_host_says_cannot_leave_the_inventorys_strings(archive, tmp_path):
    host = with_units()
    host.say("env-plain", "200", 'LLM_PROVIDER=custom\nLLM_BASE_URL=https://x.example.com/"""#\\')
    install = judge(host.facts(), Answers(release=archive))
    path = tmp_path / "adopted.py"
    note = '"""\nimport os  # \\'
    settings = settings_of(install, archive, None)
    settings.pop("llm", None)
    write_inventory(path, '203.0.113.10"\\', {}, settings, [note])
    assert validate_inventory(path)[0].host == '203.0.113.10"\\'


def test_another_pocketbase_at_the_same_time_is_refused(archive, tmp_path):
    host = with_units()
    host.pocketbase(version="0.28.1", cgroup="0::/system.slice/pocketbase.service\n")
    install = judge(host.facts(), Answers(release=archive))
    with pytest.raises(UsageError, match=r"PocketBase 0\.28\.1") as error:
        write_for(tmp_path / "adopted.py", "203.0.113.10", {}, install, archive)
    assert "--inventory" in error.value.hint


def test_names_that_nobody_certifies_get_the_hosts_own_authority(archive):
    answers = Answers(release=archive, domains=("kit.lan",))
    install = judge(with_docker().facts(), answers)
    assert settings_of(install, archive, None)["edge"] == {"tls": {"mode": "internal"}}
    assert any("docker" in note for note in guesses(install))


@pytest.mark.parametrize(
    ("named", "host", "data"),
    [
        ("root@apps.example.com", "apps.example.com", {"ssh_user": "root"}),
        ("203.0.113.10:2222", "203.0.113.10", {"ssh_port": 2222}),
        ("ann@[2001:db8::1]:22", "2001:db8::1", {"ssh_user": "ann", "ssh_port": 22}),
        ("@local", "@local", {}),
    ],
)
def test_a_host_is_named_as_for_ssh(named, host, data):
    assert read_host(named, []) == (host, data)


def test_data_for_the_connection_is_pyinfras_own():
    wanted = {"ssh_key": "~/key", "_sudo": True}
    assert read_host("apps.example.com", ["ssh_key=~/key", "_sudo=True"])[1] == wanted
    for bad in (["nothing"], ["a b=c"]):
        with pytest.raises(UsageError):
            read_host("apps.example.com", bad)
    with pytest.raises(UsageError):
        read_host("a b", [])
