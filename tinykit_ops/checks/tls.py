"""What a server's certificate says, and whether a browser would accept it."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509

from tinykit_ops.checks.answer import describe
from tinykit_ops.checks.http import Client
from tinykit_ops.checks.model import CannotLook


@dataclass(frozen=True)
class Certificate:
    """What was seen of one host name.

    Attributes:
        host: the name that was asked for.
        problem: why a browser would refuse it; empty when it would not.
        protocol: TLS version that both sides agreed on.
        names: host names and addresses in it.
        starts, ends: its validity.
    """

    host: str
    problem: str
    protocol: str
    names: tuple[str, ...]
    starts: datetime
    ends: datetime

    def left(self, now: datetime | None = None) -> timedelta:
        """The time until it ends."""
        return self.ends - (now or datetime.now(UTC))

    def is_overdue(self, now: datetime | None = None) -> bool:
        """Should it have been renewed by now?

        Caddy and certbot renew when a third of the life is left, so less than a sixth means
        that renewal fails; 21 days are enough for any longer one.
        """
        return self.left(now) < min((self.ends - self.starts) / 6, timedelta(days=21))


def inspect(client: Client, host: str | None = None) -> Certificate:
    """Look at the certificate that a target shows for a name.

    Args:
        client: where to and where from.
        host: a name other than the target's own.

    Raises:
        CannotLook: no TLS connection came about.
    """
    name = host or client.target.host
    try:
        return _handshake(replace(client, verify=True), name)
    except ssl.SSLCertVerificationError as error:
        problem = error.verify_message
    except OSError as error:
        raise CannotLook(f"TLS to {name}: {describe(error)}") from None
    try:
        return replace(_handshake(replace(client, verify=False), name), problem=problem)
    except OSError as error:
        raise CannotLook(f"TLS to {name}: {describe(error)}") from None


def _handshake(client: Client, name: str) -> Certificate:
    client.manners.spend(client.dialer.name)
    deadline = time.monotonic() + client.manners.timeout
    port = client.target.port
    with client.connect(port, deadline, tls=True, server_name=name) as connection:
        assert isinstance(connection, ssl.SSLSocket)  # noqa: S101 - `tls=True` says so
        encoded = connection.getpeercert(binary_form=True) or b""
        protocol = connection.version() or "unknown"
    return _read(name, protocol, encoded)


def _read(name: str, protocol: str, encoded: bytes) -> Certificate:
    try:
        certificate = x509.load_der_x509_certificate(encoded)
        names = _alternative_names(certificate)
    except ValueError as error:
        raise CannotLook(f"the certificate of {name} cannot be read: {error}") from None
    return Certificate(
        name, "", protocol, names, certificate.not_valid_before_utc, certificate.not_valid_after_utc
    )


def _alternative_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(each.value) for each in extension.value)
