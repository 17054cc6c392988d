"""Files: a service that is taken over finds little to take."""

from __future__ import annotations

import re

from tinykit_ops import layout
from tinykit_ops.checks.containers import find_container, in_containers, kernel_limits, ours
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.host import HostFacts
from tinykit_ops.checks.model import Area, CannotLook, Remedy, Severity, Tally, Vantage, Verdict
from tinykit_ops.checks.registry import check

#: The highest exposure (systemd-analyze security, 0 to 10) that each unit may have. PocketBase
#: needs the network for mail, S3 and OAuth2; V8 cannot live with MemoryDenyWriteExecute.
_LIMITS = {
    layout.POCKETBASE_UNIT: (1.3, layout.POCKETBASE_USER),
    layout.TINYKIT_UNIT: (1.4, layout.TINYKIT_USER),
}
_EXPOSURE = re.compile(r"Overall exposure level for \S+: (\d+(?:\.\d+)?)")


@check(
    id="files.units-hardened",
    title="tinykit and PocketBase run as users of their own in a tight sandbox",
    area=Area.FILES,
    severity=Severity.MEDIUM,
    looks_from=Vantage.HOST,
    checklist="File operations scoped to the workspace; path traversal refused",
    remedy=Remedy(
        by_hand="Give each unit its own User=, and ProtectSystem=strict, ProtectHome=yes, "
        "PrivateUsers=yes, PrivateDevices=yes, PrivateTmp=yes, NoNewPrivileges=yes, "
        "CapabilityBoundingSet=, RestrictAddressFamilies=, SystemCallFilter=@system-service and "
        "the rest that `systemd-analyze security UNIT` names. In a compose file: `user:`, "
        "`read_only: true`, `cap_drop: [ALL]`, `security_opt: [no-new-privileges:true]`, and "
        "ports published on 127.0.0.1 only."
    ),
)
def units_are_hardened(look: Context) -> Verdict:
    """Asks systemd about the units as they run, or Docker about the containers."""
    if in_containers(look):
        return _containers_are_hardened(look.machine)
    tally = Tally()
    for unit, (limit, user) in _LIMITS.items():
        try:
            faults, line = _look_at(look.machine, unit, limit, user)
        except CannotLook as reason:
            tally.unseen.append(str(reason))
            continue
        tally.bad += faults
        tally.good.append(line)
    return tally.verdict()


def _containers_are_hardened(host: HostFacts) -> Verdict:
    tally, kernel = Tally(), kernel_limits(host)
    if len(kernel) < 2:
        tally.good.append(f"this kernel lets Docker limit {', '.join(kernel) or 'nothing'}")
    for name, user in ours().items():
        try:
            container, wanted = find_container(host, name), _user_id(host, user)
        except CannotLook as reason:
            tally.unseen.append(str(reason))
            continue
        tally.bad += [*container.looseness(), *container.limitless(kernel)]
        if container.user() != wanted:
            tally.bad.append(f"{name} runs as {container.user() or 'root'}, not as {user}")
        tally.good.append(f"{name} runs as {user}, read-only, without capabilities")
    return tally.verdict()


def _user_id(host: HostFacts, user: str) -> str:
    result = host.run("id", "--user", user)
    if result.status != 0:
        raise CannotLook(f"there is no user {user}: {result.complaint}")
    return result.out.strip()


def _look_at(host: HostFacts, unit: str, limit: float, user: str) -> tuple[list[str], str]:
    properties = _properties(host, unit)
    if properties.get("ActiveState") != "active":
        raise CannotLook(f"{unit} is {properties.get('ActiveState') or 'unknown to systemd'}")
    exposure = _exposure(host, unit)
    faults = []
    if properties.get("User") != user:
        faults.append(f"{unit} runs as {properties.get('User') or 'root'}, not as {user}")
    if properties.get("NeedDaemonReload") == "yes":
        faults.append(
            f"{unit} was changed on disk since systemd read it: `systemctl daemon-reload`"
        )
    if exposure > limit:
        faults.append(f"{unit} has an exposure of {exposure}; at most {limit} is wanted")
    return faults, f"{unit} runs as {user} with an exposure of {exposure} (at most {limit})"


def _properties(host: HostFacts, unit: str) -> dict[str, str]:
    result = host.run("systemctl", "show", unit, "-p", "ActiveState,User,NeedDaemonReload")
    if result.status != 0:
        raise CannotLook(f"`systemctl show {unit}` failed: {result.complaint}")
    return dict(line.split("=", 1) for line in result.out.splitlines() if "=" in line)


def _exposure(host: HostFacts, unit: str) -> float:
    result = host.run("systemd-analyze", "security", "--no-pager", unit)
    found = _EXPOSURE.search(result.out)
    if not found:
        raise CannotLook(f"`systemd-analyze security {unit}` says nothing: {result.complaint}")
    return float(found.group(1))
