"""Lift bans that must not be: of addresses that became trusted after they were shut out."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from ipaddress import ip_network

from tinykit_ops import layout
from tinykit_ops.errors import UnavailableError
from tinykit_ops.settings import Settings
from tinykit_ops.settings.bans import never_banned

JAILS = ("sshd", layout.LOGINS_JAIL)
CLIENT_SECONDS = 20.0

Client = Callable[[Sequence[str]], str | None]


def fail2ban_client(words: Sequence[str]) -> str | None:
    """What `fail2ban-client` prints; None when it refuses, as for a jail that is not there.

    Raises: UnavailableError when fail2ban is not installed or does not answer.
    """
    try:
        done = subprocess.run(
            ["fail2ban-client", *words],
            capture_output=True,
            text=True,
            timeout=CLIENT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(
            f"fail2ban-client does not answer: {error}", hint=f"systemctl status {layout.BANS_UNIT}"
        ) from error
    return done.stdout if done.returncode == 0 else None


class BansStep:
    """See `tinykit_ops.host.Step`."""

    def __init__(self, settings: Settings, client: Client = fail2ban_client) -> None:
        self._trusted = never_banned(settings.access.allowlist, settings.firewall.ssh_from)
        self._client = client

    def pending(self) -> list[str]:
        """Bans to lift, in words."""
        return [f"unban {address} ({jail})" for jail, address in self._wrong()]

    def apply(self) -> None:
        """Lift them; fail2ban forgets them too. Raises: UnavailableError."""
        for jail, address in self._wrong():
            if self._client(["set", jail, "unbanip", address]) is None:
                raise UnavailableError(
                    f"fail2ban did not lift the ban of {address}",
                    where=f"jail {jail}",
                    hint=f"fail2ban-client set {jail} unbanip {address}",
                )

    def _wrong(self) -> list[tuple[str, str]]:
        banned = [
            (jail, address)
            for jail in JAILS
            for address in (self._client(["get", jail, "banip"]) or "").split()
        ]
        return [(jail, address) for jail, address in banned if self._is_trusted(address)]

    def _is_trusted(self, banned: str) -> bool:
        """Of an address, or of a network that a person shut out, whether it holds a trusted one."""
        try:
            shut_out = ip_network(banned, strict=False)
        except ValueError:  # fail2ban bans names, too
            return False
        return any(
            network.version == shut_out.version and network.overlaps(shut_out)
            for network in self._trusted
        )
