"""What a host must be before anything is changed on it."""

from __future__ import annotations

from pyinfra.context import host

from tinykit_ops import artifacts
from tinykit_ops.errors import TinykitOpsError, UnavailableError, UsageError
from tinykit_ops.ops.host_facts import HostFacts
from tinykit_ops.settings import Settings

SUPPORTED = {("debian", "12"), ("debian", "13")}
NEEDED_MB = 1200  #: on /opt of a fresh host: programs, the agent, two releases
#: Which program may listen on which port; anything else means that the port is taken.
PORTS = {"80": {"caddy"}, "443": {"caddy"}, "3000": {"node", "MainThread"}, "8091": {"pocketbase"}}


def refuse_unsupported_host(settings: Settings) -> None:
    """Stop before the first change when this host cannot become an instance.

    Raises:
        UsageError: not root, or an operating system that was never tried.
        UnavailableError: no systemd, another architecture, a full disk, or a port that is taken.
    """
    facts = host.get_fact(HostFacts)
    for refuse in (_refuse_user, _refuse_system, _refuse_full_disk, _refuse_taken_ports):
        problem = refuse(facts, settings)
        if problem:
            problem.where = host.name
            raise problem


def _refuse_user(facts: dict[str, str], settings: Settings) -> TinykitOpsError | None:
    if facts.get("user") == "root":
        return None
    return UsageError(
        f"the deploy runs as {facts.get('user', 'nobody')}, not as root",
        hint="log in as root, or as a user who may use sudo with `_sudo = True` in the inventory",
    )


def _refuse_system(facts: dict[str, str], settings: Settings) -> TinykitOpsError | None:
    artifacts.architecture(facts.get("machine"))
    if facts.get("init") != "systemd":
        return UnavailableError(
            "this host does not run systemd", hint="use a Debian host with its own init"
        )
    found = (facts.get("os", "unknown"), facts.get("version", ""))
    if found in SUPPORTED or settings.unsupported_os_ok:
        return None
    return UsageError(
        f"{' '.join(found)} is not supported: Debian 13 and 12 are",
        hint="use one of these, or set unsupported_os_ok = True and expect surprises",
    )


def _refuse_full_disk(facts: dict[str, str], settings: Settings) -> TinykitOpsError | None:
    free = int(facts.get("free_mb") or NEEDED_MB)
    # A host that serves already has most of it.
    if free >= NEEDED_MB or facts.get("port_8091") == "pocketbase":
        return None
    return UnavailableError(
        f"{free} MB are free on /opt, and {NEEDED_MB} MB are needed",
        hint="free some disk space and run again",
    )


def _refuse_taken_ports(facts: dict[str, str], settings: Settings) -> TinykitOpsError | None:
    for port, ours in PORTS.items():
        program = facts.get(f"port_{port}", "")
        if program and program not in ours:
            return UnavailableError(
                f"port {port} is taken by {program}",
                hint=f"stop and disable {program} on the host, then run again",
            )
    return None
