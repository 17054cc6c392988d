from __future__ import annotations

import hashlib
import socket
import threading

import pytest
from pocketbase_kit import EMAIL, PASSWORD, Server
from ports import free_port

from tinykit_ops.pocketbase.client import PocketBase
from tinykit_ops.pocketbase.errors import (
    PocketBaseAccessError,
    PocketBaseRequestError,
    PocketBaseUnreachableError,
)


def test_records_are_created_changed_counted_and_deleted(server: Server) -> None:
    made = server.pb.create_record("notes", {"title": "one"})
    server.pb.update_record("notes", made["id"], {"title": "two"})
    assert [r["title"] for r in server.pb.records("notes", f'id="{made["id"]}"')] == ["two"]
    assert server.pb.count("notes", f'id="{made["id"]}"') == 1
    server.pb.delete_record("notes", made["id"])
    assert server.pb.count("notes", f'id="{made["id"]}"') == 0


def test_all_records_come_back_over_several_pages(server: Server) -> None:
    for number in range(501):
        server.pb.create_record("notes", {"title": f"page {number}"})
    found = [r["title"] for r in server.pb.records("notes", 'title~"page "')]
    assert found == [f"page {number}" for number in range(501)]


def test_a_collection_name_cannot_reach_another_route(server: Server) -> None:
    with pytest.raises(PocketBaseRequestError) as caught:
        server.pb.create_record("../../settings", {})
    assert caught.value.status in (400, 404)


def test_rules_and_settings_can_be_changed(server: Server) -> None:
    server.pb.update_collection("users", {"createRule": None})
    users = next(c for c in server.pb.collections() if c["name"] == "users")
    assert users["createRule"] is None
    server.pb.update_settings({"meta": {"appName": "changed"}})
    assert server.pb.get_settings()["meta"]["appName"] == "changed"


def test_an_upload_reads_back_by_digest_also_when_it_is_protected(server: Server) -> None:
    files = {"secret_paper": ("paper.txt", b"only for some")}
    made = server.pb.create_record("notes", {"title": "with file"}, files)
    digest = server.pb.file_digest("notes", made["id"], made["secret_paper"])
    assert digest == (13, hashlib.sha256(b"only for some").hexdigest())


def test_a_wrong_password_is_named_with_the_account_and_without_the_password(
    server: Server,
) -> None:
    with PocketBase(server.url) as other, pytest.raises(PocketBaseAccessError) as caught:
        other.login_superuser(EMAIL, "canary-wrong-password")
    assert EMAIL in str(caught.value)
    assert "canary" not in str(caught.value)


def test_settings_without_a_login_say_that_one_is_needed(server: Server) -> None:
    with PocketBase(server.url) as other, pytest.raises(PocketBaseAccessError, match=r"40[13]"):
        other.get_settings()


def test_after_close_the_token_is_forgotten(server: Server) -> None:
    other = PocketBase(server.url)
    other.login_superuser(EMAIL, PASSWORD)
    other.close()
    with pytest.raises(PocketBaseAccessError):
        other.get_settings()


def test_a_refused_field_is_named(server: Server) -> None:
    with pytest.raises(PocketBaseRequestError, match="email: "):
        passwords = {"password": "long-enough", "passwordConfirm": "long-enough"}
        server.pb.create_record("users", {"email": "nonsense", **passwords})


def test_no_server_means_unreachable_with_the_address() -> None:
    port = free_port()
    with pytest.raises(PocketBaseUnreachableError, match=str(port)):
        PocketBase(f"http://127.0.0.1:{port}").health()


def test_waiting_ends_after_the_seconds_given() -> None:
    with pytest.raises(PocketBaseUnreachableError, match="not healthy"):
        PocketBase(f"http://127.0.0.1:{free_port()}").wait_until_healthy(0.3)


def test_something_else_on_the_port_is_not_taken_for_pocketbase() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(PocketBaseUnreachableError, match="not PocketBase"):
            PocketBase(f"http://127.0.0.1:{port}").health()
        thread.join()


def test_the_password_and_token_are_not_shown_by_repr(server: Server) -> None:
    assert PASSWORD not in repr(server.pb) and "eyJ" not in repr(server.pb)
