"""What the last backups of a host came to, for its checks; imported late as in `own_config`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinykit_ops import layout
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import CannotLook

if TYPE_CHECKING:
    from tinykit_ops.backup.status import BackupStatus

NEVER = f"no backup was ever tried: there is no {layout.BACKUP_STATUS}"


def backup_status(look: Context) -> BackupStatus | None:
    """What the host's file of it says; None when there is none.

    Raises:
        CannotLook: it is not readable, or says something else.
    """
    from tinykit_ops.backup.status import BackupStatus

    text = look.machine.read(layout.BACKUP_STATUS)
    if text is None:
        return None
    try:
        return BackupStatus.model_validate_json(text)
    except ValueError:
        raise CannotLook(f"{layout.BACKUP_STATUS} cannot be understood") from None
