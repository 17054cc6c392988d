"""The certificate that the lab's ACME server itself shows, and the authority that signed it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tinykit_ops.lab.state import write_private

CA = "directory-ca.pem"
CERTIFICATE = "directory.pem"
KEY = "directory.key"
LIFE = timedelta(days=365)


def write(folder: Path, address: str) -> None:
    """Write `directory-ca.pem`, `directory.pem` and `directory.key`, unless they are there.

    Args:
        address: the server's IP address, which the certificate is for.
    """
    if all((folder / name).exists() for name in (CA, CERTIFICATE, KEY)):
        return
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _name("tinykit lab: ACME directory")
    ca = (
        _begin(issuer, issuer, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    certificate = (
        _begin(_name(address), issuer, key.public_key())
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    write_private(folder / KEY, private.decode())
    write_private(folder / CERTIFICATE, certificate.public_bytes(Encoding.PEM).decode())
    write_private(folder / CA, ca.public_bytes(Encoding.PEM).decode())


def _begin(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFE)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
