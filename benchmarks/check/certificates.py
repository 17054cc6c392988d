"""Certificates as they should and should not be: from a root by an authority between, as public
ones are, or with one thing wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tinykit_ops.lab.commands import run

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
LIFE = timedelta(days=90)


class Signer(Enum):
    """Who signs a certificate."""

    BETWEEN = "an authority that the root vouches for"
    ROOT = "the root itself"
    STRANGER = "a root that nobody trusts"
    ITSELF = "nobody else"


def p256() -> Key:
    """What Caddy and certbot make."""
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Leaf:
    """What a server's certificate is to be.

    Attributes:
        key: makes its key.
        names: host names in it; none means the one that is asked for.
        age: since it began.
        sha1: whether it is signed with SHA-1.
    """

    key: Callable[[], Key] = p256
    names: tuple[str, ...] = ()
    age: timedelta = timedelta(days=1)
    signer: Signer = Signer.BETWEEN
    sha1: bool = False


@dataclass
class Authority:
    """A root, one between that signs, and a root that nobody trusts.

    Attributes:
        folder: for all files.
        ca_file: the root's certificate.
    """

    folder: Path
    ca_file: Path = field(init=False)

    def __post_init__(self) -> None:
        self._keys: dict[Signer, Key] = {
            Signer.BETWEEN: rsa.generate_private_key(65537, 2048),
            Signer.ROOT: rsa.generate_private_key(65537, 2048),
            Signer.STRANGER: p256(),
        }
        self._certificates = {
            Signer.ROOT: self._own(Signer.ROOT, Signer.ROOT),
            Signer.BETWEEN: self._own(Signer.BETWEEN, Signer.ROOT),
            Signer.STRANGER: self._own(Signer.STRANGER, Signer.STRANGER),
        }
        self.ca_file = self.folder / "root.pem"
        self.ca_file.write_bytes(_pem(self._certificates[Signer.ROOT]))

    def issue(self, leaf: Leaf, host: str, *, with_chain: bool) -> tuple[Path, Path]:
        """Files with a certificate, and the ones above it, and with its key (0600).

        Args:
            host: its name where the leaf gives none.
            with_chain: whether the authority between is in the file.
        """
        key = leaf.key()
        own = leaf.signer is Signer.ITSELF or leaf.sha1
        issuer = _name(host) if own else self._certificates[leaf.signer].subject
        began = datetime.now(UTC) - leaf.age
        names = [x509.DNSName(name) for name in leaf.names or (host,)]
        certificate = (
            _builder(_name(host), issuer, key, began, LIFE)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(key if own else self._keys[leaf.signer], hashes.SHA256())
        )
        if leaf.sha1:
            certificate = self._signed_again(certificate, self._keys[leaf.signer])
        above = [self._certificates[Signer.BETWEEN]] if leaf.signer is Signer.BETWEEN else []
        chain = [certificate, *(above if with_chain else [])]
        return self._written(host, b"".join(map(_pem, chain)), key)

    def _signed_again(self, certificate: x509.Certificate, key: Key) -> x509.Certificate:
        """A self-signed one by the authority between, with SHA-1: the library refuses to do that,
        OpenSSL's command does not."""
        paths = [self.folder / name for name in ("again.pem", "again.ca", "again.key")]
        paths[0].write_bytes(_pem(certificate))
        paths[1].write_bytes(_pem(self._certificates[Signer.BETWEEN]))
        _write_key(paths[2], key)
        words = ["openssl", "x509", "-sha1", "-preserve_dates"]
        for option, path in zip(("-in", "-CA", "-CAkey"), paths, strict=True):
            words += [option, str(path)]
        return x509.load_pem_x509_certificate(run(words).stdout.encode())

    def _own(self, who: Signer, by: Signer) -> x509.Certificate:
        key = self._keys[who]
        began = datetime.now(UTC) - timedelta(days=400)
        signing = self._keys[by]
        public = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
        return (
            _builder(_name(who.value), _name(by.value), key, began, timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(public, critical=False)
            .add_extension(above, critical=False)
            .add_extension(_SIGNS, critical=True)
            .sign(signing, hashes.SHA256())
        )

    def _written(self, host: str, chain: bytes, key: Key) -> tuple[Path, Path]:
        files = self.folder / f"{host}.pem", self.folder / f"{host}.key"
        files[0].write_bytes(chain)
        _write_key(files[1], key)
        return files


_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _write_key(path: Path, key: Key) -> None:
    path.touch(0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, began: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + life)
    )
