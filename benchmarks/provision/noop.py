"""A second run, which has nothing to do: the deploy, and an equivalent Ansible playbook."""

from __future__ import annotations

import json
from collections.abc import Callable

from benchmarks.machine import Load
from benchmarks.provision import ansible
from benchmarks.provision.ansible import Ansible
from benchmarks.provision.damage import DAMAGES, repaired
from benchmarks.provision.deploying import deploy, operation_steps, read_resources
from benchmarks.provision.errors import BenchmarkError
from benchmarks.provision.fresh_lab import Setting, fresh_host
from benchmarks.provision.healthy import wait_until_healthy
from benchmarks.provision.timed_run import Run
from benchmarks.report import Measure, slow_steps
from benchmarks.samples import Goal, Samples
from tinykit_ops.lab.host import LabHost

OURS = "pyinfra deploys/full.py"
PEER = "ansible-playbook"
LEAST = 5.0  #: times faster than Ansible, at least
MOST_SECONDS = 10.0
_TOLD_SECONDS = 0.03


def measure(setting: Setting, rounds: int, load: Load, report: Callable[[str], None]) -> Measure:
    """Time both on one provisioned host, in turns; the order changes every round.

    Args:
        rounds: how often each is timed, after a run of each that is thrown away.
    Raises: BenchmarkError when a run fails, changes something, or does not repair damage.
    """
    programs = ansible.ensure_ansible(report)
    with fresh_host(setting) as host:
        report("no-op: provisioning the host")
        deploy(setting)
        wait_until_healthy(host)
        resources = read_resources(setting)
        peer = Ansible(programs, setting.folder, [(host, setting.folder / "resources.json")])
        try:
            proofs = _prove_both_look(setting, host, peer, resources["operations"], report)
            times, steps = _time_both(setting, peer, rounds, load, report)
        finally:
            peer.close()
    timings = {name: Samples.of(seconds) for name, seconds in times.items()}
    ratio = timings[PEER].median / timings[OURS].median
    return Measure(
        "Second run, nothing to do",
        timings,
        goals=[
            Goal(f"{PEER} / {OURS}", ratio, LEAST, at_most=False),
            Goal(f"{OURS}, seconds", timings[OURS].median, MOST_SECONDS, at_most=True),
        ],
        fastest=timings[PEER].fastest / timings[OURS].fastest,
        steps={OURS: slow_steps(steps, _TOLD_SECONDS)},
        proofs=[*proofs, f"0 changes in each of the {rounds} timed runs of either"],
    )


def _time_both(
    setting: Setting, peer: Ansible, rounds: int, load: Load, report: Callable[[str], None]
) -> tuple[dict[str, list[float]], list[list[tuple[str, float]]]]:
    times: dict[str, list[float]] = {OURS: [], PEER: []}
    for number in range(1, rounds + 1):
        for name in [OURS, PEER] if number % 2 else [PEER, OURS]:
            load.before_a_run()
            run = _deploy(setting) if name == OURS else peer.play()
            _refuse_changes(name, _changed(run) if name == OURS else ansible.changed(run))
            times[name].append(run.seconds)
            report(f"no-op, round {number} of {rounds}: {name} {run.seconds:.2f} s")
    # In a run of its own: `--json` keeps its steps to itself until it is done.
    plain = deploy(setting)
    return times, [operation_steps(plain)]


def _prove_both_look(
    setting: Setting, host: LabHost, peer: Ansible, operations: int, report: Callable[[str], None]
) -> list[str]:
    """Damage the host before a run of each, which must repair it: neither is quick by blindness.

    These runs also are the ones that are thrown away, and let Ansible install what it needs
    on the host (python3-apt).
    """
    peer.play()
    for damage in DAMAGES:
        host.ssh([damage.do])
    report("no-op: both tools repair a damaged host")
    fixed = peer.play()
    _refuse_unrepaired(PEER, host)
    _refuse_changes(PEER, ansible.changed(peer.play()))
    for damage in DAMAGES:
        host.ssh([damage.do])
    deployed = _deploy(setting)
    _refuse_unrepaired(OURS, host)
    again = _deploy(setting)
    _refuse_changes(OURS, _changed(again))
    total = len(json.loads(again.output)["results"]["operations"])
    if total != operations:
        raise BenchmarkError(
            f"pyinfra ran {total} operations, but notes were taken of {operations}.",
            hint="benchmarks/provision/resources.py does not know all operations of the deploys.",
        )
    return [
        f"both repaired {len(DAMAGES)} damages before ({', '.join(d.what for d in DAMAGES)}): "
        f"{len(_changed(deployed))} operations and {len(ansible.changed(fixed))} tasks changed",
        f"{total} operations against {ansible.tasks(fixed)} tasks and handlers, for the same "
        "resources",
    ]


def _deploy(setting: Setting) -> Run:
    return deploy(setting, "--json")


def _changed(run: Run) -> list[str]:
    """The operations that changed something in a run with `--json`."""
    operations = json.loads(run.output)["results"]["operations"]
    return [operation["name"] for operation in operations if operation["success"]]


def _refuse_changes(name: str, changed: list[str]) -> None:
    if changed:
        raise BenchmarkError(
            f"A run of {name} that had nothing to do changed: {'; '.join(changed)}.",
            hint="A figure of it would not be that of a no-op.",
        )


def _refuse_unrepaired(name: str, host: LabHost) -> None:
    left = [damage.what for damage in DAMAGES if not repaired(host, damage)]
    if left:
        raise BenchmarkError(f"{name} did not repair: {', '.join(left)}.", where=host.name)
