"""From a bare host to healthy HTTPS: the deploy, and a plain script that only installs."""

from __future__ import annotations

import io
import shlex
import tarfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.machine import Load
from benchmarks.provision import timed_run
from benchmarks.provision.deploying import deploy, operation_steps, read_resources
from benchmarks.provision.fresh_lab import Setting, fresh_host
from benchmarks.provision.healthy import wait_until_healthy
from benchmarks.provision.timed_run import Run
from benchmarks.report import Measure, slow_steps
from benchmarks.samples import Goal, Samples
from tinykit_ops import artifacts
from tinykit_ops.deploy.agent_package import REQUIREMENTS
from tinykit_ops.lab.host import LabHost

BASELINE = Path(__file__).with_name("baseline.sh")
PROGRAMS = ("pocketbase", "node", "caddy")
MOST = 1.3  #: times the script, at most
_TOLD_SECONDS = 0.3

OURS = "pyinfra deploys/full.py"
PEER = "shell script"
_Steps = list[tuple[str, float]]


def measure(setting: Setting, rounds: int, load: Load, report: Callable[[str], None]) -> Measure:
    """Time both on fresh hosts, in turns; the order changes every round.

    Args:
        rounds: how often each is timed, after one run of the script that is thrown away: it warms
            the mirrors' caches and this machine's page cache for both.
    Raises: BenchmarkError when a run fails or its host does not get healthy.
    """
    ways = {OURS: _deploy, PEER: _script}
    times: dict[str, list[float]] = {name: [] for name in ways}
    steps: dict[str, list[_Steps]] = {name: [] for name in ways}
    report("bare host: one run of the script that does not count")
    _on_fresh_host(setting, _script, load=None)
    for number in range(1, rounds + 1):
        order = [OURS, PEER] if number % 2 else [PEER, OURS]
        for name in order:
            seconds, found = _on_fresh_host(setting, ways[name], load)
            times[name].append(seconds)
            steps[name].append(found)
            report(f"bare host, round {number} of {rounds}: {name} {seconds:.2f} s")
    timings = {name: Samples.of(seconds) for name, seconds in times.items()}
    ratio = timings[OURS].median / timings[PEER].median
    return Measure(
        "Bare host to healthy HTTPS",
        timings,
        goals=[Goal(f"{OURS} / {PEER}", ratio, MOST, at_most=True)],
        fastest=timings[OURS].fastest / timings[PEER].fastest,
        steps={name: slow_steps(found, _TOLD_SECONDS) for name, found in steps.items()},
        proofs=[
            "after each run tinykit and PocketBase answered through Caddy, with a certificate of "
            "the host's own authority"
        ],
    )


def _on_fresh_host(
    setting: Setting, way: Callable[[Setting, LabHost, Load | None], Run], load: Load | None
) -> tuple[float, _Steps]:
    """Seconds from the start of the command until HTTPS is healthy, and its steps."""
    with fresh_host(setting) as host:
        run = way(setting, host, load)
        seconds = wait_until_healthy(host) - run.began
        steps = run.steps("==") if way is _script else operation_steps(run)
        return seconds, [*steps, ("(then until HTTPS is healthy)", seconds - run.seconds)]


def _deploy(setting: Setting, host: LabHost, load: Load | None) -> Run:
    if load:
        load.before_a_run()
    return deploy(setting)


def _script(setting: Setting, host: LabHost, load: Load | None) -> Run:
    """The script and all that it needs, over one SSH connection."""
    payload = _payload(setting, host)
    line = "mkdir /root/baseline && tar -xf - -C /root/baseline && sh /root/baseline/baseline.sh"
    if load:
        load.before_a_run()
    return timed_run.run(host.ssh_command([line]), cwd=setting.folder, stdin=payload)


def _payload(setting: Setting, host: LabHost) -> bytes:
    programs = [artifacts.find(name) for name in PROGRAMS]
    parameters = {
        "PACKAGES": " ".join(read_resources(setting)["packages"]),
        "WHEELS": " ".join(f"{program.package}=={program.version}" for program in programs),
        "DOMAIN": host.domain,
    }
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in parameters.items()]
    members = {
        "baseline.sh": BASELINE.read_bytes(),
        "parameters": "".join(lines).encode(),
        "requirements.txt": REQUIREMENTS.read_bytes(),
        "release.tar.zst": setting.app.read_bytes(),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()
