"""Changing the release of a live instance, while people read a published page and one writes."""

from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_traffic import Traffic, answers, publish
from tests_e2e_support import Provisioner, Run, until
from upgrade_releases import variant
from upgrade_writer import Writer

from tinykit_ops import layout
from tinykit_ops.artifacts import file_sha256
from tinykit_ops.host.release_step import release_id
from tinykit_ops.lab.inventory import ADMIN_EMAIL

#: The writer may write as fast as it can.
LIMITS = {"writes": 6000}
_KILL = "pkill -KILL -f 'tinykit_ops (release|host) '"
#: Seconds before an activation ends: the standby is judged, then the server.
_STANDBY_RUNS = (
    f"for i in $(seq 1200); do systemctl -q is-active {layout.TINYKIT_STANDBY_UNIT} && break;"
    " sleep 0.05; done"
)


@dataclass
class Seen:
    """What visitors and the writer saw of one change.

    Attributes:
        dropped: visitors who got no page, by what they got.
        refused: writes that were not acknowledged.
        lost: acknowledged writes that are not there.
        slowest: seconds of the slowest write.
        away: seconds from the first visitor who got no page to the last one.
        said: exit code and output of the change.
    """

    name: str
    visits: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    writes: int = 0
    slowest: float = 0.0
    away: float = 0.0
    seconds: float = 0.0
    code: int = 0
    said: str = ""

    @property
    def is_fine(self) -> bool:
        """Nobody noticed anything."""
        return bool(self.visits and self.writes) and not (self.dropped or self.refused or self.lost)

    def __str__(self) -> str:
        words = (
            f"{self.name}: {self.visits} visits, {sum(self.dropped.values())} dropped; "
            f"{self.writes} writes, {len(self.refused)} refused, {len(self.lost)} lost, slowest "
            f"{self.slowest * 1000:.0f} ms; {self.seconds:.1f} s"
        )
        return words if self.is_fine else f"WRONG {words} {self.dropped} {self.refused[:3]}"


class UpgradeBench:
    """An instance with a published page, and the releases that it may run.

    Args:
        settings: of its inventory, besides the proxy.
    """

    def __init__(
        self,
        provisioner: Provisioner,
        folder: Path,
        rates: dict[str, float],
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.provisioner = provisioner
        self.settings = dict(settings or {})
        self.host = provisioner.host
        self.folder = folder
        self.rates = rates
        self._numbers = itertools.count(1)
        self.project = ""

    def bring(self, kind: str) -> None:
        """Provision the host with this proxy, and publish a page."""
        self._deploy(kind, "full.py")
        if not self.project:
            self.project = publish(self.host, ADMIN_EMAIL)

    def install(self, kind: str, name: str, defect: str = "good") -> str:
        """Have another release unpacked on the host; returns its id."""
        archive = variant(self.provisioner.app, self.folder, name, defect)
        run = self._with(archive)._run_deploy(kind, "release.py")
        if run.code != 0:
            raise RuntimeError(f"{name} could not be installed:\n{run.text[-2000:]}")
        return release_id(file_sha256(archive))

    def deploy(self, kind: str, archive: Path) -> Run:
        """Run the whole deploy with this release."""
        return self._with(archive)._run_deploy(kind, "full.py")

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`tinykit-ops release WORDS` on the host."""
        return self.host.ssh([layout.AGENT_COMMAND, "release", *words], check=False)

    def watched(self, name: str, change: Callable[[], tuple[int, str]]) -> Seen:
        """Do something while people come, and say what they saw."""
        seen = Seen(name)
        writer = Writer(self.host, self.project, f"{name} {next(self._numbers)}")
        with Traffic(self.provisioner.lab, self.rates) as traffic, writer:
            assert traffic.wait_for(*((style, True) for style in self.rates))
            assert until(lambda: writer.acknowledged or writer.refused)
            began = time.monotonic()
            seen.code, seen.said = change()
            seen.seconds = time.monotonic() - began
            assert traffic.wait_for(*((style, True) for style in self.rates))
        seen.visits = len(traffic.visits)
        dropped = [visit for visit in traffic.visits if not visit.is_fine]
        seen.dropped = answers(dropped)
        if dropped:
            seen.away = max(each.ended for each in dropped) - min(each.began for each in dropped)
        seen.writes, seen.refused = len(writer.acknowledged), writer.refused
        seen.slowest, seen.lost = writer.slowest, writer.lost()
        return seen

    def activate(self, release: str) -> Seen:
        """Let a release serve, by its id or commit."""
        return self.watched(
            f"activate {release[:6]}", lambda: _told(self.command("activate", release))
        )

    def rollback(self) -> Seen:
        """Let the release from before serve."""
        return self.watched("rollback", lambda: _told(self.command("rollback")))

    def killed(self, release: str, seconds: float | None = None) -> Seen:
        """Activate a release, and kill that after so many seconds, or beside its standby."""
        when = _STANDBY_RUNS if seconds is None else f"sleep {seconds:.2f}"

        def change() -> tuple[int, str]:
            line = f"({when}; {_KILL}) >/dev/null 2>&1 & killer=$!; "
            line += f"{layout.AGENT_COMMAND} release activate {release}; code=$?; "
            line += "kill $killer; exit $code"  # or it would kill the run after this one
            return _told(self.host.ssh([line], check=False))

        return self.watched(
            "killed" if seconds is None else f"killed after {seconds:.1f} s", change
        )

    def serving(self) -> str:
        """The id of the current release, as the host says."""
        return self.host.ssh(["readlink", layout.TINYKIT_CURRENT]).stdout.strip().rpartition("/")[2]

    def at_rest(self) -> list[str]:
        """What is not as it should be when nothing is being changed."""
        standby = self.host.ssh(
            ["systemctl", "is-active", layout.TINYKIT_STANDBY_UNIT], check=False
        )
        server = self.host.ssh(["systemctl", "is-active", layout.TINYKIT_UNIT], check=False)
        flag = self.host.ssh(["test", "-e", layout.TINYKIT_STANDBY_SERVES], check=False)
        faults = ["the standby runs"] if standby.stdout.strip() == "active" else []
        faults += ["the server does not run"] if server.stdout.strip() != "active" else []
        return faults + (["visitors are on the standby"] if flag.returncode == 0 else [])

    def _with(self, archive: Path) -> UpgradeBench:
        ours = self.provisioner
        provisioner = Provisioner(ours.lab, archive, ours.folder, ours.runtime)
        return UpgradeBench(provisioner, self.folder, self.rates, self.settings)

    def _deploy(self, kind: str, name: str) -> None:
        run = self._run_deploy(kind, name)
        if run.code != 0:
            raise RuntimeError(f"{kind}: the deploy failed:\n{run.text[-2000:]}")

    def _run_deploy(self, kind: str, name: str) -> Run:
        overrides = {**self.settings, "edge": {"kind": kind, "limits": LIMITS}}
        inventory = self.provisioner.inventory({self.host.name: "root"}, overrides)
        return self.provisioner.deploy(inventory, deploy=name)


def _told(done: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    return done.returncode, (done.stdout + done.stderr).strip()
