"""Secrets that the inventory gives: it must give a new value first, then the old one must be gone.

They are issued elsewhere (a model provider, a storage), so nobody here can make new ones. The old
value is remembered, in root's memory file system, until a deploy has brought another one.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.deploy.host_secrets import secret_name
from tinykit_ops.errors import UsageError
from tinykit_ops.host import files
from tinykit_ops.rotate.proof import places_of
from tinykit_ops.settings.secrets import secrets_of

#: Names for people → patterns of the secrets' files.
KINDS = {
    "llm-key": ("llm-api-key",),
    "backup-credentials": ("backup-*-access-key-id", "backup-*-secret-access-key"),
}
#: What is left to do elsewhere.
ELSEWHERE = {
    "llm-key": "revoke the old key at the model's provider",
    "backup-credentials": "revoke the old credentials at the storage",
}


class State(StrEnum):
    """How far one secret is."""

    WAITING = "waiting"  #: for a deploy with a new value
    LEFT = "left"  #: the new one holds, and the old one still stands somewhere
    GONE = "gone"


@dataclass(frozen=True)
class Given:
    """One secret of the inventory.

    Attributes:
        places: where the old value still stands.
    """

    name: str
    state: State
    places: tuple[str, ...] = ()


def rotate_given(
    config: AgentConfig,
    kind: str,
    find: Callable[..., list[str]] = places_of,
    folder: Path = Path(layout.ROTATING_DIR),
) -> list[Given]:
    """Remember the old values, or look whether they are gone.

    Args:
        kind: of `KINDS`.
        find: tells where a value stands; takes `but`, the files that may hold it.

    Raises:
        UsageError: the inventory gives no such secret.
    """
    names = list(_names(config, kind))
    if not names:
        raise UsageError(
            f"the inventory gives no {kind}", hint="`tinykit-ops secrets list` shows what there is"
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [_one(config, name, find, folder) for name in names]


def _names(config: AgentConfig, kind: str) -> Iterator[str]:
    given = [secret_name(key) for key, _ in secrets_of(config.settings)]
    for name in given:
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in KINDS[kind]):
            yield name


def _one(config: AgentConfig, name: str, find: Callable[..., list[str]], folder: Path) -> Given:
    current, kept = config.secret(name), folder / name
    old = files.read(kept)
    if old is None:
        files.write(kept, current, mode=0o600)
    if old is None or old == current:
        return Given(name, State.WAITING)
    places = find(old, but=[kept])
    if places:
        return Given(name, State.LEFT, tuple(places))
    kept.unlink()
    return Given(name, State.GONE)
