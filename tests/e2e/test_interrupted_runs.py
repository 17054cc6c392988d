"""A run that is killed anywhere leaves a host that the next run brings to the end."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest
from tests_e2e_support import ROOT, STATUS, curl, execute

pytestmark = pytest.mark.lab

KILLS = 10
UNITS = ["pocketbase", "tinykit", "caddy", "tinykit-ops-firewall", "cron"]
LEFTOVERS = (
    "find /opt /etc /usr/local/bin -name '*.new' -o -name '.*.unpacking' -o -name '.fetch-*'"
)


def kill_at_operation(command: list[str], number: int) -> bool:
    """Run a deploy and kill it as its operation of that number starts.

    Returns whether the run got that far; what it said is printed.
    """
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        started = 0
        for line in process.stdout:
            print(line, end="")
            started += line.startswith("--> Starting operation:")
            if started == number:
                time.sleep(0.4)  # so that the operation is at work on the host, not before it
                process.send_signal(signal.SIGKILL)
                return True
    return False


def assert_converged(provisioner, inventory):
    """The next run succeeds, the one after changes nothing, and the instance serves."""
    host = provisioner.host
    run = provisioner.deploy(inventory)
    assert run.code == 0, run.text[-3000:]
    assert run.failed() == []
    assert provisioner.deploy(inventory).changed(host.name) == []
    said = host.ssh(["systemctl", "is-active", *UNITS], check=False).stdout
    assert said.split() == ["active"] * len(UNITS)
    assert execute(curl(host, "/_tk/assets/placeholder.jpg", *STATUS)).out == "200"
    assert host.ssh([LEFTOVERS]).stdout == ""


def test_a_run_that_was_killed_at_ten_operations_converges(new_host):
    provisioner = new_host("13")
    inventory = provisioner.inventory({provisioner.host.name: "root"})
    command = provisioner.command(str(inventory), "deploys/full.py")
    # Every other operation of the deploy, each kill further into it than the one before.
    reached = [kill_at_operation(command, number) for number in range(3, 3 + 2 * KILLS, 2)]
    assert reached == [True] * KILLS
    assert_converged(provisioner, inventory)


def test_a_host_that_lost_power_during_a_run_converges(new_host):
    provisioner = new_host("12")
    host = provisioner.host
    inventory = provisioner.inventory({host.name: "ops"})
    command = provisioner.command(str(inventory), "deploys/full.py")
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            if line.startswith("--> Starting operation:") and "Run PocketBase" in line:
                host.kill()
                process.kill()
                break
    host.boot()
    host.wait_until_ready()
    assert_converged(provisioner, inventory)
