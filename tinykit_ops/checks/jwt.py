"""Reading login tokens (RFC 7519) without believing them, and forging them badly on purpose."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tinykit_ops.checks.model import CannotLook


@dataclass(frozen=True)
class Token:
    """What a token says about itself; the token is never shown."""

    header: dict[str, Any]
    claims: dict[str, Any]
    parts: tuple[str, str, str] = field(repr=False)


def read(token: str) -> Token:
    """Take a token apart. Raises CannotLook when it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        raise CannotLook("the login gave something that is no token of three parts")
    try:
        header, claims = (json.loads(_decode(part)) for part in parts[:2])
        if not isinstance(header, dict) or not isinstance(claims, dict):
            raise ValueError("no objects")
    except (ValueError, RecursionError):
        raise CannotLook("the login gave a token that cannot be read") from None
    return Token(header, claims, (parts[0], parts[1], parts[2]))


def forgeries(token: Token) -> Iterator[tuple[str, str]]:
    """(what is wrong with it, a token that nobody may accept)."""
    header, claims, signature = token.parts
    other = "A" if signature[:1] != "A" else "B"
    yield "another signature", f"{header}.{claims}.{other}{signature[1:]}"
    longer = _encode({**token.claims, "exp": int(token.claims.get("exp", 0)) + 86400})
    yield "another end, the old signature", f"{header}.{longer}.{signature}"
    for name in ("none", "NONE"):
        yield f"alg={name} and no signature", f"{_encode({**token.header, 'alg': name})}.{claims}."
    yield "no signature", f"{header}.{claims}."


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encode(value: dict[str, Any]) -> str:
    text = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()
