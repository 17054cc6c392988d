"""What a server's certificate says, and whether a browser would accept it."""

from __future__ import annotations

import socket
import ssl
import time
import warnings
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tinykit_ops.checks.answer import describe
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.http import Client
from tinykit_ops.checks.model import CannotLook

_BROKEN_HASHES = {"md5", "sha1"}
#: What OpenSSL says when its own policy, and not the server, stands in the way.
_OWN_REFUSALS = {"NO_PROTOCOLS_AVAILABLE", "NO_CIPHERS_AVAILABLE", "UNSUPPORTED_PROTOCOL_LOCAL"}


@dataclass(frozen=True)
class Certificate:
    """What was seen of one host name.

    Attributes:
        host: the name that was asked for.
        problem: why a browser would refuse it; empty when it would not.
        protocol: TLS version that both sides agreed on.
        names: host names and addresses in it.
        starts, ends: its validity.
        key: kind and size of its public key, such as `EC 256` or `RSA 2048`.
        signature: hash that it was signed with, such as `sha256`.
        is_weak: whether key or signature are weaker than public authorities allow.
    """

    host: str
    problem: str
    protocol: str
    names: tuple[str, ...]
    starts: datetime
    ends: datetime
    key: str = ""
    signature: str = ""
    is_weak: bool = False

    def left(self, now: datetime | None = None) -> timedelta:
        """The time until it ends."""
        return self.ends - (now or datetime.now(UTC))

    def late(self, most: timedelta) -> timedelta:
        """The time that must be left, or renewal fails: `most`, or less for a short-lived one.

        Caddy and certbot renew when a third of the life is left, so less than a sixth means
        that renewal fails.
        """
        return min((self.ends - self.starts) / 6, most)

    def is_overdue(self, now: datetime | None = None) -> bool:
        """Should it have been renewed by now? 21 days are enough for any long-lived one."""
        return self.left(now) < self.late(timedelta(days=21))


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
    starts, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    key, weak_key = _key(certificate)
    algorithm = certificate.signature_hash_algorithm
    signature = algorithm.name if algorithm else "its curve's own hash"
    weak = weak_key or signature in _BROKEN_HASHES
    return Certificate(name, "", protocol, names, starts, ends, key, signature, weak)


def _key(certificate: x509.Certificate) -> tuple[str, bool]:
    """(kind and size, is it weak) of a public key; least sizes of the CA/Browser Forum."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}", key.key_size < 2048
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.key_size}", key.curve.key_size < 256
    return type(key).__name__.removesuffix("PublicKey").strip("_"), False


def seen_certificate(look: Context, name: str) -> Certificate:
    """The certificate of a name, looked at once for all checks. Raises CannotLook."""
    return look.once(f"certificate of {name}", lambda: inspect(look.web, name))


class _Silent(Exception):  # noqa: N818
    """The server hung up without a word of TLS."""


def old_protocol(client: Client, version: str) -> bool:
    """Does the server speak this version, when it is offered nothing else?

    Args:
        version: a name of `ssl.TLSVersion`.

    Raises:
        CannotLook: this machine does not speak it itself, or there was no answer.
    """
    client.manners.spend(client.dialer.name)
    deadline = time.monotonic() + client.manners.timeout
    try:
        raw = client.connect(client.target.port, deadline, tls=False)
    except OSError as error:
        raise CannotLook(f"{version}: {describe(error)}") from None
    try:
        with raw:
            return _speaks(raw, _only(version), client.target.host, version)
    except _Silent:
        inspect(client)  # it hung up: a refusal only where it speaks a newer version right now
        return False


def _speaks(raw: socket.socket, context: ssl.SSLContext, name: str, version: str) -> bool:
    try:
        with context.wrap_socket(raw, server_hostname=name):
            return True
    except ssl.SSLError as error:
        if error.reason in _OWN_REFUSALS:
            raise CannotLook(f"this machine does not speak {version} itself") from None
        if isinstance(error, ssl.SSLEOFError):
            raise _Silent from None
        return False  # an alert: the server's way to refuse
    except ConnectionError:
        raise _Silent from None
    except OSError as error:
        raise CannotLook(f"{version}: {describe(error)}") from None


def _only(version: str) -> ssl.SSLContext:
    """TLS settings that offer one old version, to a server that need not prove who it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def _alternative_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(each.value) for each in extension.value)
