"""Putting bad firewall rules on a lab host, and seeing whether anybody can still log in."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests_e2e_support import BIN, ROOT, Provisioner, Run, execute, until

from tinykit_ops import layout
from tinykit_ops.deploy.firewall import ruleset
from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.inventory import lab_hosts
from tinykit_ops.lab.lab import Lab
from tinykit_ops.settings.load import load_settings

#: Of rules that nobody can confirm; the host goes back to the old ones after that.
CONFIRM_SECONDS = 10
#: Of rules that are to be confirmed, on a machine that may stand still for a while.
PATIENT_SECONDS = 120
#: From when the rules were applied to when the old ones have to be back, whatever happened.
BACK_SECONDS = CONFIRM_SECONDS + 60
BOOT_SECONDS = 180
#: Until a run has brought its rules to the host, at most.
START_SECONDS = 300
FOREIGN = "inet somebody_elses"
PENDING = f"{layout.FIREWALL_STATE}/pending.json"
TRIAL = ROOT / "tests/e2e/firewall_trial_deploy.py"


#: sshd refuses who greets it too often and never logs in, as `DoorWatch` does.
_PATIENT_SSHD = """\
if sshd -T | grep -q persourcepenalties; then
  echo 'PerSourcePenalties no' >/etc/ssh/sshd_config.d/10-patient.conf
fi
echo 'MaxStartups 1000' >>/etc/ssh/sshd_config.d/10-patient.conf
systemctl restart ssh"""


@dataclass
class DoorWatch:
    """Asks the host's sshd for its greeting again and again, each time by a new connection."""

    address: str
    longest: float = 0.0  #: seconds for which nobody answered
    _since: float = field(default_factory=time.monotonic)
    _on: bool = True

    def __enter__(self) -> DoorWatch:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._since = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._on = False
        self._thread.join()

    def forgive(self) -> None:
        """Start counting now: what was before was not the firewall's doing."""
        self._since = time.monotonic()

    def _watch(self) -> None:
        while self._on:
            if greets(self.address):
                self._since = time.monotonic()
            self.longest = max(self.longest, time.monotonic() - self._since)
            time.sleep(0.3)


def greets(address: str, seconds: float = 1.0) -> bool:
    """Whether a new connection to port 22 gets sshd's greeting."""
    try:
        with socket.create_connection((address, 22), timeout=seconds) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


class Trials:
    """A lab host with a firewall that lets the controller in, and what may be done to it."""

    def __init__(self, provisioner: Provisioner) -> None:
        self.provisioner = provisioner
        self.host = provisioner.host
        self.users = {self.host.name: "root"}
        self.good = self.inventory()
        self.watch: DoorWatch | None = None

    def prepare(self) -> None:
        """What the firewall's deploy needs on a bare host, and good rules."""
        for deploy in ("base.py", "agent.py", "firewall.py"):
            run = self.provisioner.deploy_plain(self.good, deploy=deploy)
            assert run.code == 0, run.text[-3000:]
        self.console(_PATIENT_SSHD)

    def add_foreign_table(self) -> None:
        """Somebody else's table, as Docker and fail2ban have."""
        self.console(f"nft add table {FOREIGN}")

    @contextmanager
    def firewall(self, **settings: Any) -> Iterator[None]:
        """Other settings of the firewall for a while."""
        run = self.deploy(self.inventory(settings))
        try:
            assert run.code == 0, run.text[-3000:]
            yield
        finally:
            assert self.restore().code == 0

    def inventory(self, firewall: Mapping[str, Any] | None = None, **more: Any) -> Path:
        """An inventory with these settings of the firewall."""
        overrides = {"firewall": {"confirm_seconds": PATIENT_SECONDS, **(firewall or {})}}
        data = more.pop("data", None)
        return self.provisioner.inventory(self.users, {**overrides, **more}, data)

    def deploy(self, inventory: Path) -> Run:
        """The firewall's own deploy."""
        return self.provisioner.deploy_plain(inventory, deploy="firewall.py")

    def rules(self) -> str:
        """The good rules, as text."""
        name = self.provisioner.lab.name
        found = lab_hosts(name, only=[self.host.name], app=self.provisioner.app)
        return ruleset(load_settings(found[0][1]["tinykit"], where="trial"))

    def try_rules(
        self,
        rules: str,
        interrupt: Callable[[subprocess.Popen[str]], None] | None = None,
        *,
        checked: bool = True,
        waits: bool = True,
        seconds: int = CONFIRM_SECONDS,
        inventory: Path | None = None,
    ) -> tuple[int, str]:
        """Put `rules` on trial; `interrupt` is called when they are in force.

        Args:
            checked: nft reads them before they are brought to the host.
            waits: `interrupt` is called then, rather than at once.
            seconds: for which the rules may stay unconfirmed.
            inventory: how the run comes to the host, when not directly.

        Returns:
            pyinfra's exit code and output.
        """
        path = self.provisioner.folder / f"rules-{random.randrange(10**9)}.nft"
        path.write_text(rules)
        environ = {
            **os.environ,
            "TRIAL_RULES": str(path),
            "TRIAL_SECONDS": str(seconds),
            "TRIAL_UNCHECKED": "" if checked else "1",
        }
        words = [str(BIN / "pyinfra"), "-y", str(inventory or self.good), str(TRIAL)]
        with subprocess.Popen(
            words,
            cwd=ROOT,
            env=environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            if interrupt is not None:
                if waits:
                    self.wait_for_trial(process)
                interrupt(process)
            try:
                said, _ = process.communicate(timeout=seconds + 300)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                said, _ = process.communicate()
        return process.returncode, said

    def wait_for_trial(self, process: subprocess.Popen[str]) -> None:
        """Until rules wait for a confirmation, or the run is over."""
        script = f"for i in $(seq 250); do [ -e {PENDING} ] && echo yes && exit; sleep 0.02; done"
        until(lambda: self.console(script) or process.poll() is not None, START_SECONDS, pause=0)

    def console(self, line: str) -> str:
        """Run a line of shell as root without any network."""
        return self.host.run(["sh", "-c", line], check=False).stdout

    def is_open(self) -> bool:
        """Whether a person can log in now."""
        return self.host.lets_in()

    def wait_until_open(self, seconds: float = BACK_SECONDS) -> bool:
        """Whether a person can log in within some seconds."""
        return until(self.is_open, seconds, pause=0.3)

    def over(self) -> bool:
        """Whether, after the time to confirm, no rules are left on trial."""
        script = (
            f"for i in $(seq {BACK_SECONDS * 5}); do [ -e {PENDING} ] || break; sleep 0.2; done;"
            f" [ -e {PENDING} ] && cat /proc/sys/kernel/random/boot_id {PENDING} || echo none"
        )
        said = self.console(script).split(None, 1)
        return said[0] == "none" or said[0] not in said[1]

    def foreign_is_there(self) -> bool:
        """Whether somebody else's table was left alone."""
        return f"table {FOREIGN}" in self.console("nft list tables")

    def is_guarded(self) -> bool:
        """Whether our table is loaded, and closes what nothing opens."""
        return "policy drop" in self.console(f"nft list chain inet {layout.FIREWALL_TABLE} input")

    def restore(self) -> Run:
        """Back to good rules, by an ordinary run."""
        return self.deploy(self.good)


def kill(process: subprocess.Popen[str]) -> None:
    """What a controller that loses power looks like to the host."""
    os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def cut_off(lab: Lab, host: LabHost) -> Iterator[None]:
    """Nothing goes from here to the host, or back, while the block runs; nobody is told."""
    name = f"cut_{lab.names.table}"
    rules = (
        f"table inet {name} {{\n"
        f"chain i {{ type filter hook input priority -10; ip saddr {host.address4} drop; "
        f"ip6 saddr {host.address6} drop; }}\n"
        f"chain o {{ type filter hook output priority -10; ip daddr {host.address4} drop; "
        f"ip6 daddr {host.address6} drop; }}\n}}\n"
    )
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    try:
        yield
    finally:
        subprocess.run(["nft", "delete", "table", "inet", name], check=True)


__all__ = ["DoorWatch", "Trials", "cut_off", "execute", "greets", "kill"]
