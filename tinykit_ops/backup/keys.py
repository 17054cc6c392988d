"""Public and private age keys, read from settings and files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyrage

from tinykit_ops.backup.errors import BackupSettingsError

Identity = Any  #: a private key of pyrage, which has no types


def parse_recipients(texts: Sequence[str]) -> list[Any]:
    """Public keys (age1…) of the settings. Raises BackupSettingsError for a wrong one."""
    try:
        return [pyrage.x25519.Recipient.from_str(text) for text in texts]
    except pyrage.RecipientError as error:
        raise BackupSettingsError(
            f"A public key for encryption is wrong ({error})",
            where="backup.targets",
            hint="a key begins with age1; `age-keygen` prints one",
        ) from None


def read_identities(path: Path) -> list[Identity]:
    """Private keys of a file as age-keygen writes it.

    Raises:
        BackupSettingsError: it cannot be read, or holds no key.
    """
    try:
        lines = [line.strip() for line in path.read_text().splitlines()]
        keys = [key for line in lines if not line.startswith("#") for key in line.split()]
        identities = [pyrage.x25519.Identity.from_str(key) for key in keys]
    except (OSError, ValueError, pyrage.IdentityError) as error:
        # Never the error's text: it may quote the key.
        raise BackupSettingsError(
            f"The private key cannot be read ({type(error).__name__})",
            where=str(path),
            hint="give the file that `age-keygen -o` wrote",
        ) from None
    if not identities:
        raise BackupSettingsError(
            "The file holds no private key", where=str(path), hint="`age-keygen -o` writes one"
        )
    return identities
