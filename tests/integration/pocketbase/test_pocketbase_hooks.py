from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from pocketbase_kit import EMAIL, PASSWORD, Server
from waiting import PATIENCE, until

from tinykit_ops.pocketbase.client import PocketBase

SNAPSHOT = "/api/tinykit-ops/snapshot"


def begun(server: Server) -> str:
    """A snapshot that has just begun. The end of one is told a moment before the next may begin."""

    def ask() -> str:
        answer = server.ask("POST", SNAPSHOT)
        assert answer.status_code in (202, 409)
        return str(answer.json()["id"]) if answer.status_code == 202 else ""

    return until(ask, "the beginning of a snapshot")


def finished(server: Server, snapshot: str) -> dict[str, str]:
    def told() -> dict[str, str]:
        found: dict[str, str] = server.ask("GET", f"{SNAPSHOT}/{snapshot}").json()
        return {} if found.get("state") == "running" else found

    return until(told, "the end of a snapshot")


def take(server: Server) -> Path:
    told = finished(server, begun(server))
    assert told["state"] == "done", told
    return server.snapshots / told["file"]


def copies(server: Server) -> bool:
    """Whether it is at a snapshot right now."""
    return (server.snapshots / "running").exists()


@pytest.fixture(autouse=True)
def no_load_of_earlier_tests(request: pytest.FixtureRequest) -> None:
    if "heavy" in request.fixturenames:
        pb = request.getfixturevalue("heavy").pb
        for record in list(pb.records("notes", 'title~"load "')):
            pb.delete_record("notes", record["id"])


@contextmanager
def writing(server: Server) -> Iterator[list[bool]]:
    """A client that writes numbered notes all the time; yields of each that was acknowledged
    whether a snapshot was being taken from before it was sent until after that."""
    written: list[bool] = []
    ended = threading.Event()

    def write() -> None:
        with PocketBase(server.url, timeout=PATIENCE) as client:
            client.login_superuser(EMAIL, PASSWORD)
            while not ended.is_set():
                before = copies(server)
                client.create_record("notes", {"title": f"load {len(written):06d}"})
                written.append(before and copies(server))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield written
    finally:
        ended.set()
        thread.join()


def titles(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        query = "SELECT title FROM notes WHERE title LIKE 'load %' ORDER BY title"
        return [row[0] for row in database.execute(query)]


@pytest.fixture(scope="module")
def heavy(server: Server) -> Server:
    """The server with some 100 MB in it, so that a copy takes a while."""
    for number in range(100):
        body = f"{number}" + "0123456789abcdef" * 62_500
        server.pb.create_record("notes", {"title": "heavy", "body": body})
    return server


def test_a_snapshot_under_load_holds_every_acknowledged_write_before_it_without_a_gap(
    heavy: Server,
) -> None:
    with writing(heavy) as written:
        until(lambda: len(written) >= 50, "fifty writes")
        for _ in range(3):
            acknowledged = len(written)
            copy = take(heavy)
            found = titles(copy)
            copy.unlink()
            assert len(found) >= acknowledged
            assert found == [f"load {number:06d}" for number in range(len(found))]
    assert heavy.pb.count("notes", 'title~"load "') == len(written)
    assert "panic" not in heavy.log_text()


def test_writes_go_on_while_a_snapshot_is_taken(heavy: Server) -> None:
    def written_beside_one(written: list[bool]) -> int:
        before = len(written)
        take(heavy).unlink()
        return sum(written[before:])

    with writing(heavy) as written:
        until(lambda: len(written) >= 20, "twenty writes")
        # A copy of 100 MB may be made before a busy machine lets the client write so often.
        until(lambda: written_beside_one(written) > 5, "a snapshot with writes beside it")


def test_a_second_snapshot_while_one_runs_is_409(heavy: Server) -> None:
    def is_refused() -> bool:
        first = begun(heavy)
        second = heavy.ask("POST", SNAPSHOT)
        if second.status_code == 202:  # on a busy machine the first may be over by then
            assert heavy.ask("GET", f"{SNAPSHOT}/{first}").json()["state"] == "done"
            (heavy.snapshots / finished(heavy, second.json()["id"])["file"]).unlink()
        told = finished(heavy, first)
        assert told["state"] == "done"
        (heavy.snapshots / told["file"]).unlink()
        return bool(second.status_code == 409)

    until(is_refused, "a refusal")


def test_without_the_secret_nothing_is_told_or_started(server: Server) -> None:
    for wrong in ("", "short", server.token[:-1], server.token + "x"):
        for method, path in (
            ("POST", SNAPSHOT),
            ("GET", f"{SNAPSHOT}/any"),
            ("GET", "/api/tinykit-ops/judge?need=account&match=all"),
        ):
            assert server.ask(method, path, token=wrong).status_code == 403
    until(lambda: not list(server.snapshots.iterdir()), "an empty folder of snapshots")


def test_an_empty_secret_file_lets_nobody_in(server: Server) -> None:
    server.token_file.write_text("\n")
    try:
        assert server.ask("POST", SNAPSHOT, token="").status_code == 403
    finally:
        server.token_file.write_text(server.token + "\n")


def test_a_new_secret_counts_without_a_restart(server: Server) -> None:
    server.token_file.write_text("n" * 40)
    try:
        assert server.ask("GET", f"{SNAPSHOT}/x", token="n" * 40).status_code == 404
        assert server.ask("GET", f"{SNAPSHOT}/x").status_code == 403
    finally:
        server.token_file.write_text(server.token + "\n")


def test_a_failing_copy_says_why_and_leaves_nothing(server: Server) -> None:
    # Nobody can write into a folder that is a file. (Root ignores permission bits.)
    moved = server.snapshots.rename(server.snapshots.with_name("moved"))
    server.snapshots.write_text("")
    try:
        assert server.ask("POST", SNAPSHOT).status_code >= 400
    finally:
        server.snapshots.unlink()
        moved.rename(server.snapshots)
    assert not list(server.snapshots.iterdir())
    take(server).unlink()


def test_a_server_killed_in_the_middle_of_a_copy_clears_it_when_it_starts(heavy: Server) -> None:
    def is_cut_off() -> bool:
        begun(heavy)
        heavy.kill()
        left = list(heavy.snapshots.iterdir())
        heavy.start()
        for copy in heavy.snapshots.glob("*.db"):  # on a busy machine it may be made by then
            copy.unlink()
        return [path.name for path in left] == ["running"]

    until(is_cut_off, "a kill in the middle of a copy")
    assert not list(heavy.snapshots.iterdir())
    take(heavy).unlink()


def test_a_snapshot_right_after_a_builtin_backup_is_sound_and_pocketbase_lives(
    heavy: Server,
) -> None:
    # After its own backup PocketBase has lost its locks on the file: the known hazard.
    heavy.pb.call("POST", "/api/backups", json={"name": "builtin.zip"})
    with writing(heavy) as written:
        until(lambda: len(written) >= 20, "twenty writes")
        copy = take(heavy)
    found = titles(copy)
    copy.unlink()
    assert found == [f"load {number:06d}" for number in range(len(found))]
    assert len(found) >= 20
    assert heavy.pb.count("notes", 'title~"load "') == len(written)
    heavy.pb.call("DELETE", "/api/backups/builtin.zip")
