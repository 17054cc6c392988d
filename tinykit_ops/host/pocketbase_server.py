"""PocketBase's unit, replaced with as little time as possible in which nobody answers."""

from __future__ import annotations

from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.errors import UnavailableError
from tinykit_ops.host.units import Unit, systemctl

#: What the superuser is made from when PocketBase starts.
_LOGIN = (
    f"/etc/systemd/system/{layout.POCKETBASE_UNIT}",
    f"{layout.SECRETS_DIR}/{layout.SUPERUSER_PASSWORD}",
)


class PocketBaseServer(Unit):
    """PocketBase, on a host that runs it; systemd has read its files.

    Its superuser is made by a start of its own before the server's. While the login is what it was
    at the last start, this one is left out: it takes as long again.
    """

    def __init__(self) -> None:
        super().__init__(layout.POCKETBASE_UNIT, [layout.TINYKIT_MIGRATIONS])
        self._login = Unit(layout.POCKETBASE_UNIT, _LOGIN)

    def start(self) -> None:
        """Start or restart it, and wait until it listens.

        Raises:
            UnavailableError: it did not come up, with its last log lines.
        """
        systemctl("reset-failed", self.name, must=False)
        known = Path(layout.POCKETBASE_SUPERUSER_KNOWN)
        if not self._login.is_stale():
            known.touch()
        try:
            systemctl("restart", self.name)
        except UnavailableError as error:
            raise self.did_not_start(error) from error
        finally:
            known.unlink(missing_ok=True)  # containers have no use for it
