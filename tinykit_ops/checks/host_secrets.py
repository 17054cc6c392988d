"""The secrets of a host, in memory only, to look for them where they should not be."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from tinykit_ops import layout
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import CannotLook

_SHORTEST = 10  #: characters; shorter ones would be found by chance
#: Variables of the environment file that are no secrets.
_PUBLIC = {"POCKETBASE_ADMIN_EMAIL", "LLM_PROVIDER", "LLM_MODEL", "LLM_BASE_URL"}


def secrets_of(look: Context) -> Mapping[str, str]:
    """Name → value of what tinykit-ops keeps and what tinykit is started with.

    Raises:
        CannotLook: there are none, or they cannot be read.
    """
    return look.once("host secrets", lambda: _read(look))


def names_in(text: str, secrets: Mapping[str, str]) -> list[str]:
    """Which secrets a text holds, by their names."""
    return [name for name, value in secrets.items() if value in text]


def _read(look: Context) -> dict[str, str]:
    found = {**_kept(look), **_given(look)}
    long = {name: value for name, value in found.items() if len(value) >= _SHORTEST}
    if not long:
        raise CannotLook("the host has no secrets that could be looked for")
    return long


def _kept(look: Context) -> dict[str, str]:
    listed = look.machine.run("find", layout.SECRETS_DIR, "-type", "f")
    paths = listed.out.split() if listed.status == 0 else []
    texts = {path.rsplit("/", 1)[-1]: look.machine.read(path) for path in paths}
    return {name: text.strip() for name, text in texts.items() if text}


def _given(look: Context) -> dict[str, str]:
    found = {}
    for line in (look.machine.read(layout.TINYKIT_ENVIRONMENT) or "").splitlines():
        name, equals, value = line.partition("=")
        if equals and name not in _PUBLIC:
            found[name] = _unquoted(value)
    return found


def _unquoted(value: str) -> str:
    try:
        return "".join(shlex.split(value))
    except ValueError:
        return value.strip().strip("\"'")
