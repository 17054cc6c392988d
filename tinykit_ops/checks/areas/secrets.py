"""Secrets: in files that only their owner reads, and nowhere else."""

from __future__ import annotations

import json

from tinykit_ops import layout
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import (
    Area,
    CannotLook,
    Remedy,
    Severity,
    Tally,
    Vantage,
    Verdict,
    failed,
)
from tinykit_ops.checks.registry import check

_LINE = "Use environment variables for secrets"
_MARKER = f"{layout.TINYKIT_CURRENT}/{layout.TINYKIT_MARKER}"


@check(
    id="secrets.environment-file",
    title="The environment file with the secrets is root's alone",
    area=Area.SECRETS,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(
        by_hand=f"chown root:root {layout.TINYKIT_ENVIRONMENT} && "
        f"chmod 600 {layout.TINYKIT_ENVIRONMENT}\n(systemd reads EnvironmentFile= as root.) "
        "If others could read it, change the secrets in it."
    ),
)
def environment_file_is_roots(look: Context) -> Verdict:
    """Looks at the owner and the mode of the file and of its folder."""
    facts = look.machine.stat(layout.TINYKIT_ENVIRONMENT)
    folder = look.machine.stat(layout.TINYKIT_CONFIG_DIR)
    if facts is None or folder is None:
        raise CannotLook(f"there is no {layout.TINYKIT_ENVIRONMENT}")
    tally = Tally()
    if facts.owner != "root" or facts.mode & 0o077:
        tally.bad.append(f"{facts}; want root and 0600")
    if folder.owner != "root" or folder.mode & 0o022:
        tally.bad.append(f"{folder}: others may replace what is in it")
    tally.good.append(str(facts))
    return tally.verdict()


@check(
    id="secrets.setup-marker",
    title="tinykit's setup marker holds no password and no token",
    area=Area.SECRETS,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="Put the superuser's e-mail and password in POCKETBASE_ADMIN_EMAIL and "
        "POCKETBASE_ADMIN_PASSWORD of the service, write `{}` to the marker, make the file and "
        "its folder root's and read-only for tinykit, then change the superuser's password."
    ),
)
def setup_marker_holds_no_secret(look: Context) -> Verdict:
    """Reads the marker's keys, and whether tinykit may write secrets to it again."""
    text = look.machine.read(_MARKER)
    facts = look.machine.stat(_MARKER)
    if text is None or facts is None:
        return failed(f"there is no {_MARKER}, so tinykit takes itself for unclaimed")
    tally = Tally(bad=[f"{_MARKER} holds {name}" for name in _secret_names(text)])
    if facts.owner != "root" or facts.mode & 0o022:
        tally.bad.append(f"{facts}: tinykit can write its token into it; want root, 0444")
    tally.good.append(f"{facts} and holds no secret")
    return tally.verdict()


def _secret_names(text: str) -> list[str]:
    try:
        content = json.loads(text or "{}")
    except ValueError:
        return ["something that is no JSON"]
    if not isinstance(content, dict):
        return ["something that is no JSON object"]
    return [name for name in ("admin_password", "auth_token") if content.get(name)]


@check(
    id="secrets.database-private",
    title="tinykit's process cannot read PocketBase's data",
    area=Area.SECRETS,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist="File operations scoped to the workspace",
    remedy=Remedy(
        by_hand=f"Run tinykit and PocketBase as two users, and "
        f"`chown -R {layout.POCKETBASE_USER}: {layout.POCKETBASE_DATA} && "
        f"chmod 700 {layout.POCKETBASE_DATA}`."
    ),
)
def database_is_private(look: Context) -> Verdict:
    """Tries to read it as tinykit's user, so that the kernel judges every folder on the way."""
    database = f"{layout.POCKETBASE_DATA}/data.db"
    if look.machine.stat(database) is None:
        raise CannotLook(f"there is no {database}")
    tally = Tally()
    for path in (layout.POCKETBASE_DATA, database):
        test = look.machine.run("runuser", "-u", layout.TINYKIT_USER, "--", "test", "-r", path)
        if test.status == 0:
            tally.bad.append(f"user {layout.TINYKIT_USER} can read {path}")
        elif test.status != 1 or test.err.strip():
            raise CannotLook(f"cannot act as {layout.TINYKIT_USER}: {test.complaint}")
    tally.good.append(f"user {layout.TINYKIT_USER} cannot read {database}")
    return tally.verdict()
