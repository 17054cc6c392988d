"""Looking at this host; only reads, and what cannot be seen is unknown."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup import judgement
from tinykit_ops.backup.in_place import unfinished
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.status import read_status as read_backups
from tinykit_ops.checks.baseline import read_baseline
from tinykit_ops.checks.keeping import CheckPlaces
from tinykit_ops.checks.model import CannotLook, Outcome
from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.host import audit, run_lock
from tinykit_ops.host.firewall_places import is_loaded
from tinykit_ops.host.services import services
from tinykit_ops.settings import Settings
from tinykit_ops.status.certificates import certificate_line
from tinykit_ops.status.health import health_line
from tinykit_ops.status.model import HostStatus, Level, Line
from tinykit_ops.status.versions import versions_of
from tinykit_ops.upgrade.journal import Journal

FULL_PERCENT = 90  #: of a disk; more is wrong
CHECK_HOURS = 50  #: two nights and a bit: an older look says nothing about now


def look(config: AgentConfig, now: datetime | None = None) -> HostStatus:
    """All about this host. Raises nothing that a host can cause."""
    moment = now or datetime.now(UTC)
    settings = config.settings
    lines = (
        ("services", lambda: _services(settings)),
        ("health", lambda: health_line(settings)),
        ("certificate", lambda: certificate_line(settings)),
        ("backup", lambda: _backup(settings, moment)),
        ("verify", lambda: _verify(settings, moment)),
        ("checks", lambda: _checks(moment)),
        ("disk", _disk),
        ("changes", _changes),
    )
    seen = tuple(_seen(name, ask) for name, ask in lines)
    return HostStatus(socket.gethostname(), seen, versions_of(settings))


def _seen(name: str, ask: Callable[[], Line]) -> Line:
    try:
        return ask()
    except (TinykitOpsError, CannotLook, OSError, subprocess.SubprocessError) as error:
        said = error.what if isinstance(error, TinykitOpsError) else str(error)
        return Line(name, Level.UNKNOWN, "?", said.splitlines()[0] if said else "could not look")


def _services(settings: Settings) -> Line:
    units = services(settings)
    states = {name: _active(unit) for name, unit in units.items()}
    if states.get("firewall") == "active" and not is_loaded():
        states["firewall"] = "flushed: nothing is closed"
    down = [f"{name} is {state}" for name, state in states.items() if state != "active"]
    if down:
        return Line("services", Level.WRONG, f"{len(down)} down", ", ".join(down))
    return Line("services", Level.FINE, "run", f"{', '.join(units)} run")


def _active(unit: str) -> str:
    done = subprocess.run(
        ["systemctl", "is-active", unit], capture_output=True, text=True, timeout=20, check=False
    )
    return done.stdout.strip() or "unknown"


def _backup(settings: Settings, now: datetime) -> Line:
    backup = settings.backup
    if not backup.targets:
        return Line("backup", Level.WRONG, "none", "the inventory names no target: no backups")
    plans = {target.name: backup.plan(target) for target in backup.targets}
    limits = {
        name: judgement.Limits(plan.max_age_hours, plan.max_verified_age_hours)
        for name, plan in plans.items()
    }
    known = read_backups()
    judged = judgement.judge(limits, known, now)
    bad = judgement.worst(judged) is not judgement.Level.OK
    text = "; ".join(f"{one.target}: {one.reason}" for one in judged)
    dates = [known.targets[name].last_success for name in plans if known and name in known.targets]
    return Line("backup", Level.WRONG if bad else Level.FINE, _oldest(dates, now, len(plans)), text)


def _verify(settings: Settings, now: datetime) -> Line:
    names = [target.name for target in settings.backup.targets]
    known = read_backups()
    dates = [known.targets[name].last_verified for name in names if known and name in known.targets]
    short = _oldest(dates, now, len(names))
    if short == "never":
        text = "no restored copy was found good yet: `backup verify`"
        return Line("verify", Level.UNKNOWN, short, text)
    text = f"a restored copy of each target was found good, the longest ago {short} ago"
    return Line("verify", Level.FINE, short, text)


def _oldest(dates: list[datetime | None], now: datetime, wanted: int) -> str:
    """The time since the oldest of so many; when one is missing, `never`."""
    there = [date for date in dates if date is not None]
    if len(there) < wanted or not there:
        return "never"
    hours = (now - min(there)).total_seconds() / 3600
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d"


def _checks(now: datetime) -> Line:
    last = CheckPlaces().last
    if not last.exists():
        text = "no nightly check yet; `tinykit-ops check scheduled` makes one now"
        return Line("checks", Level.UNKNOWN, "never", text)
    report = read_baseline(last)
    results = [result for each in report.instances for result in each.results]
    failed = [one.check.id for one in results if one.verdict.outcome == Outcome.FAIL]
    unseen = [one.check.id for one in results if one.verdict.outcome == Outcome.UNKNOWN]
    when = max(each.started for each in report.instances)
    day = f"{when:%Y-%m-%d %H:%M} UTC"
    if (now - when).total_seconds() > CHECK_HOURS * 3600:
        return Line("checks", Level.UNKNOWN, "old", f"the last check was at {day}: is cron alive?")
    if failed:
        text = f"{len(failed)} findings at {day}: {', '.join(failed)}"
        return Line("checks", Level.WRONG, f"{len(failed)} findings", text)
    if unseen:
        text = f"not everything could be seen at {day}: {', '.join(unseen)}"
        return Line("checks", Level.UNKNOWN, f"{len(unseen)} unseen", text)
    return Line("checks", Level.FINE, "0", f"no findings in {len(results)} checks at {day}")


def _disk() -> Line:
    used = dict(_usage())
    fullest = max(used, key=lambda path: used[path])
    text = ", ".join(f"{path} {percent} % used" for path, percent in used.items())
    level = Level.WRONG if used[fullest] > FULL_PERCENT else Level.FINE
    return Line("disk", level, f"{used[fullest]} %", text)


def _usage() -> Iterator[tuple[str, int]]:
    """Percent used, of each file system that an instance needs."""
    seen = set()
    for path in ("/", layout.POCKETBASE_STATE, "/opt", "/var/log"):
        device = Path(path).stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        usage = shutil.disk_usage(path)
        yield path, round(100 * usage.used / (usage.used + usage.free))


def _unfinished_upgrade() -> str:
    begun = Journal(Path(layout.POCKETBASE_UPGRADES)).begun()
    return str(begun) if begun else ""


def _changes() -> Line:
    held = run_lock.holder()
    if held is not None:
        text = f"being changed by {run_lock.sentence(held)}"
        return Line("changes", Level.FINE, "now", text)
    if text := unfinished(Places()) or _unfinished_upgrade():
        return Line("changes", Level.WRONG, "interrupted", text)
    entries, _ = audit.read()
    done = [entry for entry in entries if entry.result != "refused"]
    if not done:
        return Line("changes", Level.FINE, "-", "nobody changed it yet, as far as its log goes")
    last = done[-1]
    text = f"last by {last.who}: {last.what}, {last.time}, {last.result}"
    bad = last.result in {"failed", "interrupted", audit.UNFINISHED}
    return Line("changes", Level.WRONG if bad else Level.FINE, last.result, text)
