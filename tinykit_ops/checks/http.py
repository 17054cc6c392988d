"""The polite HTTP client of the checks.

It says who it is, counts its requests, follows no redirect, sends a path exactly as it is given,
reads no more than it needs, and never waits longer than it was told, whatever the other side does.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from tinykit_ops import __version__
from tinykit_ops.checks.answer import Answer, describe, left, read_answer
from tinykit_ops.checks.dial import Dialer, Here
from tinykit_ops.checks.manners import Manners
from tinykit_ops.checks.model import CannotLook
from tinykit_ops.checks.target import Target
from tinykit_ops.edge.probe import Probe

_HUNG_UP = (ConnectionError, ssl.SSLEOFError)  #: `http.client.RemoteDisconnected` is one
USER_AGENT = f"tinykit-ops/{__version__} (+check)"


class CertificateProblem(CannotLook):
    """The server's certificate was not accepted."""


class HungUp(CannotLook):
    """The server closed the connection instead of answering."""


@dataclass
class Client:
    """Sends requests to one instance from one place.

    Attributes:
        target: where to.
        dialer: where from.
        manners: shared by all clients of one instance.
        ca_file: certificate authorities (PEM) to trust besides the system's.
        verify: whether a certificate must be valid. Turned off only after a problem with it was
            seen, to find out what else is wrong.
    """

    target: Target
    dialer: Dialer = field(default_factory=Here)
    manners: Manners = field(default_factory=Manners)
    ca_file: Path | None = None
    verify: bool = True

    def probe(self, probe: Probe) -> Answer:
        """Send the request of a row of the route table. Raises CannotLook."""
        return self.send(probe.method, probe.path, headers=probe.headers, body=probe.body)

    def get(self, path: str, **headers: str) -> Answer:
        """GET a path, byte for byte. Raises CannotLook."""
        return self.send("GET", path, headers=headers)

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        scheme: str | None = None,
    ) -> Answer:
        """Send one request and read its answer.

        Args:
            method: HTTP method.
            path: request target; sent as it stands, so `/x/../y` and `//y` arrive like that.
            headers: to add or replace.
            body: to send, as UTF-8.
            scheme: `http` to ask the plain port of an https target.

        Raises:
            CannotLook: no complete answer in time, for whatever reason; the text says which.
        """
        scheme = scheme or self.target.scheme
        port = self.target.port if scheme == self.target.scheme else self.target.http_port
        where = f"{self.dialer.name} {port}"
        self.manners.spend(where)
        deadline = time.monotonic() + self.manners.timeout
        label = f"{method} {path}"
        try:
            with self.connect(port, deadline, tls=scheme == "https") as connection:
                connection.sendall(self._request(method, path, headers or {}, body, port, scheme))
                answer = read_answer(connection, deadline, method, label)
        except ssl.SSLCertVerificationError as error:
            self.manners.note(where, answered=True)
            raise CertificateProblem(f"{label}: {error.verify_message}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.manners.note(where, answered=False)
            kind = HungUp if isinstance(error, _HUNG_UP) else CannotLook
            raise kind(f"{label}: {describe(error)}") from None
        self.manners.note(where, answered=True)
        return answer

    def connect(
        self, port: int, deadline: float, *, tls: bool, server_name: str | None = None
    ) -> socket.socket:
        """Open a connection to the first address that answers. Raises OSError, CannotLook."""
        raw = self._connect_any(port, deadline, server_name)
        if not tls:
            return raw
        try:
            raw.settimeout(left(deadline))
            return tls_context(self.ca_file, self.verify).wrap_socket(
                raw, server_hostname=server_name or self.target.host
            )
        except BaseException:
            raw.close()
            raise

    def _connect_any(self, port: int, deadline: float, host: str | None) -> socket.socket:
        last: OSError = OSError("no address")
        addresses = self.target.addresses(port, host)
        for index, address in enumerate(addresses):
            share = left(deadline) / (len(addresses) - index)  # leave time for the others
            try:
                return self.dialer.dial(address, port, share)
            except OSError as error:
                last = error
        raise last

    def _request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: str | None,
        port: int,
        scheme: str,
    ) -> bytes:
        if any(character in path for character in "\r\n "):
            raise ValueError("a request target has no spaces or line ends")
        payload = (body or "").encode()
        fields = {
            "host": self.target.authority(port, scheme),
            "user-agent": USER_AGENT,
            "accept": "*/*",
            "connection": "close",
        }
        if body is not None:
            fields["content-length"] = str(len(payload))
        fields |= {name.lower().replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {path} HTTP/1.1", *(f"{key}: {value}" for key, value in fields.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + payload


@lru_cache(maxsize=8)  # reading the system's authorities costs more than a request
def tls_context(ca_file: Path | None, verify: bool) -> ssl.SSLContext:
    """TLS settings as a browser would have them.

    Args:
        ca_file: authorities (PEM) to trust besides the system's.
        verify: whether certificates must be valid.

    Raises:
        CannotLook: the CA file cannot be read.
    """
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise CannotLook(f"cannot read the CA file {ca_file}: {error}") from None
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
