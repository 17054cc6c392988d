"""One look from outside at an instance on a lab host: how long it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from benchmarks.check.errors import BenchmarkError
from benchmarks.check.looking import Ran, check, only_instance, outcomes
from benchmarks.machine import Load
from benchmarks.provision.deploying import deploy
from benchmarks.provision.fresh_lab import Setting, fresh_host
from benchmarks.provision.healthy import ROOT_CERTIFICATE, wait_until_healthy
from benchmarks.report import Measure
from benchmarks.samples import Goal, Samples
from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.lab import Lab

MOST_SECONDS = 3.0
SHARE = 0.95

Say = Callable[[str], None]


def measure(setting: Setting, looks: int, load: Load, say: Say) -> Measure:
    """Provision a host, and look at it again and again, each time by a new process.

    Args:
        setting: the lab and its release; what is deployed is `setting.app`.
        looks: how many are timed.
    Raises: BenchmarkError when a look could not see what the first one saw.
    """
    with fresh_host(setting) as host:
        say("outside: provisioning the host")
        deploy(setting)
        wait_until_healthy(host)
        words = _words(setting, host)
        first = outcomes(only_instance(check(words, setting.folder).output))
        load.before_a_run()
        ran: list[Ran] = []
        for number in range(1, looks + 1):
            ran.append(check(words, setting.folder))
            _refuse_another_verdict(number, first, ran[-1])
        load.before_a_run()
    requests = int(only_instance(ran[-1].output)["requests"])
    return _told(ran, first, requests)


def _told(ran: list[Ran], seen: dict[str, str], requests: int) -> Measure:
    timed = Samples.of([each.seconds for each in ran])
    inside = Samples.of([float(only_instance(each.output)["seconds"]) for each in ran])
    counts = Counter(seen.values())
    return Measure(
        f"One look from outside at a lab host, {len(ran)} times",
        {"tinykit-ops check, the whole command": timed, "of that, looking": inside},
        goals=[
            Goal(f"p{SHARE * 100:.0f}, seconds", timed.quantile(SHARE), MOST_SECONDS, at_most=True)
        ],
        figures={
            "seconds": {
                "p50": timed.median,
                f"p{SHARE * 100:.0f}": timed.quantile(SHARE),
                "max": max(timed.seconds),
            }
        },
        proofs=[
            f"{len(seen)} checks and {requests} requests a look; each look saw the same: "
            + ", ".join(f"{number} {word}" for word, number in sorted(counts.items())),
        ],
    )


def _words(setting: Setting, host: LabHost) -> list[str]:
    """All that needs no account: from here, and from the lab's client that is on no allowlist."""
    authority = setting.folder / "authority.pem"
    authority.write_text(host.run(["cat", ROOT_CERTIFICATE]).stdout)
    return [
        f"https://{host.domain}",
        f"--resolve={host.domain}:443:{host.address4}",
        f"--ca-file={authority}",
        f"--from-netns={Lab.load(setting.lab).outside.names.netns}",
        "--only=outside",
        "--only=outsider",
        "--format=json",
    ]


def _refuse_another_verdict(number: int, first: dict[str, str], ran: Ran) -> None:
    now = outcomes(only_instance(ran.output))
    changed = [f"{name}: {now.get(name)}" for name in first if now.get(name) != first[name]]
    if changed:
        raise BenchmarkError(
            f"Look {number} saw something else than the first one: {', '.join(changed)}",
            hint="a figure of looks that saw less would be wrong",
        )
