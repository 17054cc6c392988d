"""A run over many hosts that has nothing to do: the deploy, and the Ansible playbook."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fleet.many import Fleet
from benchmarks.machine import Load
from benchmarks.provision import ansible, timed_run
from benchmarks.provision.ansible import Ansible
from benchmarks.provision.errors import BenchmarkError
from benchmarks.provision.timed_run import Run
from benchmarks.report import Measure
from benchmarks.samples import Goal, Samples
from tinykit_ops.lab.host import LabHost

OURS = "pyinfra deploys/full.py"
PEER = "ansible-playbook"
LEAST = 5.0  #: times faster than Ansible, at least
RUN_SECONDS = 3600.0  #: one run of either on many hosts, on a busy machine
TRIES = 3  #: of the run that provisions: package mirrors turn many hosts down now and then


@dataclass(frozen=True)
class Means:
    """What a measurement needs besides hosts.

    Attributes:
        source: the checkout whose deploys run.
    """

    source: Path
    load: Load
    say: Callable[[str], None]


def measure(fleet: Fleet, sizes: Sequence[int], rounds: int, means: Means) -> list[Measure]:
    """Time both on the first hosts of a fleet, in turns; the order changes every round.

    Raises: BenchmarkError when a run fails, or changes something.
    """
    hosts = fleet.hosts[: max(sizes)]
    _provision(fleet, hosts, means)
    peer = Ansible(ansible.ensure_ansible(means.say), fleet.folder, _variables(fleet, hosts, means))
    try:
        means.say("a run of Ansible that does not count: it installs what it needs, and logs in")
        peer.play(timeout=RUN_SECONDS)
        return [_one_size(fleet, hosts[:size], rounds, peer, means) for size in sizes]
    finally:
        peer.close()


def _one_size(
    fleet: Fleet, hosts: Sequence[LabHost], rounds: int, peer: Ansible, means: Means
) -> Measure:
    inventory = fleet.inventory(f"first-{len(hosts)}", hosts=hosts)
    limit = ",".join(host.name for host in hosts)
    times: dict[str, list[float]] = {OURS: [], PEER: []}
    for number in range(1, rounds + 1):
        for name in [OURS, PEER] if number % 2 else [PEER, OURS]:
            means.load.before_a_run()
            if name == OURS:
                run = _deploy(inventory, fleet.folder, means)
                _refuse_changes(run)
            else:
                run = peer.play("--limit", limit, timeout=RUN_SECONDS)
                _refuse_peer_changes(run)
            times[name].append(run.seconds)
            means.say(f"{len(hosts)} hosts, round {number}: {name} {run.seconds:.2f} s")
    timings = {name: Samples.of(seconds) for name, seconds in times.items()}
    ratio = timings[PEER].median / timings[OURS].median
    return Measure(
        f"{len(hosts)} hosts, nothing to do",
        timings,
        goals=[Goal(f"{PEER} / {OURS}", ratio, LEAST, at_most=False)],
        fastest=timings[PEER].fastest / timings[OURS].fastest,
        proofs=[f"0 changes in each of the {rounds} timed runs of either"],
    )


def _provision(fleet: Fleet, hosts: Sequence[LabHost], means: Means) -> None:
    """Bring all to where nothing is left to do."""
    inventory = fleet.inventory(hosts=hosts)
    means.say(f"provisioning {len(hosts)} hosts, where they are not")
    for number in range(1, TRIES + 1):
        try:
            _deploy(inventory, fleet.folder, means)
        except BenchmarkError:
            if number == TRIES:
                raise
        else:
            break
    _refuse_changes(_deploy(inventory, fleet.folder, means))


def _variables(fleet: Fleet, hosts: Sequence[LabHost], means: Means) -> list[tuple[LabHost, Path]]:
    """What the deploys want of each host, as data for the playbook."""
    found = []
    for host in hosts:
        folder = fleet.folder / host.name
        folder.mkdir(mode=0o700)
        inventory = fleet.inventory(f"only-{host.name}", hosts=[host])
        module = "benchmarks.provision.resources"
        _run([sys.executable, "-m", module, str(inventory), str(folder)], fleet.folder, means)
        found.append((host, folder / "resources.json"))
    return found


def _deploy(inventory: Path, folder: Path, means: Means) -> Run:
    pyinfra = str(Path(sys.executable).with_name("pyinfra"))
    full = str(means.source / "deploys" / "full.py")
    return _run([pyinfra, "-y", "--json", str(inventory), full], folder, means)


def _run(command: list[str], folder: Path, means: Means) -> Run:
    environment = {"PYTHONPATH": str(means.source)}
    return timed_run.run(command, cwd=folder, environment=environment, timeout=RUN_SECONDS)


def _refuse_changes(run: Run) -> None:
    operations = json.loads(run.output)["results"]["operations"]
    found = {op["name"]: op["success"] for op in operations if op["success"]}
    if found:
        raise BenchmarkError(f"A run that had nothing to do changed: {found}.")


def _refuse_peer_changes(run: Run) -> None:
    found = {host: number for host, number in ansible.changes(run).items() if number}
    if found:
        raise BenchmarkError(f"A playbook that had nothing to do changed tasks: {found}.")
