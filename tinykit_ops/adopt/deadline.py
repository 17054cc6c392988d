"""The host goes back by itself when nobody finishes a conversion: in time, or as it boots."""

from __future__ import annotations

import subprocess

from tinykit_ops import layout
from tinykit_ops.adopt.aside import UNITS
from tinykit_ops.host import files
from tinykit_ops.host.units import systemctl

#: How long a conversion may take until the host goes back by itself.
LONGEST_SECONDS = 900
SERVICE = f"{layout.ADOPT_BACK_UNIT}.service"
TIMER = f"{layout.ADOPT_BACK_UNIT}.timer"
UNIT_FILE = UNITS / SERVICE
#: Enabled, because neither a timer nor a controller's connection outlives a reboot.
_SERVICE_TEXT = f"""\
# Managed by tinykit-ops: there while an install is converted, and not after.
[Unit]
Description=Back to the install of before, unless its conversion was finished
Wants=network-online.target
After=network-online.target docker.service
StartLimitIntervalSec=3600
StartLimitBurst=40

[Service]
ExecStart={layout.AGENT_COMMAND} host adopt-back --unfinished
Restart=on-failure
RestartSec=15

[Install]
WantedBy=multi-user.target
"""


def arm() -> None:
    """From now on the host goes back by itself, unless somebody finishes in time."""
    disarm()
    files.write(UNIT_FILE, _SERVICE_TEXT)
    systemctl("daemon-reload")
    systemctl("enable", "--quiet", SERVICE)
    subprocess.run(
        [
            *("systemd-run", "--quiet", f"--unit={SERVICE}"),
            *("--timer-property=AccuracySec=1s", f"--on-active={LONGEST_SECONDS}"),
        ],
        check=False,
        capture_output=True,
    )


def disarm() -> None:
    """It stays as it is. The service itself may be who calls, and is not stopped."""
    systemctl("stop", TIMER, must=False)
    systemctl("disable", "--quiet", SERVICE, must=False)
    systemctl("reset-failed", SERVICE, must=False)
    UNIT_FILE.unlink(missing_ok=True)
    systemctl("daemon-reload", must=False)
