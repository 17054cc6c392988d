"""The contract app, built by npm, running beside a real PocketBase."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from contract_kit import App

from tinykit_ops.artifacts import local_binary
from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.contract_instance import running

BEHIND_AN_EDGE = {"PROTOCOL_HEADER": "x-forwarded-proto"}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked release of the contract app."""
    folder = tmp_path_factory.mktemp("contract")
    archive = build_contract_release(folder / "release").archive
    (folder / "app").mkdir()
    unpack = ["tar", "--zstd", "-xf", str(archive), "-C", str(folder / "app")]
    subprocess.run(unpack, check=True)
    return folder / "app"


@pytest.fixture
def start(built: Path, tmp_path: Path) -> Iterator[Callable[..., App]]:
    """A function that starts an instance of its own, which lives as long as the test."""
    with ExitStack() as stack:

        def start(**options: Any) -> App:
            options.setdefault("environment", BEHIND_AN_EDGE)
            folder = tmp_path / f"instance-{len(list(tmp_path.iterdir()))}"
            binary = local_binary("pocketbase")
            return App(stack.enter_context(running(built, folder, binary, **options)))

        yield start


@pytest.fixture(scope="module")
def app(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """One claimed instance with a published project, shared by the tests of a module."""
    folder = tmp_path_factory.mktemp("instance")
    binary = local_binary("pocketbase")
    with running(built, folder, binary, environment=BEHIND_AN_EDGE) as instance:
        app = App(instance)
        app.publish()
        yield app
