"""Whether the old install runs: that it has ended, that it serves again."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import requests

from tinykit_ops.adopt.model import Install
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.running import is_running
from tinykit_ops.errors import UnavailableError
from tinykit_ops.host.own_server import ask
from tinykit_ops.pocketbase.client import PocketBase

ENDED_SECONDS = 20.0
HEALTHY_SECONDS = 120.0
_ANSWER_SECONDS = 15.0
_PAUSE = 0.2


def see_that_it_ended(install: Install) -> None:
    """Its files are read from now on, so nobody may have started it anew.

    Raises:
        UnavailableError: it still runs.
    """
    places = replace(
        Places(),
        pocketbase_url=install.pocketbase_url,
        pocketbase_unit="none.service",
        data=Path(install.data),
    )
    until = time.monotonic() + ENDED_SECONDS
    while is_running(places):
        if time.monotonic() > until:
            raise UnavailableError(
                "PocketBase still runs, although all that was seen of the old install is stopped",
                where=install.data,
                hint="something starts it anew: look for a supervisor, a timer, a line of cron's",
            )
        time.sleep(_PAUSE)


def see_that_it_serves(install: Install) -> None:
    """PocketBase is healthy, and tinykit answers; what it answers is its own affair.

    Raises:
        UnavailableError: one of them does not, for two minutes.
    """
    with PocketBase(install.pocketbase_url) as server:
        server.wait_until_healthy(HEALTHY_SECONDS)
    until = time.monotonic() + HEALTHY_SECONDS
    while problem := _silence(install.url):
        if time.monotonic() > until:
            raise UnavailableError(
                f"tinykit of the old install does not answer ({problem})",
                where=install.url,
                hint="it was started as before, and PocketBase is well: its own log says more",
            )
        time.sleep(_PAUSE)


def _silence(url: str) -> str:
    """Why there is no answer; empty when there is one."""
    try:
        ask(url, _ANSWER_SECONDS)
    except requests.RequestException as error:
        return type(error).__name__
    return ""
