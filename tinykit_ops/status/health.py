"""Whether the programs of an instance answer, asked on loopback."""

from __future__ import annotations

import requests

from tinykit_ops import layout
from tinykit_ops.checks.fingerprint import PATH as PLACEHOLDER
from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.host.own_server import ask
from tinykit_ops.pocketbase.client import PocketBase
from tinykit_ops.settings import Settings
from tinykit_ops.status.model import Level, Line

SECONDS = 10.0


def health_line(settings: Settings) -> Line:
    """PocketBase by its health route, tinykit by a file of its own."""
    faults = health_faults(settings)
    bad = {name: fault for name, fault in faults.items() if fault}
    if bad:
        text = "; ".join(f"{name}: {fault}" for name, fault in bad.items())
        return Line("health", Level.WRONG, " ".join(bad), text)
    return Line("health", Level.FINE, "ok", f"{' and '.join(faults)} answer")


def health_faults(settings: Settings) -> dict[str, str]:
    """Program → why it is not well; empty when it answers as it should."""
    return {"pocketbase": _pocketbase(), "tinykit": _tinykit(settings)}


def _pocketbase() -> str:
    try:
        with PocketBase(layout.POCKETBASE_URL, timeout=SECONDS) as server:
            server.health()
    except TinykitOpsError as error:
        return error.what
    return ""


def _tinykit(settings: Settings) -> str:
    try:
        headers = {"Host": settings.domains[0]}
        answer = ask(f"{layout.TINYKIT_URL}{PLACEHOLDER}", SECONDS, headers)
    except requests.RequestException as error:
        return f"does not answer ({type(error).__name__})"
    return "" if answer.status_code == 200 else f"answers {answer.status_code}"
