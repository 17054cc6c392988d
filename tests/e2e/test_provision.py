"""The main job on two bare hosts: Debian 13 as root, Debian 12 as a user with sudo."""

from __future__ import annotations

import json

import pytest
from tests_e2e_support import RUNTIME, STATUS, check_command, curl, execute, until

from tinykit_ops.errors import Exit

pytestmark = pytest.mark.lab

USERS = {"tk-1": "root", "tk-2": "ops"}
HOSTS = list(USERS)
SERVICES = ("pocketbase", "tinykit", "caddy", "tinykit-ops-firewall", "cron")
# What a look at a host leaves behind by itself: logs, sessions, caches of the programs that look.
OWN_TRACES = ("/proc", "/sys", "/run", "/tmp", "/dev", "/var/log", "/var/lib/systemd", "/root/.ssh")


@pytest.fixture(scope="module")
def watched(lab):
    """Settings with the watch, and exporters that this machine may scrape."""
    scrapers = [str(lab.networks.controller4), str(lab.networks.controller6)]
    return {"watch": {"enabled": True}, "metrics": {"enabled": True, "scrapers": scrapers}}


@pytest.fixture(scope="module")
def inventory(provisioner, watched):
    return provisioner.inventory(USERS, watched)


@pytest.fixture(scope="module")
def dry_run(provisioner, inventory, lab):
    """A dry run on the bare hosts, and what files it changed there."""
    for name in HOSTS:
        lab.host(name).ssh(["touch", "/run/before-dry"])
    run = provisioner.deploy(inventory, "--dry")
    prune = " -o ".join(f"-path {path}" for path in OWN_TRACES)
    newer = f"find / \\( {prune} \\) -prune -o -newercm /run/before-dry -type f -print"
    files = {name: lab.host(name).ssh([newer]).stdout.split() for name in HOSTS}
    return run, files


@pytest.fixture(scope="module")
def provisioned(provisioner, inventory, dry_run):
    """The first run on the bare hosts."""
    return provisioner.deploy(inventory)


@pytest.fixture(scope="module")
def hosts(lab, provisioned):
    return [lab.host(name) for name in HOSTS]


@pytest.fixture
def ca_file(tmp_path):
    def fetch(host):
        path = tmp_path / f"{host.name}.pem"
        root = "/var/lib/caddy/caddy/pki/authorities/local/root.crt"
        path.write_text(host.ssh(["cat", root]).stdout)
        return path

    return fetch


def test_a_dry_run_on_a_bare_host_plans_everything_and_changes_nothing(dry_run):
    run, files = dry_run
    assert run.code == 0, run.err
    planned = [op for op in run.report["plan"] if set(op["hosts_with_change"]) == set(HOSTS)]
    assert len(planned) >= 15
    assert files == {name: [] for name in HOSTS}


def test_a_bare_host_is_provisioned_in_one_run(provisioned):
    assert provisioned.code == 0, provisioned.text[-3000:]
    assert provisioned.failed() == []
    for name in HOSTS:
        assert len(provisioned.changed(name)) >= 15


def test_a_second_run_changes_nothing(provisioner, inventory, provisioned):
    run = provisioner.deploy(inventory)
    assert run.code == 0, run.text[-3000:]
    assert {name: run.changed(name) for name in HOSTS} == {name: [] for name in HOSTS}


def test_a_host_that_is_refused_does_not_stop_the_others(provisioner, provisioned, watched):
    # Without sudo, the user of the second host may change nothing there.
    run = provisioner.deploy(provisioner.inventory(USERS, watched, {"_sudo": False}))
    assert run.code != 0
    results = run.report["results"]
    assert results["failed_hosts"] == ["tk-2"]
    assert all("tk-1" not in op["error"] for op in results["operations"])


def test_the_checklist_is_green_because_it_looked(lab, hosts, inventory, ca_file):
    for host in hosts:
        host.ssh(["tinykit-ops", "backup", "run"])
        words = (f"--from-netns={lab.names.netns}", "--format=json")
        run = execute(check_command(host, inventory, ca_file(host), *words))
        report = json.loads(run.out)
        results = [row for each in report["instances"] for row in each["results"]]
        bad = [(row["id"], row["evidence"]) for row in results if row["outcome"] != "pass"]
        assert bad == []
        assert len(results) >= 12
        assert run.code == 0


def test_a_stranger_sees_the_published_app_and_nothing_else(lab, hosts):
    for host in hosts:
        closed = ("/tinykit", "/login", "/setup", "/_pb/_/", "/api/projects")
        for path in closed:
            answer = lab.outside.run(curl(host, path, *STATUS)).stdout
            assert answer in {"403", "404"}, (host.name, path, answer)
        app = lab.outside.run(curl(host, "/_tk/assets/placeholder.jpg", *STATUS)).stdout
        assert app == "200"
        for port in (3000, 8091):
            for address in (host.address4, host.address6):
                probe = ["timeout", "3", "bash", "-c", f"</dev/tcp/{address}/{port}"]
                assert lab.outside.run(probe).returncode != 0


def look(host):
    """Let the watch look once; cron's own look, every minute, is waited for."""

    def looked():
        done = host.ssh(["tinykit-ops", "watch", "run"], check=False)
        return None if done.returncode == Exit.TRY_AGAIN else done

    done = until(looked)
    assert done and done.returncode == Exit.OK, done


def test_metrics_are_for_the_scraper_and_for_nobody_else(lab, hosts):
    for host in hosts:
        look(host)
        assert "last look: " in host.ssh(["tinykit-ops", "watch", "status"]).stdout
        for address in (host.address4, f"[{host.address6}]"):
            for port, told in {9100: "tinykit_healthy", 9113: "caddy_http"}.items():
                ask = ["curl", "-s", "-m", "60", f"http://{address}:{port}/metrics"]
                assert told in execute(ask).out
                assert lab.outside.run([*ask[:3], "2", *ask[4:]]).stdout == ""


def test_who_is_on_the_allowlist_can_log_in_to_the_builder(lab, hosts):
    password = lab.admin_password.read_text().strip()
    for host in hosts:
        assert execute(curl(host, "/tinykit", *STATUS)).out == "200"
        login = json.dumps({"identity": "admin@lab.test", "password": password})
        words = ("--header", "Content-Type: application/json", "--data", login)
        answer = execute(curl(host, "/_pb/api/collections/users/auth-with-password", *words))
        token = json.loads(answer.out)["token"]
        mine = ("--header", f"Authorization: Bearer {token}", *STATUS)
        assert execute(curl(host, "/api/projects", *mine)).out == "200"


def test_plain_http_is_sent_to_https_and_unknown_names_get_nothing(hosts):
    for host in hosts:
        where = ("--output", "/dev/null", "--write-out", "%{http_code} %{redirect_url}")
        answer = execute(curl(host, "/a?b=c", *where, scheme="http")).out
        assert answer == f"308 https://{host.domain}/a?b=c"
        pin = f"other.lab.test:443:{host.address4}"
        stranger = ["curl", "-sk", "--resolve", pin, "https://other.lab.test/"]
        assert execute(stranger).code != 0


def test_units_are_hardened_and_services_listen_on_loopback_only(hosts):
    for host in hosts:
        # What shuts containers in is not the unit's; `files.units-hardened` looks at it, above.
        limits = {"pocketbase": 1.0, "tinykit": 1.4} if RUNTIME == "systemd" else {}
        for unit, limit in limits.items():
            text = host.ssh([f"systemd-analyze security {unit}.service --no-pager | tail -n 1"])
            assert float(text.stdout.split(":")[1].split()[0]) <= limit
        listening = host.ssh(["ss -Hltn '( sport = :3000 or sport = :8091 )'"]).stdout
        addresses = {line.split()[3].rpartition(":")[0] for line in listening.splitlines()}
        assert addresses == {"127.0.0.1"}


def test_the_servers_cannot_read_each_others_secrets(hosts):
    secret = ("/etc/tinykit-ops/secrets/superuser-password", "/etc/tinykit/environment")
    for host in hosts:
        for user, path in [
            ("tinykit", "/var/lib/pocketbase/pb_data/data.db"),
            *(
                (user, path)
                for user in ("tinykit", "pocketbase", "caddy", "nobody")
                for path in secret
            ),
        ]:
            done = host.ssh(["runuser", "-u", user, "--", "cat", path], check=False)
            assert done.returncode != 0, (user, path)


def test_no_secret_stands_in_a_process_list_or_in_a_log(hosts):
    for host in hosts:
        secrets = host.ssh(
            ["for file in /etc/tinykit-ops/secrets/*; do cat $file; echo; done"]
        ).stdout.split()
        seen = host.ssh(
            [
                "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; journalctl --no-pager -o cat; "
                "cat /var/log/caddy/* /var/log/*.log 2>/dev/null"
            ]
        ).stdout
        assert len(secrets) >= 5
        assert [name for name in secrets if name in seen] == []


def test_the_instance_is_claimed_without_an_install_link(hosts):
    for host in hosts:
        log = host.ssh(["journalctl --no-pager -o cat -u pocketbase"]).stdout
        assert "Server started" in log
        assert "pbinstal" not in log


def test_pocketbases_command_refuses_to_run_beside_the_server(hosts):
    for host in hosts:
        done = host.ssh(["pocketbase", "superuser", "upsert", "a@b.co", "x" * 10], check=False)
        assert done.returncode == 75
        assert "the server is running" in done.stderr
        assert host.ssh(["pocketbase", "--version"]).stdout.startswith("pocketbase version")


def runs(host, unit):
    return host.ssh(["systemctl", "-q", "is-active", unit], check=False).returncode == 0


def test_everything_comes_back_after_a_reboot(lab, hosts, inventory, provisioner, ca_file):
    for host in hosts:
        host.reboot()
    for host in hosts:
        for unit in (*SERVICES, "prometheus-node-exporter"):
            assert until(lambda host=host, unit=unit: runs(host, unit)), unit
        words = (f"--from-netns={lab.names.netns}",)
        run = execute(check_command(host, inventory, ca_file(host), *words))
        assert run.code == 0, run.text
    run = provisioner.deploy(inventory)
    assert {name: run.changed(name) for name in HOSTS} == {name: [] for name in HOSTS}
