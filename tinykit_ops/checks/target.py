"""Where a check aims: one instance's public address, and how its name is resolved."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from tinykit_ops.checks.model import CannotLook
from tinykit_ops.errors import UsageError

_PORTS = {"http": 80, "https": 443}
Overrides = Mapping[tuple[str, int], tuple[str, ...]]


@dataclass(frozen=True)
class Target:
    """An instance as the world sees it.

    Attributes:
        scheme: `http` or `https`.
        host: its name in ASCII (or an address).
        port: where `scheme` is served.
        http_port: where plain HTTP is served, or should not be.
        overrides: (name, port) → addresses, given by hand instead of asking the resolver.
    """

    scheme: str
    host: str
    port: int
    http_port: int = 80
    overrides: Overrides = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The origin, without a default port."""
        return f"{self.scheme}://{self.authority(self.port, self.scheme)}"

    def authority(self, port: int, scheme: str, host: str | None = None) -> str:
        """The value of a Host header."""
        name = host or self.host
        name = f"[{name}]" if ":" in name else name
        return name if port == _PORTS[scheme] else f"{name}:{port}"

    def addresses(self, port: int, host: str | None = None) -> tuple[str, ...]:
        """The addresses to connect to, IPv4 first.

        An override for another port of the same name counts too: the name has no DNS then.

        Raises:
            CannotLook: the name does not resolve.
        """
        name = host or self.host
        if given := self.overrides.get((name, port)):
            return given
        for (other, _), given in self.overrides.items():
            if other in (name, self.host):
                return given
        try:
            found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise CannotLook(f"{name} does not resolve: {error}") from None
        addresses = {str(info[4][0]) for info in found}
        return tuple(sorted(addresses, key=lambda each: (":" in each, each)))


def parse_target(url: str, *, http_port: int = 80, resolve: tuple[str, ...] = ()) -> Target:
    """Read what a person typed.

    Args:
        url: `https://apps.example.com`, also without the scheme; no path, user or query.
        http_port: where plain HTTP is served.
        resolve: `HOST:PORT:ADDRESS[,ADDRESS]`, as curl takes it.

    Raises:
        UsageError: it is not the address of an instance.
    """
    hint = "Give the address of the instance, e.g. https://apps.example.com"
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
    except ValueError:
        raise UsageError("This is no address", hint=hint) from None
    if parts.scheme not in _PORTS:
        raise UsageError(f"Cannot check a {parts.scheme}: address", where=url, hint=hint)
    if parts.username or parts.password:
        raise UsageError("The address holds a user name or a password", hint=hint)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise UsageError("The address has a path", where=url, hint=hint)
    try:
        host, port = _ascii(parts.hostname or ""), parts.port
    except ValueError:
        raise UsageError("The address has no valid host or port", where=url, hint=hint) from None
    return Target(
        parts.scheme,
        host,
        port or _PORTS[parts.scheme],
        http_port if parts.scheme == "https" else port or 80,
        dict(map(_parse_override, resolve)),
    )


def _ascii(host: str) -> str:
    if not host:
        raise ValueError("empty")
    if ":" in host:
        return str(ip_address(host))
    return host.encode("idna").decode("ascii").lower()


def _parse_override(text: str) -> tuple[tuple[str, int], tuple[str, ...]]:
    try:
        host, port, addresses = text.split(":", 2)
        found = tuple(str(ip_address(each.strip("[]"))) for each in addresses.split(","))
        return (_ascii(host), int(port)), found
    except ValueError:
        raise UsageError(
            "--resolve wants HOST:PORT:ADDRESS",
            where=text,
            hint="e.g. --resolve apps.example.com:443:192.0.2.7",
        ) from None
