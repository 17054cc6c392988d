"""`pyinfra @local`: the toolkit run on the server that it provisions, as its owner would."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests_e2e_support import APT, ROOT, STATUS, curl, execute

pytestmark = pytest.mark.lab

HOME = "/root/tinykit-ops"
PREPARE = f"""\
set -eu
{APT}
apt update
apt -y --no-install-recommends install python3-venv >/dev/null
cd {HOME}
python3 -m venv .venv
fetch() {{ .venv/bin/pip install --quiet --retries=6 --require-hashes -r requirements/run.txt; }}
fetch || {{ sleep 15; fetch; }} || {{ sleep 45; fetch; }}
"""
# PYTHONPATH, where a person installs the checkout: that needs no build package on the host.
DEPLOY = (
    f"cd {HOME} && PYTHONPATH=. .venv/bin/pyinfra -y --json inventories/{{}}.py deploys/full.py"
)


@pytest.fixture(scope="module")
def host(new_host):
    """A bare host with the checkout, an inventory for itself, and the release archive."""
    provisioner = new_host("13")
    host = provisioner.host
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    pack = ["tar", "-c", "--null", "--files-from=-"]
    checkout = subprocess.run(pack, cwd=ROOT, input=tracked.stdout, capture_output=True, check=True)
    unpack = f"mkdir -p {HOME} && base64 -d | tar -x -C {HOME}"
    host.ssh([unpack], input_text=base64.b64encode(checkout.stdout).decode())
    archive = base64.b64encode(provisioner.app.read_bytes()).decode()
    host.ssh([f"base64 -d >{HOME}/app.tar.zst"], input_text=archive)
    settings = {
        "domains": [host.domain],
        "admin_email": "admin@lab.test",
        "app": {"archive": f"{HOME}/app.tar.zst"},
        "edge": {"tls": {"mode": "internal"}},
    }
    # Nobody waits long where nobody comes, and long enough where somebody does.
    for name, seconds in (("alone", 10), ("local", 180)):
        wanted = {**settings, "firewall": {"confirm_seconds": seconds}}
        inventory = f"hosts = [('@local', {{'tinykit': {wanted!r}}})]\n"
        host.ssh([f"cat >{HOME}/inventories/{name}.py"], input_text=inventory)
    host.ssh([PREPARE], timeout=900)
    return host


def confirm_the_firewall(host, seconds=900):
    """Log in anew again and again until a login confirms new firewall rules. Returns what it said.

    A run on the host itself cannot come from outside; it waits for somebody who does.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        run = host.ssh(["tinykit-ops", "host", "firewall-confirm"], check=False)
        if run.returncode == 0:
            return run.stdout
        time.sleep(1)
    return "nothing to confirm came"


def test_rules_that_nobody_confirms_fail_the_run_and_go(host):
    run = host.ssh([DEPLOY.format("alone")], timeout=900, check=False)
    assert run.returncode != 0
    assert "tinykit-ops host firewall-confirm" in run.stdout + run.stderr
    assert "nobody logged in by SSH and confirmed" in run.stdout + run.stderr
    assert "tinykit_ops" not in host.ssh(["nft list tables"]).stdout


def test_a_server_provisions_itself_and_a_second_run_changes_nothing(host):
    with ThreadPoolExecutor(1) as pool:
        confirmed = pool.submit(confirm_the_firewall, host)
        first = host.ssh([DEPLOY.format("local")], timeout=900)
        assert confirmed.result() == "the new firewall rules stay\n"
    operations = json.loads(first.stdout)["results"]["operations"]
    assert [op["name"] for op in operations if op["error"]] == []
    assert execute(curl(host, "/_tk/assets/placeholder.jpg", *STATUS)).out == "200"
    second = host.ssh([DEPLOY.format("local")], timeout=900)
    operations = json.loads(second.stdout)["results"]["operations"]
    assert [op["name"] for op in operations if op["success"]] == []


def test_each_run_is_in_the_audit_log_and_nothing_is_held_afterwards(host):
    log = json.loads(host.ssh(["tinykit-ops", "audit", "--format", "json"]).stdout)
    told = [(entry["result"], entry["login"], entry["what"]) for entry in log["entries"]]
    run = ("root", "pyinfra deploys/full.py")
    assert told == [("failed", *run), ("ok", *run), ("ok", *run)]
    assert "firewall" in log["entries"][0]["why"]
    assert log["entries"][2]["changed"] == 0
    assert host.ssh(["tinykit-ops", "lock", "show"]).stdout == "nobody is changing this host\n"


def test_the_password_that_nobody_gave_is_on_the_host_for_root_alone(host):
    path = "/etc/tinykit-ops/secrets/admin-password"
    assert host.ssh(["stat", "-c", "%U %a", path]).stdout.strip() == "root 600"
    login = json.dumps({"identity": "admin@lab.test", "password": host.ssh(["cat", path]).stdout})
    words = ("--header", "Content-Type: application/json", "--data", login)
    answer = execute(curl(host, "/_pb/api/collections/users/auth-with-password", *words))
    assert json.loads(answer.out)["record"]["email"] == "admin@lab.test"


def test_the_host_check_finds_only_what_was_left_out(host):
    run = host.ssh(["tinykit-ops", "check", "--host", "--format", "json"], check=False)
    results = json.loads(run.stdout)["instances"][0]["results"]
    bad = [row["id"] for row in results if row["outcome"] != "pass"]
    assert "backups.fresh" in bad
    # The inventory names no target, and nobody to tell.
    assert {check.partition(".")[0] for check in bad} == {"backups", "monitoring"}
    assert run.returncode == 1
