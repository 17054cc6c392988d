"""Why an install cannot be converted as it is, in sentences for a person."""

from __future__ import annotations

from pathlib import PurePosixPath

from tinykit_ops import layout
from tinykit_ops.adopt.facts import Facts, Process
from tinykit_ops.host.versions import numbers

OLDEST = "0.23.4"  #: the oldest PocketBase that tinykit runs with
#: Where a provisioned instance has its own; an install in one of these would be overwritten.
OURS = (
    *(layout.POCKETBASE_DATA, layout.TINYKIT_CURRENT, layout.TINYKIT_RELEASES),
    *(f"{layout.TINYKIT_HOME}/migrations", f"{layout.POCKETBASE_HOME}/current", layout.AGENT_HOME),
)


def obstacles(
    facts: Facts, server: Process | None, database: Process | None, data: str
) -> list[str]:
    """What is in the way, besides what runs it and what stands before it.

    Args:
        server, database: tinykit and PocketBase, as far as they were found.
        data: PocketBase's folder on the host, or nothing.
    """
    return [
        *_missing(server, database),
        *_old(database),
        *_in_our_places(server, data),
        *_of_a_user(facts, server, database),
        *_environment_of_ours(facts),
        *_boots(facts),
    ]


def place(line: str) -> str:
    """File and number of a line of cron's: what stands in it may be secret."""
    return ":".join(line.split(":")[:2])


def _missing(server: Process | None, database: Process | None) -> list[str]:
    found = []
    if server is None:
        found.append("no server of tinykit's runs (a Node.js in its folder): start it")
    if database is None:
        found.append("no PocketBase with an open database runs: start it")
    return found


def _old(database: Process | None) -> list[str]:
    if database is None or numbers(database.version) >= numbers(OLDEST):
        return []
    return [
        f"PocketBase {database.version} is older than {OLDEST}: update it by hand first "
        "(its data changed form at 0.23)"
    ]


def _of_a_user(facts: Facts, *programs: Process | None) -> list[str]:
    """The system's own systemd cannot stop units of a user's."""
    return [
        f"{one.program} is a unit of a user's own systemd (`systemctl --user`): make it one of the "
        "system, or start it by hand, then look again"
        for one in programs
        if one is not None and "/user@" in facts.text("cgroup", str(one.pid))
    ]


def _environment_of_ours(facts: Facts) -> list[str]:
    if facts.text("system", "ours") or not facts.text("there", layout.TINYKIT_ENVIRONMENT):
        return []
    return [f"{layout.TINYKIT_ENVIRONMENT} is in the way: give it another name (in its unit, too)"]


def _in_our_places(server: Process | None, data: str) -> list[str]:
    mine = [data, server.cwd if server and not server.container else ""]
    return [
        f"{path} is where tinykit-ops has its own: stop the install, move the folder, start it "
        "from there, and look again"
        for path in mine
        if path and any(PurePosixPath(path).is_relative_to(one) for one in OURS)
    ]


def _boots(facts: Facts) -> list[str]:
    """Lines of cron's that would start it again beside ours."""
    return [
        f"{place(line)} starts it at boot: remove that line"
        for line in facts.lines("cron", "lines")
        if "@reboot" in line or line.startswith("/etc/rc.local")
    ]
