"""Known secrets are never shown, whatever wrote them where."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from tinykit_ops import layout

SHORTEST = 6  #: characters; shorter values would be found in every other word
#: Logins (JSON Web Tokens) and private age keys, whoever made them.
_SHAPES = re.compile(
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}|AGE-SECRET-KEY-1[A-Z0-9]{20,}"
)


def known_secrets(folder: Path = Path(layout.SECRETS_DIR)) -> dict[str, str]:
    """Name → value of the secrets of this host; a file with several keys gives several.

    Raises:
        OSError: they cannot be read; better no log than one that is not masked.
    """
    found = {}
    for path in sorted(folder.iterdir()):
        for number, word in enumerate(path.read_text().split("\n")):
            found[f"{path.name}{number or ''}"] = word.strip()
    return {name: value for name, value in found.items() if len(value) >= SHORTEST}


class Masker:
    """Takes secrets out of a text.

    Args:
        secrets: name → value.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        spelled = {form: name for name, value in secrets.items() for form in spellings(value)}
        # The longest first: one secret may be the beginning of another.
        forms = sorted(spelled, key=len, reverse=True)
        self._names = spelled
        self._pattern = re.compile("|".join(map(re.escape, forms))) if forms else None

    def __call__(self, text: str) -> str:
        """The text with a name in the place of each secret."""
        if self._pattern:
            text = self._pattern.sub(lambda found: f"***{self._names[found[0]]}***", text)
        return _SHAPES.sub("***token***", text)


def spellings(value: str) -> set[str]:
    """As it is, in JSON, and in an address."""
    return {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        quote(value),
        quote(value, safe=""),
    }
