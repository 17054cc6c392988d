"""Whether a TCP port can be reached, without saying anything to what listens there."""

from __future__ import annotations

import errno
from enum import StrEnum

from tinykit_ops.checks.dial import Dialer


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
