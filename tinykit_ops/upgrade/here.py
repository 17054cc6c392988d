"""The upgrade of this very host's PocketBase: its units, its secrets, its folders."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.services import SystemdServices
from tinykit_ops.errors import BusyError, UnavailableError
from tinykit_ops.host.claim_step import ClaimStep
from tinykit_ops.host.pocketbase_server import PocketBaseServer
from tinykit_ops.host.superuser import as_superuser
from tinykit_ops.host.units import systemctl
from tinykit_ops.host.versions import Versions
from tinykit_ops.upgrade.back import GoingBack
from tinykit_ops.upgrade.data import KeptData
from tinykit_ops.upgrade.journal import Journal, Upgrade
from tinykit_ops.upgrade.snapshots import Snapshots
from tinykit_ops.upgrade.step import PocketBaseStep
from tinykit_ops.upgrade.switch import Switch

HEALTHY_SECONDS = 120.0  #: migrations of a newer PocketBase run before it answers
SWITCH_SECONDS = 900.0  #: how long another run's switch is waited for
JOURNAL = Path(layout.POCKETBASE_UPGRADES)


def versions() -> Versions:
    """PocketBase's on this host."""
    return Versions(Path(layout.POCKETBASE_HOME), "pocketbase")


def switch(config: AgentConfig) -> Switch:
    """The replacement of this host's server; without a guard against another one at work."""

    def judge() -> None:
        with as_superuser(config.settings, config.secret, wait=HEALTHY_SECONDS) as pocketbase:
            pocketbase.collections()

    return Switch(
        versions(),
        PocketBaseServer(),
        KeptData(Path(layout.POCKETBASE_DATA), layout.POCKETBASE_USER),
        Journal(JOURNAL),
        judge,
        say=_say,
    )


def step(config: AgentConfig) -> PocketBaseStep:
    """The deploy's step for this host."""
    places = Places()
    return PocketBaseStep(
        config.settings.pocketbase.version,
        versions(),
        places.database,
        Snapshots(config, places),
        switch(config),
        going_back(config),
        run_apart,
        _say,
    )


def going_back(config: AgentConfig) -> GoingBack:
    """Taking the last upgrade of this host back."""
    services = SystemdServices(
        config.settings.superuser,
        config.secret(layout.SUPERUSER_PASSWORD),
        # A snapshot from before a setting was closed must not open it again.
        claim=ClaimStep(config.settings, config.secret).apply,
    )
    return GoingBack(versions(), Snapshots(config, Places()), Journal(JOURNAL), services)


def wait_for_switch() -> None:
    """Wait until the switch of a run that went away has ended.

    Raises:
        BusyError: it has not.
    """
    until = time.monotonic() + SWITCH_SECONDS
    while systemctl("is-active", layout.POCKETBASE_SWITCH_UNIT, must=False) in _AT_WORK:
        if time.monotonic() > until:
            raise BusyError(
                "PocketBase is being replaced by another run",
                where=layout.POCKETBASE_SWITCH_UNIT,
                hint=f"`journalctl -u {layout.POCKETBASE_SWITCH_UNIT}` tells how far it is",
            )
        time.sleep(0.5)


_AT_WORK = {"active", "activating", "deactivating"}


def run_apart(upgrade: Upgrade) -> None:
    """Do the switch in a unit of its own: it ends well when we, or the connection, are killed.

    What ends the unit itself half-way makes systemd run `pocketbase-settle`.

    Raises:
        UnavailableError: the old one serves again, and why.
    """
    systemctl("daemon-reload")
    agent = layout.AGENT_COMMAND
    done = subprocess.run(
        [
            *("systemd-run", "--quiet", "--wait", "--pipe", "--collect"),
            f"--unit={layout.POCKETBASE_SWITCH_UNIT}",
            f"--property=ExecStopPost={agent} host pocketbase-settle",
            *(agent, "host", "pocketbase-switch"),
            upgrade.model_dump_json(),
        ],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise UnavailableError(
            done.stderr.strip().removeprefix("error: ") or "The switch was ended by somebody",
            hint=f"`journalctl -u {layout.POCKETBASE_UNIT} -n 50` says more",
        )
    sys.stderr.write(done.stderr)


def _say(line: str) -> None:
    """At once, also into a pipe."""
    print(line, flush=True)
