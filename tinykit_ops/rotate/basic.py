"""A new password and cookie for the proof `basic`: who came in with the old ones is asked anew."""

from __future__ import annotations

import secrets

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.errors import UsageError
from tinykit_ops.host import files
from tinykit_ops.rotate.credentials import mark_as_read, replace_credential


def rotate_basic(config: AgentConfig) -> list[str]:
    """Make both anew. PocketBase's hooks read them with every request, so nothing is restarted.

    Returns:
        The old values.

    Raises:
        UsageError: the inventory gives the password.
    """
    if config.settings.access.basic_password is not None:
        raise UsageError(
            "the inventory gives the password of `basic`",
            hint="change it there and deploy; this command rotates one that was made on the host",
        )
    old = []
    for name in (layout.BASIC_PASSWORD, layout.BASIC_COOKIE):
        old.append(config.secret(name))
        value = secrets.token_urlsafe(24)
        files.write(config.secret_path(name), value, mode=0o600)
        replace_credential(layout.POCKETBASE_UNIT, name, value)
    mark_as_read(layout.POCKETBASE_UNIT)
    return old
