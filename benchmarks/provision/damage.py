"""Small damages to a provisioned host that every honest second run repairs."""

from __future__ import annotations

from dataclasses import dataclass

from tinykit_ops import layout
from tinykit_ops.lab.host import LabHost


@dataclass(frozen=True)
class Damage:
    """What is broken, the shell line that breaks it, and the one that succeeds when it is whole."""

    what: str
    do: str
    whole: str


DAMAGES = (
    Damage(
        "a changed file",
        f"echo '# changed' >>{layout.CRON_FILE}",
        f"! grep -q '# changed' {layout.CRON_FILE}",
    ),
    Damage(
        "a wrong mode",
        f"chmod 711 {layout.POCKETBASE_DATA}",
        f"test $(stat -c %a {layout.POCKETBASE_DATA}) = 700",
    ),
    Damage(
        "a missing program",
        f"rm {layout.NODE_HOME}/current",
        f"test -x {layout.NODE_BINARY}",
    ),
    Damage(
        "a stopped unit",
        f"systemctl stop {layout.TINYKIT_UNIT}",
        f"systemctl is-active --quiet {layout.TINYKIT_UNIT}",
    ),
)


def repaired(host: LabHost, damage: Damage) -> bool:
    """Whether the damage is gone."""
    return host.ssh([damage.whole], check=False).returncode == 0
