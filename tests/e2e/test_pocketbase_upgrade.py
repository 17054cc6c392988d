"""Another PocketBase on a lab host: deployed, killed on the way, taken back."""

from __future__ import annotations

import pytest
from tests_e2e_support import RUNTIME

from tinykit_ops import layout

pytestmark = pytest.mark.lab

OLD, NEW = "0.23.4", "0.40.6"
BEGUN = f"{layout.POCKETBASE_UPGRADES}/begun.json"
#: Kills the switch while it is at work; systemd has to settle what that leaves.
KILL = f"""\
tinykit-ops host pocketbase >/tmp/upgrade.log 2>&1 & upgrade=$!
for _ in $(seq 15000); do [ ! -e {BEGUN} ] || break; sleep 0.02; done
kill -9 "$(systemctl show -p MainPID --value {layout.POCKETBASE_SWITCH_UNIT})" || exit 9
wait $upgrade; echo "ended with $?"
"""
#: The path of the binary that serves, or the image of the container.
VERSION = {
    "systemd": "readlink /proc/$(systemctl show -p MainPID --value pocketbase)/exe | cut -d/ -f4",
    "docker": "docker inspect -f '{{.Config.Image}}' tinykit-pocketbase | cut -d: -f2",
}[RUNTIME]
ASK = f"import urllib.request as u; print(u.urlopen('{layout.POCKETBASE_URL}/api/health').status)"
ACCOUNTS = ["tinykit-ops", "users", "list", "--format", "json"]


def serving(host) -> tuple[str, str]:
    """The version that answers, and with what."""
    return host.ssh([VERSION]).stdout.strip(), host.ssh(["python3", "-c", ASK]).stdout.strip()


def test_an_upgrade_is_deployed_survives_a_kill_and_is_taken_back(new_host):
    provisioner = new_host("13")
    host = provisioner.host

    def deploy(version):
        run = provisioner.deploy(
            provisioner.inventory({host.name: "root"}, {"pocketbase": {"version": version}})
        )
        assert run.out, run.err[-3000:]
        return run, run.changed(host.name)

    run, _ = deploy(OLD)
    assert run.code == 0, run.text[-3000:]
    assert serving(host) == (OLD, "200")
    accounts = host.ssh(ACCOUNTS).stdout

    run, changed = deploy(NEW)
    assert run.code == 0, run.text[-3000:]
    assert any("another version of PocketBase" in name for name in changed)
    assert serving(host) == (NEW, "200")
    assert host.ssh(ACCOUNTS).stdout == accounts

    host.ssh(["tinykit-ops users add later@example.com --generate --save /root/later"], check=True)
    told = host.ssh(["tinykit-ops release pocketbase-rollback --dry-run"]).stdout
    assert "lost: users: 1 new, 0 changed, 0 gone" in told
    assert serving(host) == (NEW, "200")
    host.ssh(["tinykit-ops release pocketbase-rollback --yes"], check=True)
    assert serving(host) == (OLD, "200")
    assert host.ssh(ACCOUNTS).stdout == accounts

    # The agent's settings still want the newer one.
    assert "ended with 69" in host.ssh([KILL]).stdout
    assert serving(host)[1] == "200"
    assert host.ssh([f"test -e {BEGUN}"], check=False).returncode == 1
    host.ssh(["tinykit-ops host pocketbase"], check=True)
    assert serving(host) == (NEW, "200")
    assert host.ssh(ACCOUNTS).stdout == accounts
    # Limits that only the newer one knows went with the data of before.
    assert all(name.startswith("deploys/claim.py") for name in deploy(NEW)[1])
    assert deploy(NEW)[1] == []
