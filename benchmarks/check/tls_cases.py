"""Twenty ways to serve HTTPS, good and bad: what is told apart, and by which certificates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from benchmarks.check.certificates import Key, Leaf, Signer

MODERN = "TLSv1.2 TLSv1.3"
YEAR = "max-age=31536000"
DOMAIN = "edge.test"


@dataclass(frozen=True)
class Case:
    """One configuration of an edge.

    Attributes:
        what: in a few words, for people.
        leaf: its certificate.
        protocols: as nginx names them.
        hsts: the value of Strict-Transport-Security; empty for none.
        sends_chain: whether it shows the certificate of the authority between.
        name: of the host that is asked for.
    """

    what: str
    leaf: Leaf = field(default_factory=Leaf)
    protocols: str = MODERN
    hsts: str = YEAR
    sends_chain: bool = True
    name: str = ""


def p384() -> Key:
    """The bigger curve that browsers know."""
    return ec.generate_private_key(ec.SECP384R1())


def rsa_key(bits: int) -> Key:
    """An RSA key, also one that is too short."""
    return rsa.generate_private_key(65537, bits)


_DAY = timedelta(days=1)
_OLD = timedelta(days=100)  #: more than the 90 days that a certificate lasts

CASES: Sequence[Case] = (
    Case("ECDSA P-256, TLS 1.2 and 1.3"),
    Case("RSA 2048", Leaf(key=lambda: rsa_key(2048))),
    Case("RSA 4096, no authority between", Leaf(key=lambda: rsa_key(4096), signer=Signer.ROOT)),
    Case("ECDSA P-384, TLS 1.3 only", Leaf(key=p384), "TLSv1.3"),
    Case("TLS 1.2 only", protocols="TLSv1.2"),
    Case("a wildcard", Leaf(names=(f"*.{DOMAIN}",))),
    Case("HSTS with subdomains, for two years", hsts="max-age=63072000; includeSubDomains"),
    Case("TLS 1.0 offered too", protocols=f"TLSv1 {MODERN}"),
    Case("TLS 1.1 offered too", Leaf(key=lambda: rsa_key(2048)), f"TLSv1.1 {MODERN}"),
    Case("expired", Leaf(age=_OLD)),
    Case("ends in five days", Leaf(age=85 * _DAY)),
    Case("not valid yet", Leaf(age=-10 * _DAY)),
    Case("self-signed", Leaf(signer=Signer.ITSELF)),
    Case("an authority that nobody knows", Leaf(signer=Signer.STRANGER)),
    Case("another host's name", Leaf(names=(f"other.{DOMAIN}",))),
    Case("the certificate between is missing", sends_chain=False),
    Case("RSA 1024", Leaf(key=lambda: rsa_key(1024))),
    Case("signed with SHA-1", Leaf(key=lambda: rsa_key(2048), sha1=True)),
    Case("no HSTS", hsts=""),
    Case("HSTS for a day", hsts="max-age=86400"),
)


def host_of(number: int, case: Case) -> str:
    """The name by which a case is asked for."""
    return case.name or f"c{number:02}.{DOMAIN}"
