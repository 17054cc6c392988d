"""Bad firewall rules, generated: what a person may write, what may go wrong, and when."""

from __future__ import annotations

import random
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from firewall_trials import (
    BACK_SECONDS,
    BOOT_SECONDS,
    CONFIRM_SECONDS,
    DoorWatch,
    Trials,
    cut_off,
    kill,
)

from tinykit_ops import layout

#: A case does its harm and returns (exit code of the run, what it said).
Harm = Callable[[Trials], tuple[int | None, str]]


@dataclass(frozen=True)
class Case:
    """One way to shut somebody out.

    Attributes:
        refused: the run has to fail; None when it may do either, as long as people get in.
        ours: the host itself was unreachable for a while by what the case did.
        flushes: the case takes everybody's tables away, as the distribution's own unit does.
        confirmable: the rules that the run may have confirmed before it was ended.
    """

    name: str
    harm: Harm
    refused: bool | None = True
    ours: bool = False
    flushes: bool = False
    confirmable: str = ""


def settings_cases(rng: random.Random, trials: Trials) -> Iterator[Case]:
    """What a person may write into an inventory."""
    networks = trials.provisioner.lab.networks
    v6 = {"ssh_hostname": trials.host.address6}
    huge = _networks(rng, 20_000)

    def case(name: str, firewall: dict[str, Any], refused: bool = True, **more: Any) -> Case:
        def harm(trials: Trials) -> tuple[int, str]:
            impatient = {"confirm_seconds": CONFIRM_SECONDS, **firewall}
            run = trials.deploy(trials.inventory(impatient, **more))
            return run.code, run.text

        return Case(name, harm, refused)

    yield case("empty list of SSH networks", {"ssh_from": []})
    yield case("private, and no list at all", {"mode": "private"}, access={"allowlist": []})
    yield case("private, and an empty list", {"mode": "private", "web_from": []})
    yield case("cdn without networks", {"mode": "cdn"})
    yield case("cdn of everybody", {"mode": "cdn", "cdn": {"networks": ["0.0.0.0/0"]}})
    missing = f"{trials.provisioner.folder}/none"
    yield case("cdn whose list is not there", {"mode": "cdn", "cdn": {"source": missing}})
    unreachable = "https://127.0.0.1:9/list"
    yield case("cdn whose list cannot be had", {"mode": "cdn", "cdn": {"source": unreachable}})
    yield case("20,001 networks", {"ssh_from": _networks(rng, 20_001)})
    yield case("20,000 networks without one's own", {"ssh_from": huge})
    mine = [*huge[1:], f"{networks.controller4}/32"]
    yield case("20,000 networks with one's own", {"ssh_from": mine}, refused=False)
    for port in (80, 443, 8091):
        yield case(f"SSH on the taken port {port}", {"ssh_port": port})
    yield case("SSH on a port that sshd has not", {"ssh_port": rng.randrange(1024, 3000)})
    yield case("IPv6 forgotten", {"ssh_from": [str(networks.hosts4)]}, data=v6)
    yield case("IPv4 forgotten", {"ssh_from": [str(networks.hosts6)]})
    yield case("only loopback", {"ssh_from": ["127.0.0.1", "::1"]})
    yield case("the mapped form of one's address", {"ssh_from": [f"::ffff:{networks.controller4}"]})
    while True:
        count = rng.choice([1, 2, 50])
        yield case(f"{count} networks of others", {"ssh_from": _networks(rng, count)})


def rules_cases(rng: random.Random, trials: Trials) -> Iterator[Case]:
    """What a mistake in our own templates, or a hand on the host, could make of the rules."""
    good = trials.rules()

    def case(name: str, rules: str, checked: bool = True, refused: bool | None = True) -> Case:
        def harm(trials: Trials) -> tuple[int, str]:
            return trials.try_rules(rules, checked=checked)

        return Case(name, harm, refused)

    own = re.compile(r"elements = \{[^}]*\}")
    policy = "policy drop;\n"
    yield case("no rule for SSH", without_ssh(good))
    yield case("SSH let in on another port", good.replace("tcp dport 22", "tcp dport 23"))
    yield case("sets without one's own address", own.sub("elements = { 192.0.2.1 }", good, 1))
    yield case("everything dropped first", good.replace(policy, policy + "\t\tdrop\n"))
    dropped = good.replace("ct state established,related accept", "ct state established drop", 1)
    yield case("established connections dropped", dropped)
    yield case("answers dropped on their way out", good.replace("policy accept", "policy drop", 1))
    early = good.replace("priority filter; policy drop;", "priority -300; policy drop;\n\t\tdrop")
    yield case("dropped before anybody else looks", early)
    yield case("an empty file", "", refused=None)
    yield case("no rules, only a table", f"table inet {layout.FIREWALL_TABLE} {{}}\n", refused=None)
    yield case("a brace lost", good.replace("}", "", 1))
    yield case("a brace lost, not seen on the way", good.replace("}", "", 1), checked=False)
    yield case("a word that nft does not know", good.replace("accept", "acept", 1), checked=False)
    yield case("a set that is not there", good.replace("@ssh4", "@nobody", 1), checked=False)
    cut = good[: rng.randrange(len(good) // 3, len(good) * 2 // 3)]
    yield case("half of the file", cut, checked=False)
    while True:
        lines = good.splitlines(keepends=True)
        lost = sorted(rng.sample(range(len(lines)), rng.choice([1, 2, 5])))
        kept = "".join(line for number, line in enumerate(lines) if number not in lost)
        text = f"lines lost: {', '.join(str(number + 1) for number in lost)}"
        yield case(text, kept, checked=rng.random() < 0.5, refused=None)


def without_ssh(rules: str) -> str:
    """The same rules, which let nobody log in."""
    return re.sub(r"^.*@ssh[46] accept\n", "", rules, flags=re.MULTILINE)


def kill_cases(rng: random.Random, trials: Trials) -> Iterator[Case]:
    """The controller, the network or the host gone while rules wait for a confirmation."""
    good = trials.rules()
    shut = re.sub(r"^.*@ssh[46] accept\n", "", good, flags=re.MULTILINE)
    closed = shut.replace("ct state established,related accept", "ct state established drop", 1)
    fine = good.replace("# Managed by", "# Tried by")
    harms: list[tuple[str, Callable[[Trials, Any], None], bool]] = [
        ("controller killed", lambda _, process: kill(process), False),
        ("network dropped", _cut_network, True),
        ("host lost power", _cut_power, True),
        ("host rebooted", _reboot, True),
        ("nftables restarted", _restart_nftables, False),
        ("firewall's unit restarted", _restart_unit, False),
    ]
    while True:
        for name, interrupt, ours in harms:
            kinds = (("nobody gets in", shut), ("all is cut", closed), ("good rules", fine))
            for kind, rules in kinds:
                yield _kill_case(f"{name}, {kind}", rules, interrupt, ours)
        yield Case("controller killed before it applied", _kill_early(shut, rng), None)


def _kill_case(name: str, rules: str, interrupt: Any, ours: bool) -> Case:
    def harm(trials: Trials) -> tuple[int | None, str]:
        return trials.try_rules(rules, lambda process: interrupt(trials, process))

    good = rules if rules.count("@ssh4 accept") else ""
    flushes = interrupt is _restart_nftables
    return Case(name, harm, None if good else True, ours, flushes, confirmable=good)


def _kill_early(rules: str, rng: random.Random) -> Harm:
    wait = rng.uniform(0.5, 3)

    def harm(trials: Trials) -> tuple[int | None, str]:
        stop: list[subprocess.Popen[str]] = []

        def later(process: subprocess.Popen[str]) -> None:
            stop.append(process)

        timer = threading.Timer(wait, lambda: [kill(process) for process in stop])
        timer.start()
        try:
            return trials.try_rules(rules, later, waits=False)
        finally:
            timer.cancel()

    return harm


def _cut_network(trials: Trials, process: Any) -> None:
    """Nothing goes from here to the host or back for as long as a confirmation could come."""
    with cut_off(trials.provisioner.lab, trials.host):
        trials.over()
        kill(process)


def _cut_power(trials: Trials, process: Any) -> None:
    trials.host.kill()
    kill(process)
    for _ in range(100):
        if not trials.host.is_running:
            break
        time.sleep(0.1)
    trials.host.boot()


def _reboot(trials: Trials, process: Any) -> None:
    kill(process)
    trials.host.reboot(wait=False)


def _restart_nftables(trials: Trials, process: Any) -> None:
    trials.console("systemctl restart nftables.service")


def _restart_unit(trials: Trials, process: Any) -> None:
    trials.console(f"systemctl restart {layout.FIREWALL_UNIT}")


def _networks(rng: random.Random, count: int) -> list[str]:
    """Networks of others: none of them holds a private address."""
    found: set[str] = set()
    while len(found) < count:
        if rng.random() < 0.8:
            found.add(f"{rng.randrange(20, 100)}.{rng.randrange(256)}.{rng.randrange(256)}.0/24")
        else:
            found.add(f"2a{rng.randrange(256):02x}:{rng.randrange(65536):x}::/48")
    return sorted(found)


@dataclass
class Verdict:
    """What became of a case."""

    case: Case
    faults: list[str]
    longest: float


def judge(trials: Trials, case: Case) -> Verdict:
    """Do a case's harm, then see that a person can log in, and that nothing is left on trial."""
    trials.add_foreign_table()  # a reboot takes it away
    with DoorWatch(trials.host.address4) as watch:
        before = trials.console(f"cat {layout.FIREWALL_RULES}")
        code, said = case.harm(trials)
        if case.ours:
            watch.forgive()
            watch.longest = 0.0
        faults = []
        if case.refused is not None and (code == 0) == case.refused:
            faults.append(f"exit code {code}: {said[-1500:]}")
        if "Traceback" in said:
            faults.append(f"a traceback: {said[-1500:]}")
        if not trials.wait_until_open(BOOT_SECONDS if case.ours else BACK_SECONDS):
            faults.append("LOCKED OUT")
        if not trials.over():
            faults.append("rules are still on trial")
        if not trials.wait_until_open():
            faults.append("LOCKED OUT at the end")
        kept = trials.console(f"cat {layout.FIREWALL_RULES}")
        if code != 0 and kept not in (before, case.confirmable):
            faults.append("a run that failed changed the confirmed rules")
        if code != 0 and not trials.is_guarded():
            faults.append("the host has no firewall any more")
        if not (case.ours or case.flushes) and not trials.foreign_is_there():
            faults.append("somebody else's table is gone")
    return Verdict(case, faults, watch.longest)
