from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pocketbase_kit import VERSIONS, Server, make_template


@pytest.fixture(scope="session", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def template(version: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template"), version)


@pytest.fixture(scope="module")
def server(
    version: str, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A running server of each version, with the collection `notes`."""
    one = Server(tmp_path_factory.mktemp("pocketbase"), version, template)
    try:
        yield one.start().make_notes()
    finally:
        one.kill()
