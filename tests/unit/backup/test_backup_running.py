"""Whether PocketBase runs, as far as its port tells."""

import socket
import threading

import pytest

from tinykit_ops.backup import running
from tinykit_ops.backup.places import Places


@pytest.fixture
def told(tmp_path, monkeypatch):
    """What is said of a port where something accepts connections and then does `what`."""
    monkeypatch.setattr(running, "_unit_is_up", lambda _: False)

    def ask(what):
        with socket.create_server(("127.0.0.1", 0)) as server:
            url = f"http://127.0.0.1:{server.getsockname()[1]}"

            def serve():
                connection, _ = server.accept()
                with connection:
                    what(connection)

            thread = threading.Thread(target=serve)
            thread.start()
            places = Places(pocketbase_url=url, data=tmp_path)
            found = running.is_running(places)
            thread.join()
        return found

    return ask


def test_a_server_that_answers_runs(told):
    assert told(lambda it: it.sendall(b"HTTP/1.0 200 OK\r\n\r\n") or it.recv(100))


def test_a_port_that_docker_holds_for_nobody_is_no_server(told):
    assert not told(lambda it: None)


def test_where_nobody_listens_nobody_runs(told, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    places = Places(pocketbase_url=f"http://127.0.0.1:{port}", data=tmp_path)
    assert not running.is_running(places)


def test_who_accepts_and_says_nothing_counts_as_running(told, monkeypatch):
    monkeypatch.setattr(running, "PATIENCE", 0.2)

    def wait(connection):
        while connection.recv(4096):  # until the other side has given up
            pass

    assert told(wait)
