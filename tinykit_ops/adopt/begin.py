"""The beginning of a conversion: the inventory, the host as it is, and how far another run came."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass
from pathlib import Path

from tinykit_ops.adopt.judge import judge
from tinykit_ops.adopt.look import look_from_afar
from tinykit_ops.adopt.model import Answers, Install
from tinykit_ops.errors import AccessError, UsageError
from tinykit_ops.settings import validate_inventory
from tinykit_ops.settings.inventory import connections


@dataclass(frozen=True)
class Begun:
    """What is to be converted.

    Attributes:
        host: its name in the inventory.
        interrupted: an earlier conversion was begun and not ended.
    """

    host: str
    install: Install
    interrupted: bool


def begin(inventory: Path, host: str, answers: Answers) -> Begun:
    """Read the inventory, and look at the host.

    Args:
        host: its name in the inventory.
        answers: only those that the inventory does not give.

    Raises:
        UsageError, SettingsError: the inventory is wrong, is about another host, or wants another
            PocketBase at the same time.
        UnavailableError: the host cannot be looked at.
    """
    settings = {one.host: one.settings for one in validate_inventory(inventory, secrets=True)}
    if host not in settings:
        raise UsageError(
            f"The inventory has no host {host}",
            where=str(inventory),
            hint=f"it has {', '.join(sorted(settings))}",
        )
    wanted = settings[host]
    given = answers.model_copy(
        update={
            "domains": tuple(wanted.domains),
            "email": wanted.admin_email,
            "release": "the inventory's",
        }
    )
    facts = look_from_afar(host, connections(inventory)[host])
    state = _state(facts.text("system", "journal"))
    install = judge(facts, given)
    if state != "converting" and install.pocketbase not in ("", wanted.pocketbase.version):
        raise UsageError(
            f"PocketBase {install.pocketbase} runs there, and the inventory wants "
            f"{wanted.pocketbase.version}",
            where="pocketbase.version",
            hint="adopt with the same version; another one comes with a later deploy, which tries "
            "it first",
        )
    return Begun(host, install, state == "converting")


def read_login(file: Path | None) -> str:
    """Two lines, e-mail address and password, or nothing.

    Raises:
        UsageError, AccessError: it is no such file, or others may read it.
    """
    if file is None:
        return ""
    try:
        mode, text = file.stat().st_mode, file.read_text()
    except OSError as error:
        raise UsageError(
            f"The superuser's login cannot be read: {error.strerror}", where=str(file)
        ) from None
    if stat.S_IMODE(mode) & 0o077:
        raise AccessError(
            "Others than you may read the superuser's login",
            where=str(file),
            hint=f"chmod 600 {file}",
        )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) != 2:
        raise UsageError(
            "This is no login of a superuser",
            where=str(file),
            hint="write two lines: e-mail address, password",
        )
    return "\n".join(lines) + "\n"


def _state(journal: str) -> str:
    try:
        return str(json.loads(journal)["state"])
    except (ValueError, KeyError, TypeError):
        return ""
