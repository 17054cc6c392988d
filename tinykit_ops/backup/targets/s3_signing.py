"""Signing requests with the hash of their body that is known already.

botocore hashes a body once more to sign it over HTTP, and over HTTPS leaves it out of the
signature.
With a known hash both cost nothing, and the service itself refuses other bytes than were signed.
"""

from __future__ import annotations

import io
from typing import Any

from botocore.auth import AUTH_TYPE_MAPS, S3SigV4Auth

from tinykit_ops.backup.targets.s3_checksums import Content

_OURS = "tinykit-ops-s3v4"
#: Version and service of a plain signature, as botocore may name it.
_PLAIN = (("v4", "s3"), ("s3v4", "s3"))
_OPERATIONS = ("PutObject", "UploadPart")


class Body(io.BytesIO):
    """The body of a request. A file, because of plain `bytes` all has to be taken within one time
    limit."""

    def __init__(self, content: Content) -> None:
        super().__init__(content.body)
        self.sha256 = content.hexadecimal


class _KnownHash(S3SigV4Auth):
    def payload(self, request: Any) -> str:
        known = isinstance(request.body, Body)
        return str(request.body.sha256 if known else super().payload(request))


def sign_with_known_hashes(client: Any) -> None:
    """Let an S3 client sign the bodies that are a `Body`; signatures of another kind stay."""
    AUTH_TYPE_MAPS[_OURS] = _KnownHash

    def choose(signature_version: Any, signing_name: str, **_: Any) -> str | None:
        return _OURS if (signature_version, signing_name) in _PLAIN else None

    for operation in _OPERATIONS:
        client.meta.events.register(f"choose-signer.s3.{operation}", choose)
