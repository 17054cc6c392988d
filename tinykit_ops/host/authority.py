"""A certificate authority of the host's own, and what it signs.

Keys are P-256, as every browser takes them. The root's key never leaves its folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tinykit_ops.host import files

ROOT_DAYS = 3650
LEAF_DAYS = 90
#: Clocks of visitors differ a little.
EARLIER = timedelta(hours=1)


@dataclass(frozen=True)
class Signed:
    """A certificate and its key, as read from two PEM files."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        """The certificate alone."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        """The key, not encrypted: programs read it without a person."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def names(self) -> set[str]:
        """The host names that it is for."""
        try:
            extension = self.certificate.extensions.get_extension_for_class(
                x509.SubjectAlternativeName
            )
        except x509.ExtensionNotFound:
            return set()
        return set(extension.value.get_values_for_type(x509.DNSName))

    def signed_by(self, authority: Signed) -> bool:
        """Whether the authority's key signed it."""
        try:
            self.certificate.verify_directly_issued_by(authority.certificate)
        except (InvalidSignature, ValueError, TypeError):
            return False
        return True

    def wants_renewal(self, now: datetime | None = None) -> bool:
        """Whether less than a third of its time is left."""
        ends, starts = self.certificate.not_valid_after_utc, self.certificate.not_valid_before_utc
        return ends - (now or datetime.now(UTC)) < (ends - starts) / 3


def load(certificate: Path, key: Path) -> Signed | None:
    """What two PEM files hold; None when one is missing or broken, or they do not belong together.

    Only the first certificate of a chain is read.
    """
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        secret = load_pem_private_key(key.read_bytes(), None)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    if not isinstance(secret, ec.EllipticCurvePrivateKey):
        return None
    signed = Signed(found, secret)
    return signed if _public(found) == _public(secret) else None


def save(signed: Signed, certificate: Path, key: Path, *, mode: int, chain: str = "") -> None:
    """Write both files, the key first, each in one step.

    Args:
        mode: of the key's file.
        chain: what comes after the certificate in its file.
    """
    files.write(key, signed.key_pem, mode=mode)
    files.write(certificate, signed.pem + chain)


def make_root(now: datetime | None = None) -> Signed:
    """A new authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"tinykit-ops authority {x509.random_serial_number() % 16**8:08x}")
    builder = _builder(name, name, key, now, ROOT_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(certificates=True), critical=True)
    return Signed(builder.sign(key, hashes.SHA256()), key)


def make_leaf(
    names: Sequence[str], authority: Signed | None, now: datetime | None = None
) -> Signed:
    """A server's certificate for these host names.

    Args:
        authority: who signs; without one, it signs itself, and is a placeholder.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name("tinykit" if authority else "tinykit-ops placeholder")
    issuer = authority.certificate.subject if authority else subject
    signer = authority.key if authority else key
    builder = _builder(subject, issuer, key, now, LEAF_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    builder = builder.add_extension(_usage(certificates=False), critical=True)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    builder = builder.add_extension(alternatives, critical=False)
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = builder.add_extension(server, critical=False)
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = builder.add_extension(by, critical=False)
    return Signed(builder.sign(signer, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime | None,
    days: int,
) -> x509.CertificateBuilder:
    start = (now or datetime.now(UTC)) - EARLIER
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _public(holder: x509.Certificate | ec.EllipticCurvePrivateKey) -> bytes:
    return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
