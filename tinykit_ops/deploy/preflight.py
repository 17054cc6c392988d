"""What a host must be before anything is changed on it."""

from __future__ import annotations

from collections.abc import Mapping

from tinykit_ops import artifacts
from tinykit_ops.errors import TinykitOpsError, UnavailableError, UsageError
from tinykit_ops.host.versions import numbers
from tinykit_ops.settings import Settings

Facts = Mapping[str, str]

SUPPORTED = {("debian", "12"), ("debian", "13")}
NEEDED_MB = 1200  #: on /opt of a fresh host: programs, the agent, two releases
#: Somebody else's nginx serves somebody else's sites.
OUR_NGINX = "nginx, configured by tinykit-ops"
#: Which program may listen on which port; anything else means that the port is taken.
#: Node.js names its main thread, and that is the name which `ss` shows.
OUR_NETWORK = "Docker, for our own containers"
#: What a person may have started here as well.
OUR_PROGRAMS = {"caddy", "node", "MainThread", "pocketbase"}
ADOPT = "`tinykit-ops adopt HOST` takes over a tinykit that was installed by hand"
PORTS = {
    "80": {"caddy", OUR_NGINX},
    "443": {"caddy", OUR_NGINX},
    "3000": {"node", "MainThread", OUR_NETWORK},
    "8091": {"pocketbase", OUR_NETWORK},
}


def problem_of(facts: Facts, settings: Settings) -> TinykitOpsError | None:
    """Why a host with these facts (`ops.host_facts.HostFacts`) cannot become an instance.

    Returns:
        The first reason, in the order user, system, disk, units, ports, names, moved, data; None
        when there is none.
    """
    reasons = (
        _user(facts),
        _system(facts, settings.unsupported_os_ok),
        _disk(facts),
        _foreign(facts),
        _ports(facts),
        _names(facts),
        _moved(facts),
        _data(facts, settings),
    )
    return next((reason for reason in reasons if reason), None)


def problem_of_system(facts: Facts, *, unsupported_os_ok: bool) -> TinykitOpsError | None:
    """The same for a host that gets the agent and no instance."""
    return _user(facts) or _system(facts, unsupported_os_ok)


def _user(facts: Facts) -> TinykitOpsError | None:
    if facts.get("user") == "root":
        return None
    return UsageError(
        f"the deploy runs as {facts.get('user', 'nobody')}, not as root",
        hint='log in as root, or as a user who may use sudo with "_sudo": True in the inventory',
    )


def _system(facts: Facts, unsupported_os_ok: bool) -> TinykitOpsError | None:
    if facts.get("init") != "systemd":
        return UnavailableError(
            "this host does not run systemd", hint="use a Debian host with its own init"
        )
    found = (facts.get("os", "unknown"), facts.get("version", ""))
    if found not in SUPPORTED and not unsupported_os_ok:
        return UsageError(
            f"{' '.join(found)} is not supported: Debian 13 and 12 are",
            hint="use one of these, or set unsupported_os_ok = True and expect surprises",
        )
    try:
        artifacts.architecture(facts.get("machine"))
    except UnavailableError as error:
        return error
    return None


def _disk(facts: Facts) -> TinykitOpsError | None:
    free = int(facts.get("free_mb") or NEEDED_MB)
    # A host that serves already has most of it; its release step looks again.
    if free >= NEEDED_MB or (
        facts.get("port_8091") == "pocketbase" or facts.get("network") == "ours"
    ):
        return None
    return UnavailableError(
        f"{free} MB are free on /opt, and {NEEDED_MB} MB are needed",
        hint="free some disk space and run again",
    )


def _foreign(facts: Facts) -> TinykitOpsError | None:
    """A deploy would write over it, and start an empty instance in the place of what serves."""
    unit = facts.get("foreign", "")
    if not unit:
        return None
    return UsageError(
        f"{unit} is on this host, and is not of tinykit-ops",
        where=f"/etc/systemd/system/{unit}",
        hint=f"{ADOPT}; otherwise stop the unit, and move its file away",
    )


def _ports(facts: Facts) -> TinykitOpsError | None:
    for port, ours in PORTS.items():
        program = facts.get(f"port_{port}", "")
        if program == "nginx" and facts.get("nginx") == "ours":
            program = OUR_NGINX
        if program == "docker-proxy" and facts.get("network") == "ours":
            program = OUR_NETWORK
        if program in OUR_PROGRAMS and facts.get("units") != "ours":
            return UnavailableError(
                f"port {port} is taken by {program}, which tinykit-ops did not start", hint=ADOPT
            )
        if program and program not in ours:
            return UnavailableError(
                f"port {port} is taken by {program}",
                hint=f"stop and disable {program} on the host, then run again",
            )
    return None


def _names(facts: Facts) -> TinykitOpsError | None:
    people = facts.get("people", "").split()
    if not people:
        return None
    return UsageError(
        f"a person logs in here as {people[0]}, the name of a user that a program would run as",
        hint=f"log in under another name, and rename or remove the user {people[0]} first: "
        "what breaks into the program must not become that person",
    )


def _moved(facts: Facts) -> TinykitOpsError | None:
    """A deploy would start programs, and backups of data that is old by now."""
    to = facts.get("moved", "")
    if not to:
        return None
    return UsageError(
        f"this instance moves, or has moved, to {to}",
        hint="take this host out of the inventory; `tinykit-ops migrate` finishes a move that was "
        f"interrupted, and `tinykit-ops migrate {to} THIS_HOST` moves it back",
    )


def _data(facts: Facts, settings: Settings) -> TinykitOpsError | None:
    ran, wanted = facts.get("pocketbase", ""), settings.pocketbase.version
    if not ran or numbers(wanted) >= numbers(ran):
        return None
    return UsageError(
        f"PocketBase {ran} ran on the data of this host, and {wanted} is older",
        where="pocketbase.version",
        hint=f'set it to "{ran}" or newer: an older PocketBase cannot undo the migrations of a '
        "newer one. To go back, with the data from before: `tinykit-ops release "
        "pocketbase-rollback` on the host, then deploy",
    )
