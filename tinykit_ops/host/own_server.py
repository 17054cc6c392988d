"""Asking a server of this very host over HTTP."""

from __future__ import annotations

from collections.abc import Mapping

import requests


def ask(url: str, seconds: float, headers: Mapping[str, str] | None = None) -> requests.Response:
    """Its answer to GET, whatever that is.

    A proxy that the host has for the world (`http_proxy` in /etc/environment) is not asked: it
    knows nothing of this host's loopback.

    Raises:
        requests.RequestException: there was none within `seconds`.
    """
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, headers=headers, timeout=seconds, allow_redirects=False)
