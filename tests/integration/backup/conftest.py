from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "pocketbase"))

import pytest
from backup_kit import Instance, S3Server
from pocketbase_kit import VERSIONS, Server, make_template

NEWEST = VERSIONS[-1]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("templates")
    return {version: make_template(folder, version) for version in VERSIONS}


@pytest.fixture
def version() -> str:
    """The PocketBase of most tests; some parametrize it with both."""
    return NEWEST


@pytest.fixture
def instance(version: str, templates: dict[str, Path], tmp_path: Path) -> Iterator[Instance]:
    """A running PocketBase with three notes, uploads and an account, and its agent."""
    folder = tmp_path / "server"
    folder.mkdir()
    server = Server(folder, version, templates[version])
    try:
        server.start().make_notes()
        one = Instance(tmp_path / "host", server)
        fill(server)
        yield one
    finally:
        server.kill()


def fill(server: Server) -> None:
    server.pb.create_record("notes", {"title": "plain", "body": "no files"})
    server.pb.create_record(
        "notes", {"title": "picture"}, {"picture": ("cat.png", b"\x89PNG" + b"cat" * 5000)}
    )
    # The same content twice: it is stored once.
    server.pb.create_record(
        "notes", {"title": "copy"}, {"picture": ("same.png", b"\x89PNG" + b"cat" * 5000)}
    )
    server.pb.create_record(
        "notes", {"title": "secret"}, {"secret_paper": ("secret.txt", b"very secret words")}
    )
    server.pb.create_record(
        "users",
        {"email": "u@example.com", "password": "12345678", "passwordConfirm": "12345678"},
    )


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    one = S3Server(tmp_path_factory.mktemp("s3") / "objects")
    try:
        yield one.start()
    finally:
        one.stop()
