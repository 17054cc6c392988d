"""An instance and its verifier, deployed together: it proves what the instance backed up, and looks
at it from outside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests_e2e_support import LEFT_OUT, Provisioner, Run, check_command, execute, until

from tinykit_ops.backup.keys import read_identities
from tinykit_ops.backup.signing import public_key
from tinykit_ops.host.authority import make_leaf, make_root, save
from tinykit_ops.lab.keys import ensure_age_key
from tinykit_ops.lab.lab import Lab

pytestmark = pytest.mark.lab

FIRES_SECONDS = 400  #: cron begins within a minute; what it begins fetches, checks and boots
CRON_FILE = "/etc/cron.d/tinykit-ops"
INVENTORY = """\
from tinykit_ops.lab.inventory import connection, lab_hosts
from tinykit_ops.lab.lab import Lab
from tinykit_ops.settings import check_inventory
from pathlib import Path

lab = Lab.load({lab!r})
hosts = lab_hosts({lab!r}, only=["tk-1"], app=Path({app!r}))
(target,) = hosts[0][1]["tinykit"]["backup"]["targets"]
target["signed_by"] = [{signer!r}]
_here = [str(lab.networks.controller4), str(lab.networks.controller6)]
hosts[0][1]["tinykit"]["firewall"] = {{"ssh_from": _here}}
leaf = {{"certificate": {folder!r} + "/leaf.pem", "key": {folder!r} + "/leaf.key"}}
hosts[0][1]["tinykit"]["edge"] = {{"tls": {{"mode": "files", **leaf}}}}
verifiers = [
    (
        "tk-2",
        {{
            **connection(lab.host("tk-2"), "root"),
            "tinykit_verifier": {{
                "identity": {{"file": str(lab.age_key)}},
                "checks": {{"ca_file": {folder!r} + "/ca.pem"}},
                "targets": [
                    {{
                        "kind": "s3",
                        "instance": "tk-1",
                        "target": "lab",
                        "prune": True,
                        "access_key_id": target["access_key_id"],
                        "secret_access_key": target["secret_access_key"],
                    }}
                ],
            }},
        }},
    )
]
check_inventory(__file__)
"""


@pytest.fixture(scope="module")
def vf() -> Iterator[Lab]:
    lab = Lab.up("vf", releases=("13", "13"))
    yield lab
    lab.down()


@pytest.fixture(scope="module")
def provisioner(vf: Lab, contract_app: Path, tmp_path_factory: Any) -> Provisioner:
    return Provisioner(vf, contract_app, tmp_path_factory.mktemp("inventory"))


@pytest.fixture(scope="module")
def certificates(vf: Lab, tmp_path_factory: Any) -> Path:
    """A folder with the instance's certificate and the authority that signed it."""
    folder: Path = tmp_path_factory.mktemp("certificates")
    authority = make_root()
    (folder / "ca.pem").write_text(authority.pem)
    leaf = make_leaf([vf.host("tk-1").domain], authority)
    save(leaf, folder / "leaf.pem", folder / "leaf.key", mode=0o600)
    return folder


@pytest.fixture(scope="module")
def inventory(vf: Lab, contract_app: Path, provisioner: Provisioner, certificates: Path) -> Path:
    ensure_age_key(vf.age_key)
    signer = public_key(read_identities(vf.age_key)[0])
    path = provisioner.folder / "both.py"
    names = {"lab": vf.name, "app": str(contract_app), "folder": str(certificates)}
    path.write_text(INVENTORY.format(signer=signer, **names))
    return path


@pytest.fixture(scope="module")
def deployed(provisioner: Provisioner, inventory: Path) -> Run:
    return provisioner.deploy(inventory)


def journal(lab: Lab, *words: str) -> str:
    return str(lab.host("tk-2").ssh(["journalctl", "--no-pager", "-o", "cat", *words]).stdout)


@pytest.fixture(scope="module")
def fired(vf: Lab, deployed: Run) -> str:
    """What the journal has after the instance made a backup and cron began its line."""
    assert deployed.code == 0, deployed.text[-3000:]
    vf.host("tk-1").ssh(["tinykit-ops", "backup", "run"])
    # The line that the deploy wrote, at a time that comes soon.
    line = r"s/^41 5 \* \* \* root \(sleep [0-9]*; \)\?/* * * * * root /"
    verifier = vf.host("tk-2")
    verifier.ssh([f"cp {CRON_FILE} /root/cron; sed -i '{line}' {CRON_FILE}"])

    def said() -> str:
        told = journal(vf, "-t", "tinykit-ops")
        return told if "prune " in told and "unnamed content" in told else ""

    try:
        # Once is enough: the next ones would wait for it, and for each other.
        assert until(lambda: "backup" in journal(vf, "-t", "CRON"), 180, pause=1)
    finally:
        verifier.ssh([f"cat /root/cron >{CRON_FILE}"])
    told = until(said, FIRES_SECONDS, pause=2)
    assert told, journal(vf, "-t", "tinykit-ops", "-t", "CRON")[-3000:]
    return told


def test_an_instance_and_its_verifier_are_deployed_in_one_run(deployed: Run) -> None:
    assert deployed.code == 0, deployed.text[-3000:]
    assert deployed.failed() == []
    assert len(deployed.changed("tk-2")) >= 5
    assert not any("Caddy" in name for name in deployed.changed("tk-2"))


def test_a_second_run_changes_nothing(
    provisioner: Provisioner, inventory: Path, deployed: Run
) -> None:
    run = provisioner.deploy(inventory, deploy="verifier.py")
    assert run.code == 0, run.text[-3000:]
    assert run.changed("tk-1") == run.changed("tk-2") == []


def test_cron_fetches_checks_and_boots_the_newest_snapshot_and_prunes(fired: str) -> None:
    assert "it comes back" in fired
    assert "booted on the copy" in fired
    assert "error" not in fired.lower()


def test_cron_has_nothing_to_mail(vf: Lab, fired: str) -> None:
    assert "discarding output" not in journal(vf)


def test_the_instance_learns_that_its_snapshot_was_proven_elsewhere(vf: Lab, fired: str) -> None:
    words = ["tinykit-ops", "backup", "status", "--look", "--format", "json"]
    told = json.loads(vf.host("tk-1").ssh(words).stdout)
    assert told["level"] == "OK"
    (target,) = told["targets"]
    assert target["status"]["verified_by"] == "tk-2"
    listed = vf.host("tk-1").ssh(["tinykit-ops", "backup", "list"]).stdout
    assert "by tk-2, signed" in listed


def test_the_verifier_knows_how_the_instances_backups_stand(vf: Lab, fired: str) -> None:
    status = vf.host("tk-2").ssh(["tinykit-ops", "backup", "--instance", "tk-1", "status"])
    assert status.stdout.startswith("BACKUP OK")
    doctor = ["tinykit-ops", "backup", "--instance", "tk-1", "doctor", "--format", "json"]
    seen = json.loads(vf.host("tk-2").ssh(doctor, check=False).stdout)
    assert [sign for signs in seen.values() for sign in signs if sign["mark"] == "BAD"] == []


def test_the_verifier_has_the_private_key_for_root_and_no_secret_of_the_instance(
    vf: Lab, fired: str
) -> None:
    folder = "/etc/tinykit-ops/instances/tk-1/secrets"
    told = vf.host("tk-2").ssh([f"cd {folder} && stat -c '%n %a %U' *"]).stdout.splitlines()
    assert sorted(told) == [
        "backup-lab-access-key-id 600 root",
        "backup-lab-secret-access-key 600 root",
        "backup-verify-identity 600 root",
    ]
    config = vf.host("tk-2").ssh(["cat", "/etc/tinykit-ops/instances/tk-1/config.json"]).stdout
    assert "admin_password" not in config
    key = next(one for one in vf.age_key.read_text().split() if one.startswith("AGE-SECRET"))
    assert key not in journal(vf)
    assert vf.host("tk-1").ssh([f"grep -r {key[:30]} /etc /var/lib"], check=False).stdout == ""


# Looking from outside.


@pytest.fixture(scope="module")
def nightly(vf: Lab, deployed: Run) -> list[str]:
    """What cron runs on the verifier; the instance's name resolves there."""
    assert deployed.code == 0, deployed.text[-3000:]
    instance, verifier = vf.host("tk-1"), vf.host("tk-2")
    verifier.ssh([f"echo {instance.address4} {instance.domain} >> /etc/hosts"])
    (line,) = verifier.ssh(["grep check /etc/cron.d/tinykit-ops-checks"]).stdout.splitlines()
    return [line.partition("timeout 1h ")[2]]


def test_the_verifier_sees_what_a_stranger_sees_and_keeps_it(vf: Lab, nightly: list[str]) -> None:
    verifier = vf.host("tk-2")
    said = verifier.ssh(nightly, check=False).stderr
    words = ["tinykit-ops", "check", "history", "--instance", "tk-1", "--format", "json"]
    (night,) = json.loads(verifier.ssh(words).stdout)["nights"]
    # What this lab leaves out, and what only somebody with an account or on the allowlist sees.
    assert set(night["findings"]) <= set(LEFT_OUT)
    let_in = {
        "builder.not-framed",
        "preview.sandboxed",
        "proxy.same-origin-works",
        "secrets.bundles-clean",  # the login page is behind the gate, too
    }
    assert set(night["unknown"]) <= let_in, said
    assert night["counts"]["pass"] >= 20
    modes = verifier.ssh(["stat -c '%a %U' /var/lib/tinykit-ops/instances/tk-1/checks/*"]).stdout
    assert modes.splitlines() == ["600 root"] * 2


def test_an_instance_that_does_not_answer_is_an_alarm(vf: Lab, nightly: list[str]) -> None:
    vf.host("tk-1").ssh(["systemctl stop caddy"])
    try:
        done = vf.host("tk-2").ssh(nightly, check=False)
    finally:
        vf.host("tk-1").ssh(["systemctl start caddy"])
    assert done.returncode == 69
    assert "The instance does not answer" in done.stderr


def test_any_ssh_host_is_a_second_place_to_look_from(
    vf: Lab,
    nightly: list[str],
    inventory: Path,
    certificates: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / ".ssh").mkdir(mode=0o700)
    (tmp_path / ".ssh" / "config").write_text(
        f"Host elsewhere\n  HostName {vf.host('tk-2').address4}\n  User root\n"
        f"  IdentityFile {vf.key}\n  UserKnownHostsFile {vf.known_hosts}\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    words = check_command(vf.host("tk-1"), inventory, certificates / "ca.pem", "--format=json")
    run = execute([*words, "--only=outsider", "--from=elsewhere"])
    (report,) = json.loads(run.out)["instances"]
    seen = {each["id"]: (each["outcome"], each["evidence"]) for each in report["results"]}
    assert [each for each in seen.items() if each[1][0] != "pass"] == []
    assert {"network.ports-closed", "network.ssh-allowlist", "proxy.dashboard-gated"} <= set(seen)
    assert run.code == 0
