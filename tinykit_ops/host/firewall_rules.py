"""New firewall rules: on trial until a new login confirms them, else the old ones come back.

A trial is a file on the disk, a timer of systemd, and a shell script: none of them needs the
controller, the network, or this program. What is loaded at boot are confirmed rules only.
"""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.backup.files import sync_folder
from tinykit_ops.errors import TinykitOpsError, UnavailableError, UsageError
from tinykit_ops.host import files
from tinykit_ops.host import firewall_logins as logins
from tinykit_ops.host.booted import boot_id
from tinykit_ops.host.firewall_places import TABLE, Places, is_loaded, nft
from tinykit_ops.host.units import systemctl

_NO_TABLE = f"table {TABLE}\ndelete table {TABLE}\n"
_DEMAND = "The firewall was confirmed here: tinykit's server starts only while it is loaded.\n"


@dataclass(frozen=True)
class Trial:
    """Rules that wait for a confirmation.

    Attributes:
        token: names the run that applied them.
        boot: the boot that they were applied in; a trial of another boot is over.
        peers: who was connected when they were applied; none of these proves anything.
    """

    token: str
    boot: str
    peers: list[str]


class NotConfirmedError(TinykitOpsError):
    """A confirmation that proves nothing, or that confirms nothing."""


def pending(places: Places | None = None) -> list[str]:
    """What is left to do: rules that differ from the confirmed ones, or that wait."""
    places = places or Places()
    left = []
    if files.read(places.candidate) != files.read(places.rules):
        left.append("new rules are to be applied and confirmed")
    if current(places):
        left.append("rules that were applied wait for a confirmation")
    if not left and not places.demanded.exists():
        left.append("tinykit's server does not demand the firewall yet")
    return left


def current(places: Places) -> Trial | None:
    """The trial that is on, or None."""
    text = files.read(places.pending)
    if not text:
        return None
    trial = Trial(**json.loads(text))
    return trial if trial.boot == boot_id() else None


def apply(token: str, ssh_port: int, places: Places | None = None) -> bool:
    """Put the candidate on trial. Returns False when it is confirmed already.

    Raises:
        TinykitOpsError: nft does not take the rules, or SSH listens elsewhere; the old rules are
            in force.
    """
    places = places or Places()
    with places.locked():
        _end_trial(places)
        text = files.read(places.candidate)
        if text is None:
            raise UnavailableError(
                "there are no rules to apply", where=str(places.candidate), hint="deploy them first"
            )
        if text == files.read(places.rules) and is_loaded():
            files.write(places.demanded, _DEMAND)
            return False
        see_that_ssh_stays(ssh_port, logins.ssh_ports())
        nft(["--check", "--file", "-"], text)
        files.write(places.previous, _previous(places), mode=0o600)
        nft(["--check", "--file", str(places.previous)])
        files.write(places.applied, text, mode=0o600)
        trial = Trial(token, boot_id(), sorted(logins.established()))
        files.write(places.pending, json.dumps(asdict(trial)) + "\n", mode=0o600)
        sync_folder(places.state)
        try:
            systemctl("daemon-reload")
            systemctl("restart", layout.FIREWALL_ROLLBACK_TIMER)
            nft(["--file", str(places.applied)])
        except BaseException:
            # Whatever of it is loaded: nft loads all or nothing, so the old rules are.
            places.pending.unlink(missing_ok=True)
            raise
        return True


def see_that_ssh_stays(ssh_port: int, listening: set[int]) -> None:
    """Raises: UsageError when SSH listens on other ports than the one that stays open."""
    if listening and ssh_port not in listening:
        ports = ", ".join(str(port) for port in sorted(listening))
        raise UsageError(
            f"firewall.ssh_port is {ssh_port}, but sshd listens on {ports} here",
            hint="correct it; the firewall was not changed",
        )


def confirm(token: str = "", places: Places | None = None) -> None:
    """Keep the rules that are on trial: they become the ones that are loaded at boot.

    Args:
        token: of the run that applied them; empty for a person, who means whatever is on trial.

    Raises:
        NotConfirmedError: nothing is on trial, or this is no new SSH login.
    """
    places = places or Places()
    with places.locked():
        trial = current(places)
        if trial is None or token not in ("", trial.token):
            raise NotConfirmedError(
                "no such rules wait for a confirmation",
                hint="too late, or the host was restarted: the rules before are back; deploy again",
            )
        _see_that_it_is_new(trial)
        _keep(places)


def keep_unreachable(token: str, places: Places | None = None) -> bool:
    """Keep the rules where no SSH server runs, so that nobody can be shut out. True when kept."""
    places = places or Places()
    with places.locked():
        trial = current(places)
        if trial is None or trial.token != token or logins.ssh_ports():
            return False
        _keep(places)
        return True


def outcome(token: str, places: Places | None = None) -> str:
    """`waiting`, `confirmed` or `gone`: what became of the rules that a run applied."""
    places = places or Places()
    trial = current(places)
    if trial is not None:
        return "waiting" if trial.token == token else "gone"
    kept = files.read(places.applied) == files.read(places.rules)
    return "confirmed" if kept else "gone"


def wait(token: str, seconds: float) -> bool:
    """Wait until the rules of a run are confirmed (True) or gone (False)."""
    if keep_unreachable(token):
        return True
    deadline = time.monotonic() + seconds + 30
    while outcome(token) == "waiting" and time.monotonic() < deadline:
        time.sleep(0.3)
    return outcome(token) == "confirmed"


def roll_back(places: Places | None = None) -> str:
    """End a trial now, as the timer would. Returns what the script says."""
    done = subprocess.run(
        ["/bin/sh", layout.FIREWALL_ROLLBACK], capture_output=True, text=True, check=False
    )
    systemctl("stop", layout.FIREWALL_ROLLBACK_TIMER)
    return done.stdout.strip() or done.stderr.strip()


def _previous(places: Places) -> str:
    """The nft script that brings back what is in force now."""
    if not is_loaded():
        return _NO_TABLE
    confirmed = files.read(places.rules)
    # Somebody's own table of our name, from a version that kept no file.
    return confirmed or _NO_TABLE + nft(["--stateless", "list", "table", *TABLE.split()])


def _end_trial(places: Places) -> None:
    """Another run's trial, whose controller is gone: what is in force then was never confirmed."""
    if current(places):
        nft(["--file", str(places.previous)])
    places.pending.unlink(missing_ok=True)


def _see_that_it_is_new(trial: Trial) -> None:
    peer = logins.peer_of(logins.own_connection())
    hint = "log in to this host anew, by SSH, and run it there"
    if peer is None:
        raise NotConfirmedError("this is no SSH login, so it proves nothing", hint=hint)
    if peer in trial.peers:
        raise NotConfirmedError(
            f"this connection ({peer}) is older than the rules, so it proves nothing", hint=hint
        )
    if peer not in logins.established():
        raise NotConfirmedError(f"the connection of this login ({peer}) is no more", hint=hint)


def _keep(places: Places) -> None:
    """The rules on trial become the confirmed ones; from here on a power cut brings them back."""
    text = places.applied.read_text(encoding="utf-8")
    # First, so that the host cannot lose its power between rules and demand.
    files.write(places.demanded, _DEMAND)
    files.write(places.rules, text, mode=0o600)
    sync_folder(places.rules.parent)
    places.pending.unlink()
    sync_folder(places.state)
    # The unit has nothing to load: these rules are in force.
    stamp = Path(layout.STARTED_DIR) / layout.FIREWALL_UNIT
    if stamp.exists():
        stamp.touch()
    systemctl("stop", layout.FIREWALL_ROLLBACK_TIMER)
