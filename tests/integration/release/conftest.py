"""A repository for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from release_kit import Repository, make_repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with one commit that can be built."""
    return make_repository(tmp_path / "app")
