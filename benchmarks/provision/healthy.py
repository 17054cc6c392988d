"""Whether an instance answers over HTTPS: tinykit and PocketBase, behind a trusted certificate."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time

from benchmarks.provision.errors import BenchmarkError
from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.lab.host import LabHost

#: Caddy's internal authority, below its data folder (caddyserver.com/docs/conventions).
ROOT_CERTIFICATE = "/var/lib/caddy/caddy/pki/authorities/local/root.crt"
_PATIENCE = 60.0  #: seconds after the run that is timed
_PAUSE = 0.05
_ANSWER_SECONDS = 5.0


def wait_until_healthy(host: LabHost) -> float:
    """Ask until tinykit and PocketBase both answer through the edge.

    Returns: time.monotonic() of the first time that both did.
    Raises: BenchmarkError when they do not within a minute.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            _refuse_unhealthy(host)
            return time.monotonic()
        except (OSError, http.client.HTTPException, ValueError, TinykitOpsError) as error:
            if time.monotonic() > deadline:
                raise BenchmarkError(
                    f"https://{host.domain}/ is not healthy {_PATIENCE:.0f} s after the run: "
                    f"{error}",
                    where=host.address4,
                ) from error
        time.sleep(_PAUSE)


def _refuse_unhealthy(host: LabHost) -> None:
    trusted = ssl.create_default_context(cadata=host.run(["cat", ROOT_CERTIFICATE]).stdout)
    status, body = _get(host, trusted, "/_pb/api/health")
    if status != http.client.OK or json.loads(body).get("code") != http.client.OK:
        raise ValueError(f"PocketBase answers {status}")
    status, _ = _get(host, trusted, "/")
    if status >= http.client.BAD_REQUEST:
        raise ValueError(f"tinykit answers {status}")


def _get(host: LabHost, trusted: ssl.SSLContext, path: str) -> tuple[int, bytes]:
    """The status and body of a GET; the certificate must be that of the host's domain."""
    with (
        socket.create_connection((host.address4, 443), _ANSWER_SECONDS) as plain,
        trusted.wrap_socket(plain, server_hostname=host.domain) as secure,
    ):
        connection = http.client.HTTPConnection(host.domain, timeout=_ANSWER_SECONDS)
        connection.sock = secure
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read()
