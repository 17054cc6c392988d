"""One host of a lab, as tests and commands use it."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinykit_ops.errors import UnavailableError
from tinykit_ops.lab import cgroups
from tinykit_ops.lab import machine as machines
from tinykit_ops.lab.commands import run
from tinykit_ops.lab.errors import CommandError, HostNotReadyError
from tinykit_ops.lab.machine import Machine
from tinykit_ops.lab.names import DOMAIN

READY_SECONDS = 180.0  #: a boot takes 8 s; many on a busy machine take their time
#: systemd gives each service 90 s to end, and some wait for others.
POWER_OFF_SECONDS = 300.0
STARTED_SECONDS = 60.0  #: from the first login on, at least, until all has been started
RUN_SECONDS = 600.0
#: Until a host that is up lets somebody in, on a machine that stands still for a while.
CONNECT_SECONDS = 60
#: The same of one that may be off: it is asked again.
KNOCK_SECONDS = 5


@dataclass(frozen=True)
class LabHost:
    """A disposable Debian."""

    machine: Machine
    key: Path  #: the lab's private SSH key
    known_hosts: Path  #: pins this host's key

    @property
    def name(self) -> str:
        """ "tk-1" """
        return self.machine.state.name

    @property
    def domain(self) -> str:
        """ "tk-1.lab.test": known to the lab's hosts and to its outside client."""
        return f"{self.name}.{DOMAIN}"

    @property
    def release(self) -> str:
        """Debian's code name: "trixie" or "bookworm"."""
        return self.machine.state.release

    @property
    def address4(self) -> str:
        """Its IPv4 address on the bridge."""
        return self.machine.state.address4

    @property
    def address6(self) -> str:
        """Its IPv6 address on the bridge."""
        return self.machine.state.address6

    @property
    def is_running(self) -> bool:
        """Whether it is on; a host that boots is on, too."""
        return self.machine.is_running

    def ssh_command(
        self,
        words: Sequence[str] = (),
        *,
        user: str = "root",
        options: Sequence[str] = (),
        patience: int = CONNECT_SECONDS,
    ) -> list[str]:
        """The `ssh` command that runs `words` there, or opens a shell; trusts pinned keys only.

        A single word is a line of shell, as with `ssh`; several are passed as they are. `patience`
        is how many seconds the connection may take.
        """
        settings = {
            "UserKnownHostsFile": str(self.known_hosts),
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": str(patience),
            "ServerAliveInterval": "5",  # a host whose power was cut says no goodbye
            "LogLevel": "ERROR",
        }
        flags = [flag for key, value in settings.items() for flag in ("-o", f"{key}={value}")]
        remote = [shlex.join(words)] if len(words) > 1 else list(words)
        base = ["ssh", "-F", "/dev/null", "-i", str(self.key), *flags, *options]
        return [*base, f"{user}@{self.address4}", *remote]

    def ssh(
        self,
        words: Sequence[str],
        *,
        user: str = "root",
        input_text: str | None = None,
        check: bool = True,
        timeout: float = RUN_SECONDS,
        patience: int = CONNECT_SECONDS,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command over SSH. Raises: CommandError when it fails, with `check`.

        The SSH client belongs to the lab: `lab down` ends it.
        """
        command = cgroups.inside(
            self.machine.names.clients_cgroup,
            self.ssh_command(words, user=user, patience=patience),
        )
        return run(command, input_text=input_text, check=check, timeout=timeout)

    def run(
        self, words: Sequence[str], *, check: bool = True, timeout: float = RUN_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root from the host's console: works with its network closed."""
        return run(self.enter_command(words), check=check, timeout=timeout)

    def enter_command(self, words: Sequence[str]) -> list[str]:
        """The command for `run`. Raises: UnavailableError when the host is off."""
        command = self.machine.enter_command(list(words))
        if command is None:
            raise UnavailableError(
                f"Lab host {self.name} is off.",
                where=str(self.machine.folder / machines.CONSOLE),
                hint="tinykit-ops lab up boots it again. It said last:\n"
                + self.machine.console_tail(),
            )
        return command

    def boot(self) -> None:
        """Switch it on unless it is on; see `wait_until_ready`."""
        if not self.is_running:
            self.machine.boot()

    def kill(self) -> None:
        """Cut its power. Its files stay as they are."""
        self.machine.kill()

    def power_off(self) -> None:
        """Shut it down in good order; cut its power when that takes too long."""
        if self.is_running:
            self.run(["systemctl", "poweroff", "--no-block"], check=False)
            machines.wait_until_off(self.machine, POWER_OFF_SECONDS)
        self.kill()

    def reboot(self, *, wait: bool = True) -> None:
        """Reboot it in good order, from inside, and wait until it is ready again."""
        before = self.machine.leader()
        # It may end before systemctl has said that all is well.
        self.run(["systemctl", "reboot", "--no-block"], check=False)
        deadline = time.monotonic() + POWER_OFF_SECONDS
        while self.machine.leader() == before:
            if time.monotonic() > deadline:
                raise self._not_ready(f"did not shut down within {POWER_OFF_SECONDS:.0f} s")
            time.sleep(0.1)
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait until an SSH login works and systemd has started everything.

        Raises: HostNotReadyError, with what the host said last, or with its failed units.
        """
        deadline = time.monotonic() + seconds
        while not self.lets_in():
            if not self.is_running:
                raise self._not_ready("stopped while it booted")
            if time.monotonic() > deadline:
                raise self._not_ready(f"let nobody log in within {seconds:.0f} s")
            time.sleep(0.25)
        # Logins come late on a busy machine; what is left to start gets its time all the same.
        deadline = max(deadline, time.monotonic() + STARTED_SECONDS)
        while (said := self._state(deadline - time.monotonic())) not in ("running", "degraded"):
            if time.monotonic() > deadline:
                raise self._not_ready(f"is still {said or 'silent'} after {seconds:.0f} s")
            time.sleep(0.25)

    def failed_units(self) -> list[str]:
        """Units that failed on the running host."""
        words = ["systemctl", "--failed", "--plain", "--no-legend"]
        lines = self.ssh(words, check=False).stdout.splitlines()
        return [line.split()[0] for line in lines if line.strip()]

    def lets_in(self) -> bool:
        """Whether an SSH login works now."""
        try:
            return (
                self.ssh(["true"], check=False, timeout=30, patience=KNOCK_SECONDS).returncode == 0
            )
        except CommandError:  # connected, and then nothing more was heard
            return False

    def _state(self, seconds: float) -> str:
        """systemd's word for how far the host is, once it has come to an end with starting."""
        wait = ["timeout", f"{max(seconds, 1):.0f}", "systemctl", "is-system-running", "--wait"]
        return self.ssh(wait, check=False, timeout=max(seconds, 1) + 60).stdout.strip()

    def _not_ready(self, what: str) -> HostNotReadyError:
        tail = self.machine.console_tail()
        return HostNotReadyError(
            f"Lab host {self.name} ({self.release}) {what}.",
            where=str(self.machine.folder / machines.CONSOLE),
            hint=f"Its last words:\n{tail}" if tail else "It said nothing at all.",
        )
