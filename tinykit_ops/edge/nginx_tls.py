"""Which certificate nginx shows for which host name, and where the files are."""

from __future__ import annotations

from dataclasses import dataclass

from tinykit_ops import layout
from tinykit_ops.settings import Settings

#: The one certificate of the modes `internal` and `files`.
INSTANCE = "instance"


@dataclass(frozen=True)
class Pair:
    """A certificate with its chain, and its key: two PEM files on the host."""

    certificate: str
    key: str


def pair(name: str) -> Pair:
    """The files of one certificate."""
    return Pair(f"{layout.NGINX_TLS}/{name}.pem", f"{layout.NGINX_TLS}/{name}.key")


def host_names(settings: Settings) -> tuple[str, ...]:
    """The host names that the edge answers to, the builder's own first."""
    own = (settings.builder_domain,) if settings.builder_domain else ()
    return (*own, *settings.domains)


def pairs(settings: Settings) -> dict[str, Pair]:
    """Host name → its certificate.

    With `acme` each name has its own, so that one name whose DNS is wrong holds up no other, and
    no visitor of one app learns the names of the others.
    """
    acme = settings.edge.tls.mode == "acme"
    return {name: pair(name if acme else INSTANCE) for name in host_names(settings)}
