"""Stopping and starting an instance's programs around a restore in place."""

from __future__ import annotations

from collections.abc import Callable

from tinykit_ops import layout
from tinykit_ops.backup.verify import compare_rows
from tinykit_ops.errors import StorageError
from tinykit_ops.host.units import systemctl
from tinykit_ops.pocketbase.client import PocketBase

HEALTHY_SECONDS = 120.0  #: migrations of a newer PocketBase run before it answers


class SystemdServices:
    """PocketBase and tinykit as systemd's units.

    Args:
        superuser, password: to count rows with; the unit gives the superuser this password.
        claim: closes what a claimed instance has closed, before tinykit starts again.
    """

    def __init__(
        self,
        superuser: str,
        password: str,
        claim: Callable[[], None],
        url: str = layout.POCKETBASE_URL,
    ) -> None:
        self._superuser = superuser
        self._password = password
        self._claim = claim
        self._url = url

    def stop(self) -> None:
        """Stop tinykit, then PocketBase, and wait until both are.

        Where they run in containers, their network too, which holds PocketBase's port; PocketBase's
        unit brings it back.
        """
        systemctl("stop", layout.TINYKIT_UNIT, layout.POCKETBASE_UNIT)
        systemctl("stop", layout.NET_UNIT, must=False)

    def start(self, rows: dict[str, int]) -> None:
        """Start PocketBase, see that it is well, then start tinykit.

        Args:
            rows: how many each collection must have; empty when nobody knows.

        Raises:
            UnavailableError: it does not come up.
            StorageError: it holds other rows.
        """
        systemctl("reset-failed", layout.TINYKIT_UNIT, layout.POCKETBASE_UNIT, must=False)
        systemctl("start", layout.POCKETBASE_UNIT)
        with PocketBase(self._url) as server:
            server.wait_until_healthy(HEALTHY_SECONDS)
            server.login_superuser(self._superuser, self._password)
            # Logging in and starting write to PocketBase's own collections.
            wanted = {name: count for name, count in rows.items() if not name.startswith("_")}
            wanted |= {name: rows[name] for name in rows if name.startswith("_tk_")}
            found = {name: server.count(name) for name in wanted}
        faults = compare_rows(wanted, found)
        if faults:
            raise StorageError(
                f"The restored data is not what was backed up: {faults[0]}",
                where=self._url,
                hint="verify the snapshot, or use another one",
            )
        self._claim()
        systemctl("start", layout.TINYKIT_UNIT)
