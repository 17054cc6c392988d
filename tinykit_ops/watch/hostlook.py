"""Readings of the host itself: room, memory, units, backups, certificates."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tinykit_ops import layout
from tinykit_ops.backup.status import BackupStatus
from tinykit_ops.host.firewall_places import is_loaded
from tinykit_ops.host.units import Unit
from tinykit_ops.settings import Settings
from tinykit_ops.settings.watch import WatchSettings
from tinykit_ops.watch.problems import Grade, Reading

if TYPE_CHECKING:
    from tinykit_ops.checks.tls import Certificate

_DISKS = ("/", "/var/log", layout.POCKETBASE_STATE)
_DAY = timedelta(days=1)
CERTIFICATES_EVERY = 3600  #: seconds


def disks(wanted: WatchSettings) -> Iterator[Reading]:
    """A reading for each place that matters."""
    for place in _DISKS:
        try:
            usage = shutil.disk_usage(place)
        except OSError:
            continue
        free = 100 * usage.free / usage.total if usage.total else 100.0
        least = wanted.disk_free_percent
        text = f"{place} has {free:.0f} % free (at least {least} %)"
        yield Reading(f"disk:{place}", free < least, text, Grade.CRITICAL)


def memory(wanted: WatchSettings, meminfo: Path = Path("/proc/meminfo")) -> Reading:
    """What programs can still get."""
    lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
    if "MemAvailable" not in lines or "MemTotal" not in lines:
        return Reading("memory", None, "the kernel does not say")
    left, total = (int(lines[name].split()[0]) for name in ("MemAvailable", "MemTotal"))
    free = 100 * left / total
    text = f"{free:.0f} % of the memory is available (at least {wanted.memory_free_percent} %)"
    return Reading("memory", free < wanted.memory_free_percent, text, raise_after=5, clear_after=5)


def units(settings: Settings) -> Iterator[Reading]:
    """A reading for each unit of the instance."""
    edge = layout.NGINX_UNIT if settings.edge.kind == "nginx" else layout.CADDY_UNIT
    for name in (layout.POCKETBASE_UNIT, layout.TINYKIT_UNIT, edge):
        up = Unit(name).is_active()
        text = f"{name} {'runs' if up else 'does not run'}"
        # While a release is replaced its unit is down for some seconds, which no visitor notices.
        yield Reading(f"unit:{name}", not up, text, Grade.CRITICAL)


def firewall(settings: Settings) -> Iterator[Reading]:
    """Whether its rules are in force: others can flush them, and its unit does not notice."""
    if settings.firewall.enabled:
        up = is_loaded()
        text = "the firewall is loaded" if up else "the firewall is not loaded: nothing is closed"
        yield Reading("firewall", not up, text, Grade.CRITICAL)


def backups(status: BackupStatus | None, wanted: WatchSettings, now: float) -> Iterator[Reading]:
    """Two readings a target: its last snapshot, and the last that was proven by a restore."""
    for name, target in status.targets.items() if status else ():
        first = target.first_success
        for kind, last, most in (
            ("backup", target.last_success, wanted.backup_hours * 3600),
            ("verify", target.last_verified or first, wanted.verify_days * 86400),
        ):
            if last is None:
                bad, text = kind == "backup", f"{name} has no {kind} yet"
            else:
                age = now - last.timestamp()
                bad = age > most
                text = f"the last {kind} of {name} is {age / 3600:.0f} h old"
                text += f" (at most {most / 3600:.0f} h)"
            yield Reading(f"{kind}:{name}", bad, text, raise_after=1, clear_after=1)


def certificates(settings: Settings) -> tuple[Sequence[Certificate], Sequence[str]]:
    """Those that are shown, and the names that show none."""
    # Brings an HTTP library, and is not needed every minute.
    from tinykit_ops.status.certificates import shown

    return shown(settings)


def certificate_reading(
    seen: Sequence[Certificate], wanted: WatchSettings, now: datetime
) -> Reading:
    """Certificates by their days; short-lived ones by their own life, see `late`."""
    if not seen:
        return Reading("certificate", None, "no certificate is shown")
    first = min(seen, key=lambda one: one.left(now) - _least(one, wanted))
    left, least = first.left(now), _least(first, wanted)
    text = f"the certificate of {first.host} ends in {left / _DAY:.1f} days"
    text += f" (at least {least / _DAY:.1f})"
    return Reading("certificate", left < least, text, raise_after=1, clear_after=1)


def missing_reading(seen: Sequence[Certificate], unseen: Sequence[str]) -> Reading:
    """Names without a certificate; where all are, the edge is down, and something else tells."""
    text = f"no certificate is shown for {', '.join(unseen)}" if unseen else "each name shows one"
    return Reading("certificate-missing", bool(unseen) if seen else None, text, clear_after=1)


def _least(one: Certificate, wanted: WatchSettings) -> timedelta:
    return one.late(timedelta(days=wanted.certificate_days))
