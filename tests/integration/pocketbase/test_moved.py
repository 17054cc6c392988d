"""An instance that moves may be read and not written, by anybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from judge_kit import log_in
from pocketbase_kit import EMAIL, PASSWORD, Server

from tinykit_ops.pocketbase.client import PocketBase
from tinykit_ops.pocketbase.errors import PocketBaseRequestError


@pytest.fixture
def moved(server: Server) -> Iterator[str]:
    """The server, told that it has moved. Yields the id of a record that was there before."""
    record = server.pb.create_record("notes", {"title": "from before"})
    file = server.data.parent / "moved"
    file.write_text("elsewhere\n")
    yield str(record["id"])
    file.unlink()


Write = Callable[[PocketBase, str], Any]
WRITES: dict[str, Write] = {
    "a new record": lambda pb, _: pb.create_record("notes", {"title": "new"}),
    "a changed record": lambda pb, record: pb.update_record("notes", record, {"title": "other"}),
    "a deleted record": lambda pb, record: pb.delete_record("notes", record),
    "a new account": lambda pb, _: pb.create_record(
        "users", {"email": "n@example.com", "password": "x" * 12, "passwordConfirm": "x" * 12}
    ),
    "a changed collection": lambda pb, _: pb.update_collection("notes", {"listRule": ""}),
    "changed settings": lambda pb, _: pb.update_settings({"meta": {"appName": "other"}}),
}


@pytest.mark.parametrize("what", WRITES)
def test_a_write_is_refused_as_unavailable_also_for_the_superuser(
    server: Server, moved: str, what: str
) -> None:
    with pytest.raises(PocketBaseRequestError) as refused:
        WRITES[what](server.pb, moved)
    # For a collection, PocketBase wraps what a hook throws.
    assert refused.value.status == (400 if what == "a changed collection" else 503)
    assert "is being moved" in refused.value.what


def test_reading_and_logging_in_go_on(server: Server, moved: str, user: dict[str, str]) -> None:
    with PocketBase(server.url) as client:
        client.login_superuser(EMAIL, PASSWORD)
        assert [row["id"] for row in client.records("notes", f'id="{moved}"')] == [moved]
    assert log_in(server, user["email"], user["password"]).status_code == 200


def test_when_it_is_taken_back_everything_is_written_again(server: Server) -> None:
    made = server.pb.create_record("notes", {"title": "after"})
    server.pb.delete_record("notes", made["id"])
