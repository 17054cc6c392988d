"""Which part of a snapshot's uploads one verification reads (`--read-data 1/7`)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from tinykit_ops.errors import UsageError

_MOST = 1000


@dataclass(frozen=True)
class Share:
    """Part `number` of `parts`; over all numbers, every upload is read once."""

    number: int = 1
    parts: int = 1

    @classmethod
    def parse(cls, text: str) -> Share:
        """ "2/7" → Share(2, 7). Raises UsageError."""
        match = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text.strip())
        number, parts = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 1 <= number <= parts <= _MOST:
            raise UsageError(
                f"{text!r} is no part of the uploads",
                hint="write 2/7 for the second of seven parts, or next/7; 1/1 reads everything",
            )
        return cls(number, parts)

    @classmethod
    def parse_turn(cls, text: str) -> Share | int:
        """ "2/7" → Share(2, 7); "next/7" → 7: the part whose turn it is. Raises UsageError."""
        word, slash, parts = text.strip().partition("/")
        if word != "next" or not slash:
            return cls.parse(text)
        return cls.parse(f"1/{parts}").parts

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self.parts == 1

    def holds(self, key: str) -> bool:
        """Is the object with this key in this part? Always the same answer for the same key."""
        digest = hashlib.sha256(key.encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.parts == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.parts}"


WHOLE = Share()
