from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from judge_kit import COOKIE, log_in
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


@pytest.fixture(scope="module")
def user(server: Server) -> dict[str, str]:
    account = {"email": "user@example.com", "password": "password-of-user"}
    server.pb.create_record("users", {**account, "passwordConfirm": account["password"]})
    answer = log_in(server, account["email"], account["password"])
    return {**account, "token": answer.json()["token"], "set_cookie": answer.headers["Set-Cookie"]}


@pytest.fixture
def account(user: dict[str, str]) -> dict[str, str]:
    """What proves an account."""
    return {"Cookie": f"{COOKIE}={user['token']}"}


@pytest.fixture
def without(server: Server) -> Iterator[object]:
    """Take credentials of the unit away; they come back."""

    def take(name: str, instead: str | None = None) -> None:
        path = server.credentials / name
        path.unlink() if instead is None else path.write_text(instead)

    yield take
    server.write_credentials()
