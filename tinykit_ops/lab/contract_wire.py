"""Bytes to and from a server, for `contract_client`."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

PIECE = 65536  #: bytes a chunk


@dataclass
class Answer:
    """A status, headers by lower-case name (repeated ones joined by newlines), and a body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def read(response: http.client.HTTPResponse) -> Answer:
    """Read a whole answer."""
    return Answer(response.status, headers_of(response), response.read())


def headers_of(response: http.client.HTTPResponse) -> dict[str, str]:
    """Headers by lower-case name."""
    found: dict[str, str] = {}
    for name, value in response.getheaders():
        key = name.lower()
        found[key] = f"{found[key]}\n{value}" if key in found else value
    return found


def pieces(payload: bytes) -> Iterator[bytes]:
    """A body in chunks."""
    for start in range(0, len(payload), PIECE):
        yield payload[start : start + PIECE]


def multipart(fields: dict[str, Any]) -> bytes:
    """Fields as a form; a value that is a pair is a file: its name and its text."""
    parts = []
    for name, value in fields.items():
        file, text = value if isinstance(value, tuple) else ("", value)
        extra = f'; filename="{file}"\r\nContent-Type: text/plain' if file else ""
        head = f'--contract\r\nContent-Disposition: form-data; name="{name}"{extra}'
        parts.append(f"{head}\r\n\r\n{text}\r\n")
    return ("".join(parts) + "--contract--\r\n").encode()
