"""A right set of settings, to be made wrong one value at a time."""

from __future__ import annotations

from typing import Any

import pytest

GOOD: dict[str, Any] = {
    "domains": ["apps.example.com"],
    "admin_email": "you@example.com",
    "app": {"archive": "dist/tinykit.tar.zst"},
}


@pytest.fixture
def good() -> dict[str, Any]:
    """The least that has to be said."""
    return {key: value.copy() if hasattr(value, "copy") else value for key, value in GOOD.items()}
