"""All logins of an instance's accounts end at once: the secrets that sign them are new."""

from __future__ import annotations

import secrets

from tinykit_ops.host.accounts import USERS
from tinykit_ops.pocketbase.client import PocketBase

#: What PocketBase signs for an account, each with a secret of its own.
TOKENS = ("authToken", "passwordResetToken", "emailChangeToken", "verificationToken", "fileToken")


def end_all_logins(pocketbase: PocketBase) -> None:
    """Give the accounts' collection new signing secrets; everybody has to log in again."""
    changes = {name: {"secret": secrets.token_urlsafe(40)} for name in TOKENS}
    pocketbase.update_collection(USERS, changes)
