"""Stand-ins of tinykit and PocketBase: they remember what they were asked, and answer as told.

A request may say how it wants to be answered, in a header `X-Answer` with a JSON object:
`status`, `headers`, `body`, and `events` (a list of parts; between them the server waits for
`Upstream.go_on`). The judge follows the rules that PocketBase's hook follows, told again here.
"""

from __future__ import annotations

import base64
import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from ports import free_port
from waiting import PATIENCE

from tinykit_ops import layout

TOKEN = "the-secret-of-the-hooks-0123456789"
ACCOUNT_COOKIE = "__Host-tinykit_ops=good"
BASIC_COOKIE = "__Host-tinykit_ops_basic=a-random-secret"
RIGHT = "Basic " + base64.b64encode(b"builder:right").decode()
WRONG = "Basic " + base64.b64encode(b"builder:wrong").decode()


@dataclass
class Request:
    """What a stand-in was asked. Header names are lower case; several values are joined."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Upstream:
    """A running stand-in.

    Attributes:
        asked: every request but the edge's own questions.
        questions: the edge's own questions: judge, limits, names.
        allowed: how many more requests a limit lets through, by the limit's name.
        published: names that may have a certificate.
        go_on: lets streams send their next part.
    """

    name: str
    port: int = 0
    asked: list[Request] = field(default_factory=list)
    questions: list[Request] = field(default_factory=list)
    allowed: dict[str, int] = field(default_factory=dict)
    counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    published: set[str] = field(default_factory=set)
    go_on: threading.Event = field(default_factory=threading.Event)
    server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Listens on a free port of the loopback."""
        handler = type("Handler", (_Handler,), {"upstream": self})
        # A port that nobody else gets after the end: another test's stand-in would answer there.
        self.server = ThreadingHTTPServer(("127.0.0.1", free_port()), handler)
        self.server.daemon_threads = True
        self.server.socket.listen(128)  # five that wait are soon there on a busy machine
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self) -> None:
        """Stops; streams end."""
        self.go_on.set()
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: Upstream

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length or self.upstream.server is None:
            self.close_connection = True
            return  # cut off, or on a connection from before the end
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            before = headers.get(name.lower())
            headers[name.lower()] = value if before is None else f"{before}, {value}"
        request = Request(self.command, self.path, headers, body)
        own = {layout.JUDGE_ROUTE: self.judge, layout.TLS_ASK_ROUTE: self.name}
        path = urlsplit(self.path).path
        if path in own:
            self.upstream.questions.append(request)
            own[path](request)
        elif path.startswith(layout.LIMIT_ROUTE + "/"):
            self.upstream.questions.append(request)
            self.count(request, path.rsplit("/", 1)[1])
        else:
            self.upstream.asked.append(request)
            self.as_told(json.loads(headers.get("x-answer", "{}")))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

    def as_told(self, wanted: dict[str, Any]) -> None:
        headers = {"Server": "stand-in", "X-Powered-By": "stand-in", **wanted.get("headers", {})}
        if "events" in wanted:
            self.stream(headers, wanted["events"])
        else:
            body = wanted.get("body", self.upstream.name)
            self.send(wanted.get("status", 200), headers, body)

    def stream(self, headers: dict[str, str], parts: list[str]) -> None:
        self.send_response_only(200)
        for name, value in {"Connection": "close", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        for number, part in enumerate(parts):
            if number and not self.upstream.go_on.wait(PATIENCE):
                return
            self.wfile.write(part.encode())
            self.wfile.flush()

    def judge(self, request: Request) -> None:
        if request.headers.get("x-tinykit-ops-token") != TOKEN or request.method != "GET":
            self.send(403)
            return
        asked = parse_qs(urlsplit(request.path).query.replace("+", "%2B"))
        need = unquote_plus(asked["need"][0]).replace("+", " ").split()
        page = "page" in asked
        cookies = request.headers.get("cookie", "")
        authorization = request.headers.get("authorization", "")
        shown = {
            "account": authorization == "Bearer good" or ACCOUNT_COOKIE in cookies,
            "basic": authorization == RIGHT or BASIC_COOKIE in cookies,
        }
        proven = [shown[proof] for proof in need]
        if all(proven) or (asked["match"] == ["any"] and any(proven)):
            gift = {"Set-Cookie": f"{BASIC_COOKIE}; Path=/; Secure; HttpOnly; SameSite=Lax"}
            self.send(204, gift if authorization == RIGHT and "basic" in need else {})
        elif page and "basic" in need and not shown["basic"]:
            challenge = {"WWW-Authenticate": 'Basic realm="tinykit", charset="UTF-8"'}
            both = asked["match"] == ["any"] and "account" in need
            self.send(401, challenge, '<a href="/login">Log in</a>' if both else "")
        else:
            known = any(shown.values()) or authorization == "Bearer other"
            self.send(403 if page or known else 401)

    def count(self, request: Request, limit: str) -> None:
        if request.headers.get("x-tinykit-ops-token") != TOKEN or request.method != "GET":
            self.send(403)
            return
        who = request.headers.get("x-forwarded-for", "")
        self.upstream.counted[who, limit] += 1
        allowed = self.upstream.allowed.get(limit, 1_000_000)
        self.send(204 if self.upstream.counted[who, limit] <= allowed else 429)

    def name(self, request: Request) -> None:
        wanted = parse_qs(urlsplit(request.path).query).get("domain", [""])[0]
        secret = request.headers.get("x-tinykit-ops-token") == TOKEN
        self.send(200 if secret and wanted in self.upstream.published else 404)

    def send(self, status: int, headers: dict[str, str] | None = None, body: str = "") -> None:
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
