"""The days after the first, on one host: who changes it, who may log in, how it is, new secrets."""

from __future__ import annotations

import json
import subprocess

import pytest
from edge_traffic import FINE, Traffic, answers, publish
from tests_e2e_support import BIN, ROOT, RUNTIME, STATUS, Provisioner, curl, execute, until

from tinykit_ops import layout
from tinykit_ops.lab.lab import Lab

pytestmark = pytest.mark.lab

SLOW = """\
from pyinfra.operations import server
from tinykit_ops.ops.hold import hold_host
hold_host()
server.shell(name="Take a while", commands=["sleep 900"])
"""
#: Where the server has its credentials from.
CREDENTIALS = {
    "systemd": "/run/credentials/pocketbase.service",
    "docker": f"{layout.DOCKER_SECRETS}/pocketbase",
}[RUNTIME]
LLM_KEY = "sk-the-first-key-of-the-lab-0123456789"


@pytest.fixture(scope="module")
def provisioner(contract_app, tmp_path_factory):
    """A bare host, and a place for its backups."""
    lab = Lab.up("e2e-dt", releases=("12",))
    yield Provisioner(lab, contract_app, tmp_path_factory.mktemp("inventories"))
    lab.down()


@pytest.fixture(scope="module")
def inventory(provisioner):
    """Written once a key, by `with_key`."""
    return with_key(provisioner, LLM_KEY)


def with_key(provisioner, key):
    llm = {"provider": "openai", "model": "m", "api_key": {"value": key}}
    return provisioner.inventory({provisioner.host.name: "ops"}, {"llm": llm})


@pytest.fixture(scope="module")
def host(provisioner, inventory):
    """The provisioned host; a second run has changed nothing."""
    assert provisioner.deploy(inventory, "--dry").code == 0
    first = provisioner.deploy(inventory)
    assert first.code == 0, first.text[-3000:]
    assert provisioner.deploy(inventory).changed(provisioner.host.name) == []
    return provisioner.host


def ops(*words, code=0):
    """`tinykit-ops WORDS` on this machine."""
    run = execute([str(BIN / "tinykit-ops"), *map(str, words)])
    assert run.code == code, run.text
    return run


def agent(host, *words, code=0):
    """`tinykit-ops WORDS` on the host, as root."""
    done = host.ssh(["tinykit-ops", *words], check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def entries(host):
    return json.loads(agent(host, "audit", "--format=json"))["entries"]


def wait_for_lock(host, code):
    """Until `lock show` says so: 75 held, 0 free."""

    def show():
        return host.ssh(["tinykit-ops", "lock", "show"], check=False)

    done = until(lambda: done if (done := show()).returncode == code else None)
    assert done, show()
    return done.stdout


@pytest.fixture
def other_controller(provisioner, inventory, host, tmp_path):
    """A controller that is at work on the host, and said there who it is."""
    deploy = tmp_path / "slow.py"
    deploy.write_text(SLOW)
    command = provisioner.command(str(inventory), str(deploy))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, **quiet) as process:
        assert until(lambda: "slow.py" in wait_for_lock(host, 75))
        yield process
        process.kill()


def logs_in(host, email, password):
    login = json.dumps({"identity": email, "password": password})
    words = ("--header", "Content-Type: application/json", "--data", login)
    answer = execute(curl(host, "/_pb/api/collections/users/auth-with-password", *words))
    return json.loads(answer.out).get("token", "")


def refreshes(host, token):
    words = ("--request", "POST", "--header", f"Authorization: Bearer {token}", *STATUS)
    return execute(curl(host, "/_pb/api/collections/users/auth-refresh", *words)).out == "200"


def test_every_run_is_in_the_audit_log_of_the_host_and_a_dry_one_is_not(host):
    first, second = entries(host)
    assert (first["what"], first["result"]) == ("pyinfra deploys/full.py", "ok")
    assert first["changed"] >= 15
    assert (second["result"], second["changed"]) == ("ok", 0)
    assert first["login"] == "ops"
    assert first["address"]
    path = "/var/log/tinykit-ops/audit.jsonl"
    assert host.ssh(["stat", "-c", "%U %a", path]).stdout.strip() == "root 600"


def test_a_second_controller_is_refused_and_a_killed_one_leaves_nothing_behind(
    provisioner, inventory, host, other_controller
):
    run = provisioner.deploy_plain(inventory, deploy="checks.py")
    assert run.code != 0
    assert "Starting operation: Write the schedule of checks" not in run.text
    assert "this host is being changed by" in run.text
    assert "slow.py, since 20" in run.text
    agent(host, "users", "remove", "nobody@lab.test", "--yes", code=75)
    other_controller.kill()
    wait_for_lock(host, 0)
    assert provisioner.deploy(inventory, deploy="checks.py").code == 0
    results = [entry["result"] for entry in entries(host)[-4:]]
    assert results == ["interrupted", "refused", "refused", "ok"]


def test_a_lock_that_is_taken_away_ends_the_run(host, other_controller):
    agent(host, "lock", "release", "--yes")
    wait_for_lock(host, 0)
    assert entries(host)[-1]["why"] == "the run was stopped"


def test_accounts_are_managed_from_the_controller(host, inventory, tmp_path):
    (tmp_path / "password").write_text("ann-has-a-password\n")
    here = ("--inventory", inventory)
    given = ("--password-file", tmp_path / "password")
    ops("users", "add", "ann@lab.test", *given, *here)
    assert "already" in ops("users", "add", "ann@lab.test", *given, *here, code=64).err
    token = logs_in(host, "ann@lab.test", "ann-has-a-password")
    assert refreshes(host, token)
    saved = tmp_path / "saved"
    ops("users", "reset-password", "ann@lab.test", "--generate", "--save", saved, *here)
    assert saved.stat().st_mode & 0o777 == 0o600
    assert not refreshes(host, token)
    assert logs_in(host, "ann@lab.test", saved.read_text().strip())
    (listed,) = json.loads(ops("users", "list", "--format=json", *here).out)["hosts"]
    found = [row["email"] for row in listed["accounts"] if row["kind"] == "account"]
    assert found == ["admin@lab.test", "ann@lab.test"]
    ops("users", "remove", "ann@lab.test", "--yes", *here)
    assert not logs_in(host, "ann@lab.test", saved.read_text().strip())
    seen = host.ssh(["journalctl --no-pager -o cat; cat /var/log/tinykit-ops/*"]).stdout
    assert "ann-has-a-password" not in seen


def test_the_status_of_a_fleet_has_a_row_for_every_host(host, inventory, tmp_path):
    both = tmp_path / "both.py"
    ghost = "hosts.append(('ghost', {**hosts[0][1], 'ssh_port': 1}))\n"
    both.write_text(inventory.read_text().replace("check_inventory(__file__)", ghost))
    run = ops("status", "--inventory", both, "--format=json", code=1)
    alive, dead = json.loads(run.out)["hosts"]
    lines = {line["name"]: line for line in alive["lines"]}
    fine = ("services", "health", "certificate", "disk", "changes")
    assert [name for name in fine if lines[name]["level"] != "fine"] == []
    assert lines["backup"]["level"] == "wrong"  # none was made yet
    assert alive["versions"]["pocketbase"]
    assert dead["level"] == "unknown"
    assert "no connection to ghost" in dead["problem"]
    assert "ghost" in ops("status", "--inventory", both, code=1).out
    assert ops("status", "--inventory", both, "--limit", "ghost", code=2).out


def test_the_status_of_a_host_that_is_well_is_zero_and_names_what_is_not(host):
    agent(host, "backup", "run")
    host.ssh(["systemctl", "stop", "cron"])
    assert "cron is inactive" in agent(host, "status", code=1)
    host.ssh(["systemctl", "start", "cron"])
    assert "WRONG" not in host.ssh(["tinykit-ops", "status"], check=False).stdout


def test_logs_of_all_programs_come_without_secrets(host, inventory):
    secret = host.ssh(["cat /etc/tinykit-ops/secrets/hook-token"]).stdout.strip()
    host.ssh(["systemd-cat -t tinykit-ops cat /etc/tinykit-ops/secrets/hook-token"])
    # The journal may take it in a moment later.
    ask = ("logs", "backups", "--lines", "50", "--inventory", inventory)
    assert until(lambda: "***hook-token***" in ops(*ask).out)
    shown = ops(*ask).out
    assert secret not in shown
    everything = agent(host, "logs", "--lines", "2000")
    for name in ("tinykit", "pocketbase", "edge", "firewall"):
        assert f" {name} " in everything
    assert agent(host, "logs", "pocketbase", "--grep", "Server started")
    assert "journalctl said" in host.ssh(["tinykit-ops logs --since x 2>&1"], check=False).stdout


def test_the_superuser_is_rotated_under_visitors_and_nothing_of_the_old_is_left(
    provisioner, inventory, host
):
    path = "/etc/tinykit-ops/secrets/superuser-password"
    old = host.ssh(["cat", path]).stdout.strip()
    since = host.ssh(["systemctl show -p ActiveEnterTimestamp pocketbase"]).stdout
    publish(host, "admin@lab.test")
    with Traffic(provisioner.lab, {"own": 10, "pool": 10}) as traffic:
        assert traffic.wait_for(("own", True), ("pool", True))
        run = ops("secrets", "rotate", "superuser", "tokens", "--inventory", inventory)
        assert traffic.wait_for(("own", True), ("pool", True), count=50)
    assert "nowhere on this host" in run.out
    assert set(answers(traffic.visits)) == {FINE}
    new = host.ssh(["cat", path]).stdout.strip()
    assert new != old
    assert host.ssh(["cat", f"{CREDENTIALS}/superuser-password"]).stdout.strip() == new
    left = host.ssh(
        [
            f"grep -rlaFe {old} /etc /run /var/lib /var/log /opt/tinykit; "
            f"grep -laFe {old} /proc/[0-9]*/environ"
        ],
        check=False,
    )
    assert left.stdout == ""
    # The next deploy finds all as it wants it, and PocketBase was never stopped.
    assert provisioner.deploy(inventory).changed(host.name) == []
    assert host.ssh(["systemctl show -p ActiveEnterTimestamp pocketbase"]).stdout == since
    listed = json.loads(agent(host, "users", "list", "--format=json"))["hosts"][0]["accounts"]
    assert [row["email"] for row in listed if row["kind"] == "superuser"] == ["admin@lab.test"]


def test_a_rotation_that_was_interrupted_is_finished_by_the_next_deploy(
    provisioner, inventory, host
):
    # As a kill leaves it right after the first step.
    folder = "/etc/tinykit-ops/secrets"
    old = host.ssh(["cat", f"{folder}/superuser-password"]).stdout.strip()
    begin = (
        f"umask 077; cp {folder}/superuser-password {folder}/superuser-password.before; "
        f"head -c 24 /dev/urandom | base64 >{folder}/superuser-password.next"
    )
    host.ssh([begin])
    run = provisioner.deploy(inventory)
    assert run.code == 0, run.text[-3000:]
    assert run.changed(host.name) == [
        "deploys/app.py | Finish a rotation of secrets that was interrupted"
    ]
    assert host.ssh(["cat", f"{folder}/superuser-password"]).stdout.strip() != old
    assert host.ssh([f"ls {folder} | grep superuser"]).stdout.split() == ["superuser-password"]
    assert provisioner.deploy(inventory).changed(host.name) == []


def test_the_models_key_is_rotated_by_a_deploy_and_proven_gone(provisioner, inventory, host):
    assert "then run this again" in agent(host, "secrets", "rotate", "llm-key", code=75)
    assert provisioner.deploy(with_key(provisioner, "sk-the-second-key-0123456789")).code == 0
    host.ssh([f"echo {LLM_KEY} >/etc/tinykit/note"])
    told = agent(host, "secrets", "rotate", "llm-key", code=1)
    assert "the old one is still in file /etc/tinykit/note" in told
    host.ssh(["rm /etc/tinykit/note"])
    told = agent(host, "secrets", "rotate", "llm-key")
    assert "nowhere on this host" in told
    assert "revoke the old key" in told
    assert execute(curl(host, "/_tk/assets/placeholder.jpg", *STATUS)).out == "200"
