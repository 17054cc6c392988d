"""A host as a person names it: `[USER@]HOST[:PORT]` and pyinfra's data for it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tinykit_ops.errors import UsageError

_NAMED = re.compile(
    r"(?:(?P<user>[^@\s]+)@)?(?P<host>\[[0-9a-fA-F:.]+\]|[^@:\s]+|@local)(?::(?P<port>\d+))?"
)
_WORDS: dict[str, Any] = {"true": True, "false": False}


def read_host(named: str, data: Iterable[str]) -> tuple[str, dict[str, Any]]:
    """The host's name, and pyinfra's data of it.

    Args:
        named: what stands on the command line.
        data: `KEY=VALUE`, as pyinfra's own `--data`.

    Raises:
        UsageError: one of them cannot be read.
    """
    found = _NAMED.fullmatch(named)
    if not found:
        raise UsageError(
            "This is no host", where=named[:200], hint="write root@apps.example.com, or an address"
        )
    values: dict[str, Any] = {}
    if found["user"]:
        values["ssh_user"] = found["user"]
    if found["port"]:
        values["ssh_port"] = int(found["port"])
    for one in data:
        key, sign, value = one.partition("=")
        if not sign or not key.isidentifier():
            raise UsageError(
                "This is no value for the connection", where=one[:200], hint="--data ssh_key=FILE"
            )
        values[key] = _WORDS.get(value.lower(), value)
    return found["host"].strip("[]"), values
