"""An install made by hand is taken over, with its data, and given back."""

from __future__ import annotations

import json

import pytest
from by_hand import KEY, claim, copy_app, curl_as_browser, run_as_units, wait_by_name
from disaster_drill import Person
from tests_e2e_support import BIN, execute

from tinykit_ops.lab.inventory import ADMIN_EMAIL, connection

pytestmark = pytest.mark.lab

OLD = "0.23.4"  #: the PocketBase that tinykit itself pins
DATA = "/srv/tinykit/pocketbase/pb_data"
IN_THE_WAY = "/etc/cron.d/tinykit-ops/in-the-way"


class Site:
    """A host with an install made by hand, and somebody who works on it."""

    def __init__(self, provisioner, folder):
        self.provisioner = provisioner
        self.lab, self.host = provisioner.lab, provisioner.host
        self.inventory = folder / "adopted.py"
        self.password = self.lab.admin_password.read_text().strip()
        copy_app(self.host, folder, provisioner.app, OLD)
        run_as_units(self.host)
        claim(f"http://{self.host.address4}:3000", ADMIN_EMAIL, self.password)
        self.person = Person(self.lab, folder, curl_as_browser)
        self.person.log_in()
        self.person.make_project("first", b"an upload")

    def adopt(self, *words):
        data = connection(self.host, "root")
        pairs = [f"--data={key}={value}" for key, value in data.items() if key != "ssh_hostname"]
        named = f"root@{self.host.address4}"
        run = execute([str(BIN / "tinykit-ops"), "adopt", named, *pairs, *words], seconds=1200)
        assert self.password not in run.text and KEY not in run.text
        return run

    def by_inventory(self, *words):
        return self.adopt(f"--inventory={self.inventory}", *words)

    def units(self):
        words = ["systemctl", "show", "-p", "FragmentPath,User,ActiveState,UnitFileState"]
        return self.host.ssh([*words, "tinykit", "pocketbase", "caddy"]).stdout

    def hashes(self):
        return self.host.ssh([f"cd {DATA} && find . -type f -exec sha256sum {{}} + | sort"]).stdout


@pytest.fixture(scope="module")
def site(new_host, tmp_path_factory):
    return Site(new_host("13"), tmp_path_factory.mktemp("by-hand"))


def test_a_look_tells_what_runs_and_changes_nothing(site):
    before = site.host.ssh(["find /etc /opt /usr/local | sort | sha256sum"]).stdout
    run = site.adopt("--format=json")
    seen = json.loads(run.out)
    assert run.code == 2  # the release has to be named
    assert [(piece["name"], piece["roles"]) for piece in seen["pieces"]] == [
        ("caddy.service", ["edge"]),
        ("tinykit.service", ["tinykit"]),
        ("pocketbase.service", ["pocketbase"]),
    ]
    assert (seen["data"], seen["pocketbase"]) == (DATA, OLD)
    assert (seen["domains"], seen["email"]) == ([site.host.domain], ADMIN_EMAIL)
    assert site.host.ssh(["find /etc /opt /usr/local | sort | sha256sum"]).stdout == before


def test_its_inventory_is_written_once(site):
    words = (f"--release={site.provisioner.app}", f"--write={site.inventory}")
    assert site.adopt(*words).code == 0
    assert KEY in site.inventory.with_suffix(".llm-api-key").read_text()
    again = site.adopt(*words)
    assert again.code == 64
    assert "stays as it is" in again.err


def test_a_conversion_that_fails_lets_the_old_install_serve_again(site):
    units = site.units()
    site.host.ssh([f"mkdir -p {IN_THE_WAY}"])
    run = site.by_inventory("--yes")
    assert run.code == 69, run.text
    assert "the old install serves again" in run.text
    assert site.units() == units
    wait_by_name(site.host)  # its units are started when their programs are, as they always were
    assert site.person.projects()["first"]["files"]
    assert "tinykit_ops" not in site.host.ssh(["nft list tables"]).stdout
    site.host.ssh([f"rm -r {IN_THE_WAY} /etc/cron.d/tinykit-ops"])


def test_the_install_is_converted_with_all_its_data(site):
    before = site.person.projects()
    run = site.by_inventory("--yes")
    assert run.code == 0, run.text
    assert "comes back" in run.out
    assert "nobody was served for" in run.out
    site.person.log_in()  # with the password of before
    assert site.person.projects() == before
    status = json.loads(
        site.host.ssh(["tinykit-ops", "status", "--format=json"], check=False).stdout
    )
    lines = {line["name"]: line["level"] for line in status["hosts"][0]["lines"]}
    assert (lines["services"], lines["health"]) == ("fine", "fine")


def test_a_deploy_afterwards_changes_nothing(site):
    run = site.provisioner.deploy(site.inventory)
    assert run.code == 0, run.text[-3000:]
    assert run.changed(site.host.address4) == []


def test_the_way_back_tells_what_is_lost_and_starts_the_old_install(site):
    old = site.hashes()
    site.person.make_project("second")
    assert old == site.hashes() != ""  # nothing is ever written to the old data
    run = site.by_inventory("--back", "--yes")
    assert run.code == 0, run.text
    assert "lost: _tk_projects: 1 new, 0 changed, 0 gone" in run.out
    wait_by_name(site.host)
    assert site.person.projects().keys() == {"first"}
    assert "User=web" in site.units()
    kept = site.host.ssh(["ls /var/lib/pocketbase"]).stdout
    assert "pb_data.adopted-" in kept


def test_after_the_way_back_no_deploy_writes_over_the_old_install(site):
    units = site.units()
    run = site.provisioner.deploy(site.inventory)
    assert run.code != 0
    assert "is not of tinykit-ops" in run.text
    assert site.units() == units
    assert site.person.projects().keys() == {"first"}
