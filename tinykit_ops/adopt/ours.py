"""Taking an instance of ours off a host, so that the old install can have it back."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.adopt.aside import OUR_UNITS, UNITS
from tinykit_ops.errors import UnavailableError
from tinykit_ops.host.firewall_places import TABLE, nft
from tinykit_ops.host.units import systemctl

_FIREWALL = (
    *(layout.FIREWALL_REFRESH_TIMER, layout.FIREWALL_ROLLBACK_TIMER, layout.FIREWALL_UNIT),
)
_SCHEDULES = (
    *(layout.CRON_FILE, layout.CHECKS_CRON_FILE, layout.WATCH_CRON_FILE, layout.EDGE_CRON_FILE),
)


def stop_ours() -> None:
    """Stop what serves, the schedules, and the firewall. Data, programs and secrets stay."""
    for path in _SCHEDULES:
        with suppress(OSError):  # whatever is wrong with one, the old install comes back
            Path(path).unlink()
    for unit in (*_edges(), *_others()):
        systemctl("disable", "--quiet", unit, must=False)
        systemctl("stop", unit, must=False)
        systemctl("reset-failed", unit, must=False)
    for unit in _FIREWALL:
        systemctl("disable", "--quiet", unit, must=False)
        systemctl("stop", unit, must=False)
    # Not there is fine, too: `table` makes it, so that `delete` finds it.
    with suppress(UnavailableError):
        nft(["-f", "-"], f"table {TABLE}\ndelete table {TABLE}\n")


def _edges() -> list[str]:
    """The proxies that are ours; the unit file says so."""
    return [unit for unit in (layout.CADDY_UNIT, layout.NGINX_UNIT) if _is_ours(unit)]


def _others() -> list[str]:
    edges = {layout.CADDY_UNIT, layout.NGINX_UNIT}
    return [unit for unit in OUR_UNITS if unit not in edges and _is_ours(unit)]


def _is_ours(unit: str) -> bool:
    try:
        return "Managed by tinykit-ops" in (UNITS / unit).read_text()[:500]
    except OSError:
        return False
