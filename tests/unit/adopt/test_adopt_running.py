"""Going back is done when the old install serves again: PocketBase and tinykit."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tinykit_ops.adopt import running
from tinykit_ops.adopt.model import Install
from tinykit_ops.errors import UnavailableError


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        code = 200 if self.path == "/api/health" else self.server.code
        body = b'{"code":200}'
        self.send_response(code)
        self.send_header("Location", "/login")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    """serve(code) → a server that is PocketBase and tinykit; `url` is where."""
    made = []

    def make(code):
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.code, server.asked = code, []
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.append(server)
        return server

    yield make
    for server in made:
        server.shutdown()
        server.server_close()


def install(server, url):
    return Install(system="debian 13", layout="systemd", url=url, pocketbase_url=server.url)


@pytest.mark.parametrize("code", [200, 302, 404, 500])
def test_whatever_tinykit_answers_it_is_back(serve, code):
    server = serve(code)
    running.see_that_it_serves(install(server, server.url))
    assert server.asked == ["/api/health", "/"]


def test_a_tinykit_that_comes_later_than_pocketbase_is_waited_for(serve, monkeypatch):
    server = serve(200)
    late = ["http://127.0.0.1:9", "http://127.0.0.1:9", server.url]
    silence = running._silence
    monkeypatch.setattr(running, "_silence", lambda _: silence(late.pop(0)))
    running.see_that_it_serves(install(server, server.url))
    assert late == []


def test_a_tinykit_that_never_answers_is_told_with_its_address(serve, monkeypatch):
    server = serve(200)
    monkeypatch.setattr(running, "HEALTHY_SECONDS", 0.3)
    with pytest.raises(UnavailableError, match="tinykit of the old install") as told:
        running.see_that_it_serves(install(server, "http://127.0.0.1:9"))
    assert told.value.where == "http://127.0.0.1:9"
    assert "log" in told.value.hint
