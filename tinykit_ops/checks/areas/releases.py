"""Versions: programs without known holes, a system that mends itself, the app that was meant."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from tinykit_ops import layout
from tinykit_ops.checks.advisories import DEBIAN_ENDS, NODE_ENDS, POCKETBASE, numbers
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import (
    Area,
    CannotLook,
    Need,
    Outcome,
    Remedy,
    Severity,
    Tally,
    Vantage,
    Verdict,
    failed,
    passed,
)
from tinykit_ops.checks.registry import check

_LINE = "Vulnerabilities are reported, and mended by new versions"
_LISTS = "/var/lib/apt/lists"
_OLDEST_LISTS = 4 * 86400  #: seconds; unattended upgrades fetch them every day
_LONGEST_WAIT = 2 * 86400  #: seconds; unattended upgrades install them every day
_UPGRADES_RAN = "/var/lib/apt/periodic/unattended-upgrades-stamp"  #: the last time they ended well
_UPGRADES_CAME = "/var/lib/dpkg/info/unattended-upgrades.list"  #: when the package was installed


@check(
    id="versions.pocketbase",
    title="PocketBase has no hole that is known",
    area=Area.VERSIONS,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="Name a newer version in the inventory (`pocketbase.version`), take a backup, and "
        "deploy. The evidence says from which version on each hole is mended."
    ),
)
def pocketbase_has_no_known_hole(look: Context) -> Verdict:
    """Asks the program for its version, and compares it with the known holes."""
    result = look.machine.run(layout.POCKETBASE_BINARY, "--version")
    version = numbers(result.out)
    if result.status != 0 or not version:
        raise CannotLook(f"`{layout.POCKETBASE_BINARY} --version` failed: {result.complaint}")
    holes = [each for each in POCKETBASE if each.concerns(version)]
    name = "PocketBase " + ".".join(map(str, version))
    if holes:
        return failed(
            *(
                f"{name}: {hole.id}, {hole.what}; mended in {hole.fixed} ({hole.source})"
                for hole in holes
            )
        )
    return passed(f"{name} has none of the {len(POCKETBASE)} holes that this version knows of")


@check(
    id="versions.node",
    title="Node.js still gets security fixes",
    area=Area.VERSIONS,
    severity=Severity.MEDIUM,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="Run deploys/programs.py with a current tinykit-ops, which brings a Node.js that "
        "is maintained; or install one with an even number that has not ended."
    ),
)
def node_is_maintained(look: Context) -> Verdict:
    """Asks the program for its version, and knows when each ends."""
    result = look.machine.run(layout.NODE_BINARY, "--version")
    version = numbers(result.out)
    if result.status != 0 or not version:
        raise CannotLook(f"`{layout.NODE_BINARY} --version` failed: {result.complaint}")
    return _judge_end("Node.js", version[0], NODE_ENDS.get(version[0]), min(NODE_ENDS))


@check(
    id="versions.system",
    title="The distribution still gets security fixes",
    area=Area.VERSIONS,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="Provision a new host with a current Debian, restore the backup there, and change "
        "the DNS record; or upgrade this one as Debian's release notes say."
    ),
)
def system_is_maintained(look: Context) -> Verdict:
    """Reads /etc/os-release, and knows when each Debian ends."""
    text = look.machine.read("/etc/os-release") or ""
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    release = fields.get("VERSION_ID", "").strip('"')
    if fields.get("ID", "").strip('"') != "debian" or not release.isdecimal():
        raise CannotLook(f"this is no release of Debian: {fields.get('PRETTY_NAME', 'unknown')}")
    return _judge_end("Debian", int(release), DEBIAN_ENDS.get(int(release)), min(DEBIAN_ENDS))


def _judge_end(name: str, major: int, end: object, oldest: int) -> Verdict:
    if end is None:
        if major < oldest:
            return failed(f"{name} {major} ended long ago")
        raise CannotLook(f"{name} {major} is not known here; is tinykit-ops itself current?")
    line = f"{name} {major} gets security fixes until {end}"
    return passed(line) if str(datetime.now(UTC).date()) <= str(end) else failed(line)


@check(
    id="versions.tinykit",
    title="The tinykit that runs is the one that was meant",
    area=Area.VERSIONS,
    severity=Severity.MEDIUM,
    looks_from=Vantage.HOST,
    needs=(Need.SETTINGS,),
    checklist=_LINE,
    remedy=Remedy(
        by_hand="Deploy again: `pyinfra INVENTORY deploys/full.py`. Build releases with "
        "`tinykit-ops release build`, from a commit and a clean checkout."
    ),
)
def tinykit_is_the_one_meant(look: Context) -> Verdict:
    """Reads the release's note of its commit, and whether the service started before it came."""
    path = f"{layout.TINYKIT_CURRENT}/release.json"
    try:
        note = json.loads(look.machine.read(path) or "{}")
        commit = str(note["commit"])
    except (ValueError, KeyError, TypeError):
        return failed(f"{path} does not say from which commit the release was built")
    tally = Tally()
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        tally.bad.append(f"the release says that its commit is {commit[:50]}")
    if note.get("dirty"):
        tally.bad.append(f"the release was built from a changed checkout of {commit[:12]}")
    wanted = look.known.app.commit
    if wanted and wanted != commit:
        tally.bad.append(f"commit {commit[:12]} runs; the settings want {wanted[:12]}")
    tally.good.append(f"the release was built from commit {commit}")
    return tally.verdict()


@check(
    id="versions.security-updates",
    title="No security update of the distribution waits for longer than a day or two",
    area=Area.VERSIONS,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(by_hand="apt-get update && apt-get upgrade\nand a reboot, when it asks for one."),
)
def no_security_update_waits(look: Context) -> Verdict:
    """Lets apt pretend an upgrade with the lists that the host has; nothing is installed.

    One that came out since unattended upgrades last ran is on its way, and no finding.
    """
    words = ("-s", "-o", "Debug::NoLocking=true", "-o", "APT::Get::Show-User-Simulation-Note=no")
    result = look.machine.run("apt-get", *words, "dist-upgrade", timeout=60.0)
    if result.status != 0:
        raise CannotLook(f"`apt-get -s dist-upgrade` failed: {result.complaint}")
    lists = _changed(look, _LISTS)
    if lists is None:
        raise CannotLook("it cannot be seen how old apt's lists are")
    age = f"apt's lists are {max(_now() - lists, 0) / 3600:.0f} hours old"
    waiting = [line.split()[1] for line in result.out.splitlines() if _is_security(line)]
    if waiting:
        what = f"{len(waiting)} wait: {', '.join(waiting[:10])}"
        late = _why_not_soon(look, lists)
        return failed(f"{what}; {late}") if late else passed(f"{what}; the next run installs them")
    if _now() - lists > _OLDEST_LISTS:
        raise CannotLook(f"{age}: `apt-get update`")
    return passed(f"none waits; {age}")


def _why_not_soon(look: Context, lists: int) -> str | None:
    """Why what waits will not install itself within a day; None when it will."""
    if updates_install_themselves(look).outcome != Outcome.PASS:
        return "they do not install themselves"
    ran = _changed(look, _UPGRADES_RAN)
    since = ran if ran is not None else _changed(look, _UPGRADES_CAME)
    if since is None:
        return "nothing shows that unattended upgrades ever ran"
    if _now() - since > _LONGEST_WAIT:
        return f"unattended upgrades last ended well {(_now() - since) / 86400:.0f} days ago"
    if ran is not None and ran > lists:
        return "unattended upgrades have run since, and left them"
    return None


def _changed(look: Context, path: str) -> int | None:
    """When a path last changed, in seconds since 1970; None when that cannot be seen."""
    result = look.machine.run("stat", "-c", "%Y", path)
    text = result.out.strip()
    return int(text) if result.status == 0 and text.isdecimal() else None


def _now() -> float:
    return datetime.now(UTC).timestamp()


def _is_security(line: str) -> bool:
    return line.startswith("Inst ") and "security" in line.lower()


@check(
    id="versions.unattended-upgrades",
    title="Security updates install themselves",
    area=Area.VERSIONS,
    severity=Severity.MEDIUM,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="apt-get install unattended-upgrades, set APT::Periodic::Update-Package-Lists and "
        'APT::Periodic::Unattended-Upgrade to "1" in /etc/apt/apt.conf.d, and `systemctl enable '
        "--now apt-daily.timer apt-daily-upgrade.timer`; `unattended_upgrades` in the inventory "
        "does it."
    ),
)
def updates_install_themselves(look: Context) -> Verdict:
    """Asks apt for its settings, and systemd for the timers."""
    tally = Tally()
    said = look.machine.run("apt-config", "dump").out
    for name in ("Update-Package-Lists", "Unattended-Upgrade"):
        found = re.search(rf'APT::Periodic::{name} "(\d+)"', said)
        on = bool(found and int(found[1]) > 0)
        (tally.good if on else tally.bad).append(
            f"APT::Periodic::{name} is {'on' if on else 'off'}"
        )
    for timer in ("apt-daily.timer", "apt-daily-upgrade.timer"):
        state = look.machine.run("systemctl", "is-active", timer).out.strip()
        (tally.good if state == "active" else tally.bad).append(f"{timer} is {state or 'unknown'}")
    return tally.verdict()


@check(
    id="versions.no-reboot-needed",
    title="Installed updates run: no reboot is due",
    area=Area.VERSIONS,
    severity=Severity.LOW,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="Reboot the host; tinykit, PocketBase and the proxy come back by themselves."
    ),
)
def no_reboot_is_due(look: Context) -> Verdict:
    """Looks for the note that Debian's packages leave."""
    if look.machine.stat("/etc/debian_version") is None:
        raise CannotLook("only Debian says so in /run/reboot-required")
    if look.machine.stat("/run/reboot-required") is None:
        return passed("there is no /run/reboot-required")
    packages = (look.machine.read("/run/reboot-required.pkgs") or "").split()
    return failed(f"a reboot is due for {', '.join(packages) or 'some package'}")
