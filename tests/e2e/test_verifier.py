"""An instance and its verifier, deployed together; cron proves what the instance backed up."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests_e2e_support import Provisioner, Run

from tinykit_ops.backup.keys import read_identities
from tinykit_ops.backup.signing import public_key
from tinykit_ops.lab.keys import ensure_age_key
from tinykit_ops.lab.lab import Lab

pytestmark = pytest.mark.lab

FIRES_SECONDS = 150  #: cron begins within a minute; what it begins fetches, checks and boots
INVENTORY = """\
from tinykit_ops.lab.inventory import connection, lab_hosts
from tinykit_ops.lab.lab import Lab
from tinykit_ops.settings import check_inventory
from pathlib import Path

lab = Lab.load({lab!r})
hosts = lab_hosts({lab!r}, only=["tk-1"], app=Path({app!r}))
(target,) = hosts[0][1]["tinykit"]["backup"]["targets"]
target["signed_by"] = [{signer!r}]
verifiers = [
    (
        "tk-2",
        {{
            **connection(lab.host("tk-2"), "root"),
            "tinykit_verifier": {{
                "identity": {{"file": str(lab.age_key)}},
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
def inventory(vf: Lab, contract_app: Path, provisioner: Provisioner) -> Path:
    ensure_age_key(vf.age_key)
    signer = public_key(read_identities(vf.age_key)[0])
    path = provisioner.folder / "both.py"
    path.write_text(INVENTORY.format(lab=vf.name, app=str(contract_app), signer=signer))
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
    vf.host("tk-2").ssh([f"sed -i '{line}' /etc/cron.d/tinykit-ops"])
    deadline = time.monotonic() + FIRES_SECONDS
    while time.monotonic() < deadline:
        said = journal(vf, "-t", "tinykit-ops")
        if "prune " in said and "unnamed content" in said:
            return said
        time.sleep(2)
    raise AssertionError(journal(vf, "-t", "tinykit-ops", "-t", "CRON")[-3000:])


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
