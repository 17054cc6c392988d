"""Whether a TCP port can be reached, without saying anything to what listens there."""

from __future__ import annotations

import errno
from enum import StrEnum
from ipaddress import ip_address

from tinykit_ops.checks.context import Context
from tinykit_ops.checks.dial import Dialer
from tinykit_ops.checks.model import CannotLook
from tinykit_ops.checks.target import Target


class PortState(StrEnum):
    """What a connection attempt says."""

    OPEN = "accepts connections"
    REFUSED = "refuses connections"
    SILENT = "does not answer"
    UNREACHABLE = "cannot be reached from here"


#: A firewall that rejects says so by ICMP, which arrives as one of these.
_REJECTED = {errno.ECONNREFUSED, errno.EACCES, errno.EPERM}
_NO_ROUTE = {errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EHOSTUNREACH}


def knock(dialer: Dialer, address: str, port: int, timeout: float) -> PortState:
    """Try to open a connection, and close it again.

    Args:
        address: IPv4 or IPv6.
        timeout: seconds to wait for an answer.
    """
    try:
        dialer.dial(address, port, timeout).close()
        return PortState.OPEN
    except TimeoutError:
        return PortState.SILENT
    except OSError as error:
        if error.errno in _REJECTED:
            return PortState.REFUSED
        return PortState.UNREACHABLE if error.errno in _NO_ROUTE else PortState.SILENT


def addresses_of_host(look: Context) -> tuple[str, ...]:
    """The addresses of the instance's host, to knock at as a stranger.

    Raises:
        CannotLook: the name does not resolve, leads to a CDN, or to the place itself that is
            looked from.
    """
    client = look.stranger
    if look.settings and look.settings.firewall.mode == "cdn" and not _is_by_hand(client.target):
        raise CannotLook(
            f"{client.target.host} leads to the CDN of the settings (firewall.mode), whose ports "
            "say nothing about the host's; on the host, network.loopback-only and "
            "network.firewall-drops tell"
        )
    found = client.target.addresses(client.target.port)
    for address in found:
        if client.dialer.is_own(address):
            raise CannotLook(f"{address} is an address of {client.dialer.name}: look from outside")
    return found


def _is_by_hand(target: Target) -> bool:
    """Did a person give the address, with --resolve or in place of a name?"""
    try:
        ip_address(target.host)
    except ValueError:
        return bool(target.overrides)
    return True
