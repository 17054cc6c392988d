"""What a line of the edge's access log says, in either proxy's words."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, NamedTuple

from tinykit_ops.edge.paths import normalise

#: PocketBase refuses a login with 400; our limits and the edge's gate with the others.
_REFUSED = frozenset({400, 401, 403, 429})
_LOGIN = re.compile(r"/auth-with-(password|otp)$|/api/admins/auth-|^/login$")


class Hit(NamedTuple):
    """One request: when (seconds since 1970), how it was answered, and in how many seconds."""

    time: float
    status: int
    seconds: float
    refused_login: bool


def read_line(line: bytes) -> Hit | None:
    """A line of Caddy's or nginx's log; None when it is no request, or cannot be understood."""
    try:
        entry = json.loads(line)
        if "ts" in entry:
            return _of_caddy(entry)
        return _hit(
            datetime.fromisoformat(entry["time"]).timestamp(),
            int(entry["status"]),
            float(entry["seconds"]),
            entry["method"],
            entry["path"],
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _of_caddy(entry: dict[str, Any]) -> Hit | None:
    request = entry.get("request")
    if request is None or "status" not in entry:
        return None
    path = request["uri"].split("?", 1)[0]
    status, seconds = int(entry["status"]), float(entry["duration"])
    return _hit(float(entry["ts"]), status, seconds, request["method"], path)


def _hit(time: float, status: int, seconds: float, method: str, path: str) -> Hit | None:
    if not (0 < time < 1e11 and 0 <= seconds < 1e9):  # also false for NaN
        return None
    guessed = status in _REFUSED and method == "POST" and _is_login(path)
    return Hit(time, status, seconds, guessed)


def _is_login(path: str) -> bool:
    """As the programs behind the edge read it, however it was spelt."""
    return _LOGIN.search(normalise(path)) is not None
