import json
from pathlib import Path
from typing import Any

import pytest

from tinykit_ops.cli import run
from tinykit_ops.errors import UsageError
from tinykit_ops.lab import inventory, keys, plan
from tinykit_ops.lab import state as notes
from tinykit_ops.lab.addresses import choose
from tinykit_ops.lab.errors import LabNotFoundError
from tinykit_ops.lab.inventory import lab_hosts
from tinykit_ops.lab.lab import Lab
from tinykit_ops.lab.pyinfra_hosts import hosts_for_pyinfra
from tinykit_ops.settings import load_settings
from tinykit_ops.settings.pyinfra_error import RunStoppedError

NETWORKS = choose("/labs/demo", [])


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the notes and keys of a lab of two hosts, of which nothing runs."""
    folder = tmp_path / "labs"
    (folder / "demo/keys").mkdir(parents=True)
    state = plan.new_lab("demo", NETWORKS, s3=True)
    state = plan.add_hosts(state, ["trixie", "bookworm"], lambda code: f"{code}-tree", None)
    notes.save(folder / "demo", state)
    lab = Lab.load("demo", folder)
    keys.ensure_ssh_key(lab.key, "lab")
    keys.ensure_password(lab.admin_password)
    lab.s3.folder.mkdir()
    lab.s3.access_key_id_file.write_text("LABKEYID\n")
    lab.s3.secret_access_key_file.write_text("very-secret\n")
    monkeypatch.setenv("TINYKIT_LAB_ROOT", str(folder))
    return folder


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "tinykit-abc.tar.zst"
    path.write_bytes(b"archive")
    return path


def test_the_settings_of_every_host_are_valid(root: Path, app: Path) -> None:
    for name, data in lab_hosts("demo", app=app):
        settings = load_settings(data["tinykit"], where=name)
        assert settings.domains == [f"{name}.lab.test"]


def test_hosts_are_reached_by_pinned_keys_and_nothing_of_the_users(root: Path) -> None:
    name, data = lab_hosts("demo")[0]
    assert name == "tk-1"
    assert data["ssh_hostname"] == str(NETWORKS.host4(1))
    assert data["ssh_strict_host_key_checking"] == "yes"
    assert data["ssh_known_hosts_file"] == str(root / "demo/keys/known_hosts")
    assert data["ssh_key"] == str(root / "demo/keys/id_ed25519")
    assert data["ssh_allow_agent"] is data["ssh_look_for_keys"] is False
    assert data["ssh_connect_retries"] > 0
    assert "_sudo" not in data


def test_the_sudo_user_uses_sudo(root: Path) -> None:
    assert all(
        data["_sudo"] and data["ssh_user"] == "ops" for _, data in lab_hosts("demo", user="ops")
    )


def test_only_the_controller_passes_the_gates(root: Path, app: Path) -> None:
    settings = load_settings(lab_hosts("demo", app=app)[0][1]["tinykit"], where="tk-1")
    allowed = settings.access.allowlist
    assert any(NETWORKS.controller4 in network for network in allowed)
    assert any(NETWORKS.controller6 in network for network in allowed)
    for outsider in (NETWORKS.client4, NETWORKS.client6):
        assert not any(outsider in network for network in [*allowed, *settings.firewall.ssh_from])


def test_a_test_may_override_any_setting_deeply(root: Path, app: Path) -> None:
    over: dict[str, Any] = {"edge": {"max_body": "5MB"}, "domains": ["a.test"]}
    tinykit = lab_hosts("demo", app=app, overrides=over)[0][1]["tinykit"]
    assert tinykit["domains"] == ["a.test"]
    assert tinykit["edge"] == {"tls": {"mode": "internal"}, "max_body": "5MB"}


def test_hosts_may_be_picked(root: Path) -> None:
    assert [name for name, _ in lab_hosts("demo", only=["tk-2"])] == ["tk-2"]
    with pytest.raises(LabNotFoundError, match="no host 'tk-9'"):
        lab_hosts("demo", only=["tk-9"])
    with pytest.raises(UsageError, match="no user 'admin'"):
        lab_hosts("demo", user="admin")


def test_no_secret_is_in_the_inventory_nor_in_what_is_printed(
    root: Path, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    password = (root / "demo/keys/admin-password").read_text().strip()
    shown = [json.dumps(lab_hosts("demo", app=app))]
    for kind in ("text", "json"):
        assert run(["lab", "inventory", "--name", "demo", "--format", kind]) == 0
        shown.append(capsys.readouterr().out)
    for text in shown:
        assert "very-secret" not in text
        assert password not in text
        assert "secret-access-key" in text


def test_the_variables_choose_lab_user_hosts_and_app(root: Path, app: Path) -> None:
    environ = {
        "TINYKIT_LAB": "demo",
        "TINYKIT_LAB_USER": "ops",
        "TINYKIT_LAB_HOSTS": "tk-2, tk-1",
        "TINYKIT_LAB_APP": str(app),
    }
    hosts = hosts_for_pyinfra(environ)
    assert [name for name, _ in hosts] == ["tk-2", "tk-1"]
    assert hosts[0][1]["ssh_user"] == "ops"
    assert hosts[0][1]["tinykit"]["app"]["archive"] == str(app)
    assert len(hosts[0][1]["tinykit"]["app"]["sha256"]) == 64


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"TINYKIT_LAB": "gone"}, "no lab 'gone'"),
        ({"TINYKIT_LAB": "../x"}, "no name for a lab"),
        ({"TINYKIT_LAB": "demo", "TINYKIT_LAB_APP": "/no/such.tar.zst"}, "no such release"),
    ],
)
def test_a_wrong_variable_stops_pyinfra_with_one_message(
    root: Path, environ: dict[str, str], message: str
) -> None:
    with pytest.raises(RunStoppedError, match=message) as caught:
        hosts_for_pyinfra(environ)
    assert caught.value.exit_code == 64


def test_a_lab_whose_notes_are_broken_is_still_listed(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "broken").mkdir()
    (root / "broken/state.json").write_text("{")
    assert run(["lab", "list"]) == 0
    out = capsys.readouterr().out
    assert "lab down --name broken" in out
    assert "tk-2" in out


def test_a_lab_without_s3_has_no_backup_target(root: Path) -> None:
    lab = Lab.load("demo", root)
    plain = Lab(lab.names, plan.new_lab("demo", NETWORKS, s3=False), lab.cache)
    with pytest.raises(LabNotFoundError, match="no S3 server"):
        _ = plain.s3
    assert "s3" not in inventory.describe(plain)
