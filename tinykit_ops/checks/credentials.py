"""Who the checks log in as: read from a file, from the environment, or asked for; never from an
argument."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from getpass import getpass
from pathlib import Path

from tinykit_ops.errors import UsageError

#: Variables are PREFIX_EMAIL and PREFIX_PASSWORD, or PREFIX_FILE with the path of a file.
ACCOUNT = "TINYKIT_OPS_CHECK_ACCOUNT"
SUPERUSER = "TINYKIT_OPS_CHECK_SUPERUSER"


@dataclass(frozen=True)
class Credentials:
    """An e-mail address and its password, which is never shown."""

    email: str
    password: str = field(repr=False)


def credentials(
    prefix: str,
    file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    *,
    email: str = "",
) -> Credentials | None:
    """What a person gave, or None.

    Args:
        prefix: of the variables, such as `ACCOUNT`.
        file: two lines, the e-mail address and the password; counts more than the variables.
        email: whose password is asked for at the terminal; counts more than all of it.

    Raises:
        UsageError: only a half of it is there, others may read the file, or nobody can be asked.
    """
    if email:
        return _asked(email)
    named = file or (Path(path) if (path := environment.get(f"{prefix}_FILE")) else None)
    if named:
        return _from_file(named)
    email, password = (environment.get(f"{prefix}_{name}", "") for name in ("EMAIL", "PASSWORD"))
    if bool(email) != bool(password):
        lacking = "PASSWORD" if email else "EMAIL"
        raise UsageError(f"{prefix}_{lacking} is missing", hint="set both, or neither")
    return Credentials(email, password) if email else None


def _asked(email: str) -> Credentials:
    hint = "without a terminal, give a file or the variables (--help names them)"
    if not sys.stdin.isatty():
        raise UsageError("Nobody can be asked for a password here", where=email, hint=hint)
    try:
        password = getpass(f"Password of {email} (not shown): ")
    except EOFError:
        password = ""
    if not password:
        raise UsageError("No password was given", where=email, hint=hint)
    return Credentials(email, password)


def _from_file(path: Path) -> Credentials:
    hint = "it wants two lines, the e-mail address and the password, and mode 0600"
    try:
        mode, lines = path.stat().st_mode, path.read_text().splitlines()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"The credentials cannot be read: {reason}", where=str(path)) from None
    if mode & 0o077:
        raise UsageError("Others may read the credentials", where=str(path), hint=hint)
    if len(lines) < 2 or not lines[0].strip() or not lines[1]:
        raise UsageError("The file holds no credentials", where=str(path), hint=hint)
    return Credentials(lines[0].strip(), lines[1])
