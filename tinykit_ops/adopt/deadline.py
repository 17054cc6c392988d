"""The host goes back by itself when nobody finishes a conversion: a timer of systemd's."""

from __future__ import annotations

import subprocess

from tinykit_ops import layout
from tinykit_ops.host.units import systemctl

#: How long a conversion may take until the host goes back by itself.
LONGEST_SECONDS = 900


def arm() -> None:
    """From now on the host goes back by itself, unless somebody finishes in time."""
    disarm()
    restarts = ("Restart=on-failure", "RestartSec=15")
    subprocess.run(
        [
            *("systemd-run", "--quiet", f"--unit={layout.ADOPT_BACK_UNIT}"),
            *("--timer-property=AccuracySec=1s", f"--on-active={LONGEST_SECONDS}"),
            *(f"--property={one}" for one in restarts),
            *("--property=StartLimitIntervalSec=3600", "--property=StartLimitBurst=40"),
            *(layout.AGENT_COMMAND, "host", "adopt-back", "--unfinished"),
        ],
        check=False,
        capture_output=True,
    )


def disarm() -> None:
    systemctl("stop", f"{layout.ADOPT_BACK_UNIT}.timer", must=False)
    systemctl("reset-failed", f"{layout.ADOPT_BACK_UNIT}.service", must=False)
