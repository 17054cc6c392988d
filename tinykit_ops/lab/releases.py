"""The Debian releases a lab host can be."""

from __future__ import annotations

from tinykit_ops.errors import UsageError

CODENAMES = {"13": "trixie", "12": "bookworm"}
DEFAULT_RELEASE = "13"


def codename(release: str) -> str:
    """ "13" or "trixie" → "trixie". Raises: UsageError for a release that the lab has not."""
    wanted = release.strip().lower()
    if wanted in CODENAMES:
        return CODENAMES[wanted]
    if wanted in CODENAMES.values():
        return wanted
    raise UsageError(
        f"The lab has no Debian release {release!r}.",
        hint="Use one of: 13 (trixie), 12 (bookworm).",
    )


def number(code: str) -> str:
    """ "trixie" → "13"."""
    return {value: key for key, value in CODENAMES.items()}[code]
