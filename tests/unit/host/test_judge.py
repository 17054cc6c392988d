"""What counts as a server that is well."""

import http.server
import threading

import pytest

from tinykit_ops.errors import UnavailableError
from tinykit_ops.host.judge import judge

GOOD = {
    "/login": (200, "<html>"),
    "/api/setup": (200, '{"needs_setup":false}'),
    "/_tk/data/none/none": (404, "{}"),
    "/_tk/assets/placeholder.jpg": (200, "<svg/>"),
}


class FakeUnit:
    name = "tinykit.service"

    def __init__(self):
        self.processes = [("1", "0")]
        self.active = True

    def is_active(self):
        return self.active

    def identity(self):
        return self.processes.pop(0) if len(self.processes) > 1 else self.processes[0]

    def last_lines(self):
        return "the last words"


@pytest.fixture(autouse=True)
def proxied(monkeypatch):
    """The host has a proxy for the world, which does not lead to its own servers."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def served():
    """A server that answers as `answers` says; returns (its address, answers)."""
    answers = dict(GOOD)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, text = answers.get(self.path, (404, ""))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()
    thread.join()
    server.server_close()


def judged(url, unit=None, **words):
    judge(unit or FakeUnit(), url, 0.05, **{"patience": 0, "sleep": lambda _: None, **words})


def test_a_server_that_answers_as_tinykit_does_is_well(served):
    judged(served[0])


@pytest.mark.parametrize("path", GOOD)
def test_every_route_counts(served, path):
    url, answers = served
    answers[path] = (500, "")
    with pytest.raises(UnavailableError, match=path) as caught:
        judged(url)
    assert "the last words" in caught.value.what


def test_another_server_on_the_port_is_not_tinykit(served):
    url, answers = served
    answers["/api/setup"] = (200, "hello")
    with pytest.raises(UnavailableError, match="not tinykit's"):
        judged(url)


def test_nobody_on_the_port_is_told(served):
    with pytest.raises(UnavailableError, match="ConnectionError"):
        judged("http://127.0.0.1:9")


def test_a_server_that_was_started_anew_in_between_is_not_well(served):
    unit = FakeUnit()
    unit.processes = [("1", "0"), ("2", "1")]
    with pytest.raises(UnavailableError, match="started anew"):
        judged(served[0], unit)


def test_a_slow_start_is_waited_for(served):
    url, answers = served
    answers["/login"] = (502, "")
    judged(url, patience=5, sleep=lambda _: answers.update(GOOD))


def test_a_unit_that_is_down_is_not_waited_for(served):
    unit = FakeUnit()
    unit.active = False
    with pytest.raises(UnavailableError):
        judged("http://127.0.0.1:9", unit, patience=3600)
