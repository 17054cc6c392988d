"""What a host that was interrupted has to be like once a run has gone to its end."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from disaster_drill import Elsewhere, Person
from edge_traffic import MARK, publish
from kills_states import State
from tests_e2e_support import STATUS, Provisioner, Run, curl, execute, until
from upgrade_writer import Writer

from tinykit_ops import layout
from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.inventory import ADMIN_EMAIL

#: How long a host may be taken by a run whose controller nobody heard of any more.
BUSY_SECONDS = 120
NOTES = 5
UPLOAD = bytes(range(256)) * 2000
#: Files that a run makes for a moment.
LEFTOVERS = f"""\
find /opt /etc /usr/local /root /home /var/lib/tinykit-ops /var/lib/pocketbase -xdev \\
  '(' -name '*.new' -o -name '*.unpacking' -o -name '.fetch-*' -o -name '*.tmp' -o -name '*.part' \\
  -o -name 'pyinfra-*' ')' ! -path '*/node_modules/*' ! -path '*/pb_data/*'
find /tmp /var/tmp -mindepth 1 -maxdepth 1 ! -name 'systemd-private-*' ! -name '.*-unix'
find {layout.LOCK_DIR} -name 'run.*' -o -name '*.next' -o -name '*.before'
find {layout.TINYKIT_HOME}/incoming {layout.POCKETBASE_SNAPSHOTS} -type f
find {layout.POCKETBASE_UPGRADES} -name begun.json 2>/dev/null
dpkg --audit; find /var/lib/dpkg/updates /etc/passwd.lock /etc/group.lock -type f 2>/dev/null
for lock in {layout.RUN_LOCK} {layout.DEPLOY_LOCK}; do
  flock -w 10 $lock true || echo "$lock is held"
done
"""


@dataclass
class Site:
    """One host, and what people have on it.

    Attributes:
        before: every project with its files, as they were when nobody interrupted anything.
        busy: runs that were refused because the one before was not known to be over.
    """

    provisioners: list[Provisioner]  #: one a release
    folder: Path
    user: str  #: who logs in
    before: dict[str, Any] = field(default_factory=dict)
    project: str = ""
    busy: int = 0

    @property
    def host(self) -> LabHost:
        """The lab's only one."""
        return self.provisioners[0].host

    def inventory(self, state: State) -> Path:
        """An inventory that says so."""
        provisioner = self.provisioners[state.app]
        return provisioner.inventory(
            {self.host.name: self.user}, state.settings(provisioner.lab, self.host)
        )

    def converge(self, state: State) -> list[str]:
        """The next run, and one more. Returns what is not as it should be."""
        inventory = self.inventory(state)
        run = self._deploy(inventory)
        if run.code or not run.out or run.failed():
            return [f"exit code {run.code}: {run.text[-4000:]}"]
        again = self.provisioners[0].deploy(inventory)
        if again.code or not again.out:
            return [f"second run, exit code {again.code}: {again.text[-4000:]}"]
        changed = again.changed(self.host.name)
        return [f"the second run changed {changed}"] if changed else []

    def _deploy(self, inventory: Path) -> Run:
        """A run; again when the host is still taken, as it says itself."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            run = self.provisioners[0].deploy(inventory)
            is_busy = "this host is being changed by" in run.text and "hint:" in run.text
            if not (run.code and is_busy) or time.monotonic() > deadline:
                return run
            self.busy += 1
            time.sleep(5)

    def faults(self, state: State) -> list[str]:
        """What is not as it should be on a host that has converged."""
        return [*self._units(state), *self._serves(), *self._left(), *self._findings(state)]

    def _units(self, state: State) -> list[str]:
        other = "nginx" if state.kind == "caddy" else "caddy"
        docker = self.provisioners[0].runtime == "docker"
        wanted = {
            **dict.fromkeys(["pocketbase", "tinykit", "cron", "fail2ban", state.kind], True),
            "tinykit-ops-firewall": state.wall != "off",
            "tinykit-standby": False,
            "prometheus-node-exporter": state.metrics,
            "prometheus-nginx-exporter": state.metrics and state.kind == "nginx",
            "tinykit-net": docker,
            other: False,
        }
        said = self.host.ssh(["systemctl", "is-active", *wanted], check=False).stdout.split()
        found = dict(zip(wanted, (each == "active" for each in said), strict=True))
        wrong = [
            f"{unit} is {'on' if found[unit] else 'off'}"
            for unit in wanted
            if found[unit] != wanted[unit]
        ]
        return [*wrong, *(f"{unit} has failed" for unit in self.host.failed_units())]

    def _serves(self) -> list[str]:
        said = execute(curl(self.host, "/_tk/assets/placeholder.jpg", *STATUS))
        return [] if said.out == "200" else [f"it answers {said.out} {said.err}"]

    def _left(self) -> list[str]:
        left = self.host.ssh([LEFTOVERS], check=False).stdout.splitlines()
        return [f"left behind: {line}" for line in left]

    def _findings(self, state: State) -> list[str]:
        words = ["tinykit-ops", "check", "--host", "--format=json", "--only=host"]
        said = self.host.ssh(words, check=False).stdout
        results = json.loads(said)["instances"][0]["results"]
        failed = [each for each in results if each["outcome"] == "fail"]
        return [
            f"finding {each['id']}: {each.get('evidence')}"
            for each in failed
            if each["id"] not in state.findings()
        ]

    def use(self, state: State, name: str) -> None:
        """A person makes something, and the app writes records."""
        person = self._person(state)
        person.make_project(name, UPLOAD)
        self.project = self.project or publish(self.host, ADMIN_EMAIL)
        writer = Writer(self.host, self.project, name)
        with writer:
            until(lambda: len(writer.acknowledged) >= NOTES)
        assert len(writer.acknowledged) >= NOTES, writer.refused[:3]
        self.before = person.projects()

    def lost(self, state: State) -> list[str]:
        """What people had, and have no more; they log in with their password."""
        if not self.before:
            return []
        page = execute(curl(self.host, "/"))
        faults = [] if MARK in page.out else [f"the published page says {page.text[:200]}"]
        if self._person(state).projects() != self.before:
            faults.append("somebody's projects are not as they were")
        return faults

    def _person(self, state: State) -> Person:
        lab = self.provisioners[0].lab
        person = Person(lab, self.folder)
        person.host = Elsewhere(state.builder(self.host), self.host.address4)
        person.log_in()
        return person
