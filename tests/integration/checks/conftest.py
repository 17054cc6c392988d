"""The contract app with a real PocketBase, as its README would start it: behind nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tinykit_ops.artifacts import local_binary
from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.contract_instance import Instance, running


@pytest.fixture(scope="session")
def built_app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked release of the contract app."""
    folder = tmp_path_factory.mktemp("checked")
    archive = build_contract_release(folder / "release").archive
    (folder / "app").mkdir()
    unpack = ["tar", "--zstd", "-xf", str(archive), "-C", str(folder / "app")]
    subprocess.run(unpack, check=True)
    return folder / "app"


@pytest.fixture
def start_raw(built_app: Path, tmp_path: Path) -> Iterator[Callable[..., Instance]]:
    """Starts an instance that ends with the test."""
    with ExitStack() as stack:

        def start(version: str | None = None, **options: object) -> Instance:
            binary = local_binary("pocketbase", version)
            folder = tmp_path / "instance"
            return stack.enter_context(running(built_app, folder, binary, **options))

        yield start
