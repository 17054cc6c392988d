"""As whom PocketBase sees the agent: loopback, also where the server is in a container."""

from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

from tinykit_ops.pocketbase.transport import Transport


class Handler(BaseHTTPRequestHandler):
    seen: ClassVar[list[str | None]] = []

    def do_GET(self):
        self.seen.append(self.headers["X-Forwarded-For"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *words):
        pass


def test_a_server_of_this_host_is_told_that_we_are_on_loopback():
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.handle_request, daemon=True).start()
        with Transport(f"http://127.0.0.1:{server.server_port}") as transport:
            transport.call("GET", "/")
    assert Handler.seen == ["127.0.0.1"]
    with Transport("https://apps.example.com") as elsewhere:
        assert "X-Forwarded-For" not in elsewhere._http.headers
