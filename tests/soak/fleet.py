"""Many hosts in one inventory, three of them broken: do the others finish, and who is told why?

    scripts/soak fleet [--count N] [--keep]

Debian 13 and 12, Caddy and nginx, evenly mixed. A first run; a second one, which changes nothing;
one with other settings while one host is off, one has a full disk and one a slow line; `status` and
`check` of all; the three are mended, and the next run does the rest and no more. At last a host
loses its power in the middle of a run. Exit code 0 only when all went as it should. Needs root, and
300 MB of memory a host. --keep leaves the lab `soak-fleet` for `scripts/bench fleet --lab`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from fleet_looks import Looks
from tests_e2e_support import BIN, ROOT, Run, execute

from benchmarks.fleet.many import Fleet, boot
from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.lab import Lab

LAB = "soak-fleet"
RUN_SECONDS = 3600
DISK = "4G"
RATE = "32kbit"  #: of the slow line
TRIES = 4  #: of the first run: package mirrors turn twenty hosts down now and then
#: Other settings, which every host has to write: the third run, and the last one.
OTHER = {"backup": {"schedule": "23 4 * * *"}}
LAST = {"backup": {"schedule": "29 5 * * *"}}
KILLED_AT = "| Write PocketBase"  #: in the line with which the operation begins
BALLAST = "/var/tmp/ballast"  # on a lab host


class Campaign:
    """One fleet, and what went wrong with it."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.faults: list[str] = []
        self.dead, self.slow, self.full = fleet.hosts[0], fleet.hosts[1], fleet.hosts[-1]
        self.looks = Looks(fleet)

    def expect(self, what: str, *, true: bool) -> None:
        """Note a fault unless something is as it should be."""
        if not true:
            self.faults.append(what)
        print(f"  {'as it should be' if true else 'FAULT'}: {what}", flush=True)

    def deploy(self, title: str, inventory: Path) -> Run:
        """Run `deploys/full.py` on all hosts."""
        began = time.monotonic()
        words = [str(BIN / "pyinfra"), "-y", "--json", str(inventory), "deploys/full.py"]
        run = execute(words, RUN_SECONDS)
        print(f"{title}: exit code {run.code}, {time.monotonic() - began:.0f} s", flush=True)
        if run.code:
            print(_indented(_summary(run)), flush=True)
        return run

    def first(self) -> None:
        """Bare hosts to instances; again for those whose packages did not come."""
        inventory = self.fleet.inventory()
        for number in range(1, TRIES + 1):
            run = self.deploy(f"first run ({number})", inventory)
            if run.code == 0:
                break
        self.expect("every host is provisioned", true=run.code == 0)

    def nothing_to_do(self, title: str, inventory: Path) -> None:
        """A run that changes nothing anywhere."""
        run = self.deploy(title, inventory)
        changed = self.changed(run)
        self.expect(f"0 changes on all {len(self.fleet.hosts)}: {changed}", true=changed == {})
        self.expect("exit code 0", true=run.code == 0)

    def changed(self, run: Run) -> dict[str, list[str]]:
        """Operations that changed something, of each host that had some."""
        if not run.out.strip():
            return {"nobody": ["the run printed no report"]}
        found = {host.name: run.changed(host.name) for host in self.fleet.hosts}
        return {name: names for name, names in found.items() if names}

    def broken(self) -> None:
        """One host is off, one has no room, one has a slow line; and there is something to do."""
        before = self.looks.checked()
        self.dead.power_off()
        _fill(self.full)
        _slow_down(self.slow, on=True)
        run = self.deploy("third run, three broken", self.fleet.inventory("other", more=OTHER))
        summary, changed = _summary(run), self.changed(run)
        failed = {self.dead.name, self.full.name}
        well = {host.name for host in self.fleet.hosts} - failed
        self.expect("exit code 1", true=run.code == 1)
        self.expect("all others did it, the slow one too", true=well <= set(changed))
        told = {host.name for host in self.fleet.hosts if f"  {host.name}: " in summary}
        self.expect(f"the summary names those two and no other: {told}", true=told == failed)
        self.expect("… with the reasons", true="could not be reached" in summary and _room(summary))
        self.expect("… and how many failed", true=f"2 of {len(well) + 2} " in summary)
        self.looks.compare(self, before, self.dead)
        self.looks.status(self, self.dead, self.full)

    def mended(self) -> None:
        """The rest is done, and nothing else."""
        self.full.ssh([f"rm -f {BALLAST}"])
        _slow_down(self.slow, on=False)
        Lab.up(LAB)
        inventory = self.fleet.inventory("other", more=OTHER)
        run = self.deploy("fourth run, mended", inventory)
        changed = self.changed(run)
        self.expect("exit code 0", true=run.code == 0)
        wanted = {self.dead.name, self.full.name}
        self.expect(f"only those two changed: {sorted(changed)}", true=set(changed) == wanted)
        self.nothing_to_do("fifth run", inventory)

    def cut_off(self) -> None:
        """A host loses its power in the middle of a run; nobody waits for it for ever."""
        inventory = self.fleet.inventory("last", more=LAST)
        began = time.monotonic()
        said = _run_and_kill(inventory, self.slow)
        print(f"a host dies in the middle: {time.monotonic() - began:.0f} s", flush=True)
        print(_indented(_last(said.text)), flush=True)
        self.expect("exit code 1", true=said.code == 1)
        others = len(self.fleet.hosts) - 1
        self.expect("the others are done", true=f"{others} hosts are done" in said.text)
        self.expect("it is named", true=f"  {self.slow.name}: failed at" in said.text)
        Lab.up(LAB)
        run = self.deploy("the run after it", inventory)
        changed = self.changed(run)
        self.expect("exit code 0", true=run.code == 0)
        self.expect(
            f"only that host changed: {sorted(changed)}", true=set(changed) <= {self.slow.name}
        )


def _run_and_kill(inventory: Path, host: LabHost) -> Run:
    """A run with pyinfra's plain output, and a host without power from some operation on."""
    words = [str(BIN / "pyinfra"), "-y", str(inventory), "deploys/full.py"]
    lines: list[str] = []
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        watchdog = threading.Timer(RUN_SECONDS, process.kill)
        watchdog.start()
        for line in process.stdout or ():
            lines.append(line)
            if KILLED_AT in line and host.is_running:
                host.kill()
        code = process.wait()
        watchdog.cancel()
    return Run(code, "", "".join(lines))


def _fill(host: LabHost) -> None:
    """Not one block is left for anybody, root included."""
    host.ssh([f"fallocate -l 100G {BALLAST} 2>/dev/null; cat /dev/zero >>{BALLAST} || true"])


def _slow_down(host: LabHost, *, on: bool) -> None:
    """A narrow line, from the host's own end: what comes in is acknowledged as slowly."""
    rule = f"root tbf rate {RATE} burst 16kbit latency 2s"
    host.run(["sh", "-c", f"tc qdisc {'add' if on else 'del'} dev host0 {rule if on else 'root'}"])


def _room(text: str) -> bool:
    return "no space left" in text.lower() or "MB are free" in text


def _summary(run: Run) -> str:
    """From the line that counts the failed hosts on."""
    _, mark, rest = run.err.partition(" hosts failed:")
    head = run.err[: run.err.find(mark)].splitlines()[-1:] if mark else []
    return "".join(head) + mark + rest if mark else run.err[-3000:]


def _last(text: str) -> str:
    return "\n".join(text.splitlines()[-12:])


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _memory_mb() -> int:
    rows = Path("/proc/meminfo").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("MemAvailable")) // 1024


def main() -> int:
    """Exit code 0 when every expectation was met."""
    words = _words()
    free = _memory_mb()
    with tempfile.TemporaryDirectory(prefix="tinykit-soak-fleet-") as name:
        try:
            lab = boot(LAB, words.count, lambda line: print(line, flush=True), last_disk=DISK)
            folder = lab.folder if words.keep else Path(name)
            fleet = Fleet(lab, build_contract_release(folder / "release").archive, folder)
            campaign = Campaign(fleet)
            campaign.first()
            used = (free - _memory_mb()) / words.count
            print(f"memory: {used:.0f} MB a host", flush=True)
            campaign.nothing_to_do("second run", fleet.inventory())
            campaign.broken()
            campaign.mended()
            campaign.cut_off()
        finally:
            if not words.keep:
                Lab.load(LAB).down()
    print(f"{words.count} hosts, {len(campaign.faults)} faults")
    print("\n".join(f"FAULT {fault}" for fault in campaign.faults))
    return 1 if campaign.faults else 0


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak fleet", description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="hosts, 4 or more (20)")
    parser.add_argument("--keep", action="store_true", help="leave the lab running")
    words = parser.parse_args()
    if words.count < 4:
        parser.error(
            "--count must be 4 or more: three hosts are broken, and somebody has to be well"
        )
    return words


if __name__ == "__main__":
    sys.exit(main())
