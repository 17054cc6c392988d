"""What backups are for: a host that is gone, and data that has to go back to what it was."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from disaster_drill import Elsewhere, Person, Stopwatch, outcomes
from tests_e2e_support import BIN, ROOT, STATUS, Provisioner, Run, curl, execute, until

from tinykit_ops import layout
from tinykit_ops.errors import Exit
from tinykit_ops.lab.inventory import settings as host_settings
from tinykit_ops.lab.lab import Lab

pytestmark = pytest.mark.lab

LAB = "dd"
DATA = layout.POCKETBASE_DATA
UNITS = ("pocketbase", "tinykit", "caddy")
KEY = "/run/backup-age.key"
UPLOAD_BYTES = 2 << 20
#: Of the lab's settings not every check passes; these say that it works, and is closed.
MUST_PASS = {
    "authentication.login-works",
    "backups.fresh",
    "builder.setup-closed",
    "builder.gated",
    "database.settings-locked",
    "https.certificate",
}

# Data whose migrations fail when PocketBase starts on it: its collections are there already.
# It is taken while PocketBase is stopped, and the good data is put back.
ILL_SNAPSHOT = f"""\
set -eu
systemctl stop tinykit pocketbase
cp -a {DATA} {DATA}.good
python3 - <<'END'
import sqlite3
database = sqlite3.connect("{DATA}/data.db")
with database:
    database.execute("DELETE FROM _migrations WHERE file LIKE '%.js'")
database.close()
END
tinykit-ops backup run
rm -rf {DATA}
mv {DATA}.good {DATA}
systemctl start pocketbase tinykit
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One host, and an S3 server that is not on it."""
    lab = Lab.up(LAB, releases=("13",))
    yield lab
    lab.down()


@pytest.fixture(scope="module")
def site(lab, contract_app, tmp_path_factory) -> Provisioner:
    """The host, provisioned; the private key of its backups is not on it."""
    provisioner = Provisioner(lab, contract_app, tmp_path_factory.mktemp("inventories"))
    deploy(provisioner)
    return provisioner


@pytest.fixture(scope="module")
def person(site, lab, tmp_path_factory) -> Person:
    person = Person(lab, tmp_path_factory.mktemp("person"))
    person.log_in()
    person.make_project("first")
    person.make_project("with a file", os.urandom(UPLOAD_BYTES))
    return person


def deploy(provisioner: Provisioner) -> Path:
    inventory = provisioner.inventory({"tk-1": "root"})
    run = provisioner.deploy(inventory)
    assert run.code == 0, run.text[-3000:]
    return inventory


def back_up(lab: Lab) -> str:
    """Let the host's agent make a snapshot. Returns its id."""
    lab.host("tk-1").ssh(["tinykit-ops", "backup", "run"])
    return newest(lab)


def newest(lab: Lab) -> str:
    listed = lab.host("tk-1").ssh(["tinykit-ops", "backup", "list", "--format", "json"])
    return max(one["id"] for one in json.loads(listed.stdout)["lab"])


@contextmanager
def private_key(lab: Lab) -> Iterator[str]:
    """On the host for as long as it takes, and in memory only."""
    host = lab.host("tk-1")
    host.ssh([f"umask 077; cat >{KEY}"], input_text=lab.age_key.read_text())
    yield KEY
    host.ssh(["rm", KEY])


def restore(lab: Lab, snapshot: str, *words: str):
    with private_key(lab) as key:
        command = ["tinykit-ops", "backup", "restore", snapshot, "--in-place", "--yes"]
        return lab.host("tk-1").ssh([*command, f"--identity={key}", *words], check=False)


def assert_serves(lab: Lab) -> None:
    host = lab.host("tk-1")
    said = host.ssh(["systemctl", "is-active", *UNITS], check=False).stdout
    assert said.split() == ["active"] * len(UNITS)
    assert execute(curl(host, "/_tk/assets/placeholder.jpg", *STATUS)).out == "200"
    beside = host.ssh(["ls", "-A", os.path.dirname(DATA)]).stdout.split()  # noqa: PTH120
    assert [name for name in beside if "restoring" in name] == []


def test_a_live_instance_goes_back_to_a_snapshot_and_keeps_what_it_had_beside(lab, person):
    before = person.projects()
    snapshot = back_up(lab)
    person.make_project("a mistake", b"somebody's")
    run = restore(lab, snapshot)
    assert run.returncode == 0, run.stdout + run.stderr
    assert person.projects() == before
    kept = f"{DATA}.before-{snapshot}"
    assert kept in run.stdout
    assert lab.host("tk-1").ssh(["ls", f"{kept}/data.db"]).stdout.strip() == f"{kept}/data.db"
    assert_serves(lab)


def test_a_snapshot_that_does_not_come_up_gives_way_to_the_data_from_before(lab, person):
    lab.host("tk-1").ssh([ILL_SNAPSHOT])
    ill = newest(lab)
    person.make_project("after the ill one")
    before = person.projects()
    run = restore(lab, ill)
    assert run.returncode == 69, run.stdout + run.stderr
    assert "the old data comes back" in run.stdout
    assert person.projects() == before
    assert_serves(lab)


def destroy(lab: Lab) -> None:
    """The host, its disk and its SSH key are gone; what is not on it stays."""
    machine = lab.host("tk-1").machine
    machine.kill()
    shutil.rmtree(machine.folder)


def test_a_host_that_is_gone_comes_back_from_its_backups(lab, site, person, tmp_path, capsys):
    person.make_project("the last one", os.urandom(UPLOAD_BYTES))
    before = person.projects()
    snapshot = back_up(lab)
    machine_id = lab.host("tk-1").ssh(["cat", "/etc/machine-id"]).stdout
    found = outcomes(lab, site.inventory({"tk-1": "root"}), tmp_path / "ca.pem")
    assert {name for name, outcome in found.items() if outcome == "pass"} >= MUST_PASS

    took = Stopwatch()
    destroy(lab)
    Lab.up(LAB)
    took.lap("a bare host")
    assert lab.host("tk-1").ssh(["cat", "/etc/machine-id"]).stdout != machine_id
    inventory = deploy(site)
    took.lap("deploys/full.py")
    run = restore(lab, snapshot)
    assert run.returncode == 0, run.stdout + run.stderr
    took.lap("restore --in-place")
    assert outcomes(lab, inventory, tmp_path / "ca.pem") == found
    took.lap("check")

    # With the session of before: the accounts and their keys are the old ones, too.
    assert person.projects() == before
    project = before["the last one"]
    published = f"/_tk/assets/{project['id']}/{project['assets'][0]}"
    assert lab.outside.run(curl(person.host, published, *STATUS)).stdout == "200"
    assert_serves(lab)
    with capsys.disabled():
        print(f"\nfrom a destroyed host to a green check: {took}")


def migration(lab: Lab, inventory: Path, *words: str) -> list[str]:
    """The command that moves the instance of tk-1 to tk-2."""
    key = f"--identity={lab.age_key}"
    command = [str(BIN / "tinykit-ops"), "migrate", "tk-1", "tk-2", f"--inventory={inventory}"]
    return [*command, key, *words]


def kill_in_the_window(command: list[str], person: Person) -> None:
    """Somebody writes until it is refused; then the controller dies."""
    numbers = itertools.count()

    def writes() -> str:
        return person.tries_to_make_a_project(f"late {next(numbers)}")

    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            if "closing tk-1" in line:
                assert until(lambda: writes() == "503", pause=0)
                process.kill()
    assert process.returncode == -signal.SIGKILL


def finish(command: list[str]) -> Run:
    """Run it again; what a dead controller had begun on a host ends first."""
    runs: list[Run] = []

    def ran() -> bool:
        runs.append(execute(command))
        return runs[-1].code != Exit.TRY_AGAIN

    until(ran, 300, pause=2)
    return runs[-1]


def test_an_instance_moves_to_another_host_and_no_write_is_lost(lab, site, person, capsys):
    person.make_project("before the move", os.urandom(UPLOAD_BYTES))
    lab = Lab.up(LAB, releases=("13", "12"))
    one = {
        "domains": [lab.host("tk-1").domain],
        "backup": host_settings(lab, lab.host("tk-1"))["backup"],
    }
    inventory = site.inventory({"tk-1": "root", "tk-2": "root"}, one)
    would = execute(migration(lab, inventory, "--dry-run"))
    assert would.code == 0, would.text
    assert "a bare host" in would.out
    assert lab.host("tk-2").ssh(["ls", "/opt"]).stdout == ""

    kill_in_the_window(migration(lab, inventory, "--yes"), person)
    assert person.tries_to_make_a_project("in the window") == "503"
    before = person.projects()
    run = finish(migration(lab, inventory, "--yes"))
    assert run.code == 0, run.text
    assert "read-only window: begun by the run before, ended 2" in run.out

    # The old one can be read, refuses what would be lost, and no deploy wakes it up.
    assert person.projects() == before
    assert person.tries_to_make_a_project("too late") == "503"
    refused = site.deploy_plain(inventory, "--limit", "tk-1")
    assert refused.code == 1
    assert "this instance moves, or has moved, to tk-2" in refused.text
    # As the DNS record will say: the same accounts, logins and data, and writes are welcome.
    person.host = Elsewhere(lab.host("tk-1").domain, lab.host("tk-2").address4)
    assert person.projects() == before
    person.make_project("on the new host")
    with capsys.disabled():
        print("\n" + run.out)
