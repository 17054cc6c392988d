"""End-to-end checksums: what a service says it stored, against what was sent.

Every object and part travels with its SHA-256. Services that know it refuse other bytes and say
the checksum in their answer; the others answer with an ETag, which is the MD5 of the bytes unless
a key service encrypts them. What neither is said of stays unproven here; verification reads it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinykit_ops.backup.targets.s3_errors import OtherBytesError

_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Content:
    """Some bytes with their checksums.

    Attributes:
        hexadecimal: the SHA-256, if it is known already.
    """

    body: bytes
    hexadecimal: str = ""

    def __post_init__(self) -> None:
        # Not a cached_property: in Python 3.11 it holds one lock for all objects, and uploads
        # side by side would wait for each other's hashes.
        told = self.hexadecimal or hashlib.sha256(self.body).hexdigest()
        object.__setattr__(self, "hexadecimal", told)

    @property
    def sha256(self) -> str:
        """The SHA-256 as S3 spells it."""
        return base64.b64encode(bytes.fromhex(self.hexadecimal)).decode()

    @property
    def md5(self) -> str:
        """Hexadecimal MD5, as an ETag has it; no protection, only a checksum."""
        return hashlib.md5(self.body, usedforsecurity=False).hexdigest()

    def is_told_by(self, answer: Mapping[str, Any]) -> bool | None:
        """Whether an answer of the service is about these bytes; None when it does not tell."""
        if told := answer.get("ChecksumSHA256"):
            return bool(told == self.sha256)
        etag = str(answer.get("ETag", "")).strip('"').lower()
        if not _MD5.fullmatch(etag) or "kms" in str(answer.get("ServerSideEncryption", "")):
            return None
        return etag == self.md5

    def must_be_told_by(self, answer: Mapping[str, Any]) -> None:
        """Raises OtherBytesError when the service tells that it stored something else."""
        if self.is_told_by(answer) is False:
            raise OtherBytesError
