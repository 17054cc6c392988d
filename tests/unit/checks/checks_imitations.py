"""Instances as they answer: raw tinykit as its README starts it, and one behind a tight edge."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from checks_site import Answers, Say, say

from tinykit_ops.checks.context import Context
from tinykit_ops.checks.dial import Here
from tinykit_ops.checks.host import CommandResult, FileFacts
from tinykit_ops.checks.http import Client
from tinykit_ops.checks.manners import Manners
from tinykit_ops.checks.model import CannotLook, Verdict
from tinykit_ops.checks.registry import check_named
from tinykit_ops.checks.runner import run_one
from tinykit_ops.checks.target import Target
from tinykit_ops.edge.probe import UNKNOWN_ID

ADDRESS = "192.0.2.7"  # never connected to: `Mapped` leads it to loopback
NAME, BUILDER = "apps.example.test", "build.example.test"
PICTURE = say(200, "<svg xmlns='x'></svg>", content_type="image/svg+xml")
INERT = {"x_content_type_options": "nosniff", "content_security_policy": "sandbox"}
QUIET = say(
    200,
    "<svg xmlns='x'></svg>",
    content_type="image/svg+xml",
    strict_transport_security="max-age=31536000",
    **INERT,
)
SHELL = say(200, "<script>__sveltekit_1x = {}</script>", x_sveltekit_page="true")
NO_TOKEN = (
    '{"data":{},"message":"The request requires valid record authorization token.","status":401}'
)
ONLY_SUPERUSERS = '{"data":{},"message":"Only superusers can perform this action.","status":403}'


def raw() -> Answers:
    """What tinykit at 617db34 with PocketBase 0.40.6 answers, as seen on the real ones."""
    not_found = say(404, '{"error":"Project not found"}')
    guarded = say(401, NO_TOKEN)
    return {
        "/_tk/assets/placeholder.jpg": PICTURE,
        "/api/proxy": say(400, '{"error":"Missing url parameter"}'),
        f"/_tk/data/{UNKNOWN_ID}/__proto__": not_found,
        f"/_tk/data/{UNKNOWN_ID}/toString": not_found,
        f"/_tk/data/{UNKNOWN_ID}/constructor": not_found,
        f"DELETE /_tk/data/{UNKNOWN_ID}/tkops-check/none": not_found,
        "GET /api/setup": say(200, '{"needs_setup":true}'),
        "POST /api/setup": say(400, '{"error":"Email and password are required"}'),
        "/setup": SHELL,
        "/login": SHELL,
        "/tinykit": SHELL,
        "/%74inykit": SHELL,
        "/x/../tinykit": SHELL,
        "/x\\..\\tinykit": SHELL,
        "/x/%2e%2e/tinykit": SHELL,
        "/tinykit/studio/__data.json": say(200, '{"type":"data","nodes":[]}'),
        f"/tinykit/preview/{UNKNOWN_ID}": say(404, '{"message":"Project not found"}'),
        f"/api/projects/{UNKNOWN_ID}/export": not_found,
        f"/api/templates/{UNKNOWN_ID}": say(404, '{"message":"Template not found"}'),
        "/api/settings/validate-llm": say(400, '{"error":"Missing provider or api_key"}'),
        "/api/auth/save-server-credentials": say(400, '{"error":"Email and password required"}'),
        "/api/migrate-build-fields": say(405, "GET method not allowed", allow="POST"),
        "/api/projects": say(401, '{"error":"Authentication required"}'),
        "/_pb/_/": say(308, "", location="/_pb/_"),
        "/_pb/api/collections/_superusers/auth-methods": say(200, '{"password":{}}'),
        "/_pb/api/settings": guarded,
        "/_pb/api/backups": guarded,
        "/_pb/api/logs": guarded,
        "/_pb/api/crons": guarded,
        "/_pb/api/sql": say(404, '{"data":{},"message":"File not found.","status":404}'),
        "/_pb/api/collections": guarded,
        "/_pb/api/health": say(200, '{"message":"API is healthy.","code":200,"data":{}}'),
        "GET /_pb/api/collections/users/records": say(200, '{"items":[],"totalItems":0}'),
        "POST /_pb/api/collections/users/records": say(403, ONLY_SUPERUSERS),
    }


def hardened() -> Answers:
    """What an edge lets a stranger see: the published app, the doors, its own answers."""
    door = say(302, "", location="/login")
    refused = say(401)
    return {
        "/_tk/assets/placeholder.jpg": QUIET,
        "tinykit-ops-check.invalid /_tk/assets/placeholder.jpg": say(421),
        "/api/proxy": say(400, '{"error":"Missing url parameter"}', **INERT),
        "/.well-known/security.txt": security_txt(),
        f"DELETE /_tk/data/{UNKNOWN_ID}/tkops-check/none": say(403),
        f"DELETE /_tk/data/{UNKNOWN_ID}/tkops-check/none from https://{NAME}": say(
            404, '{"message":"Project not found"}'
        ),
        "GET /api/setup": say(200, '{"needs_setup":false}'),
        "POST /api/setup": say(404),
        "/setup": say(404),
        "/login": SHELL,
        "/tinykit": door,
        "/%74inykit": door,
        "//tinykit": door,
        "/x/../tinykit": door,
        "/x\\..\\tinykit": say(200, "<html>the published app</html>"),
        "/x/%2e%2e/tinykit": door,
        "/tinykit/studio/__data.json": door,
        f"/tinykit/preview/{UNKNOWN_ID}": door,
        f"/api/projects/{UNKNOWN_ID}/export": refused,
        f"/api/templates/{UNKNOWN_ID}": refused,
        "/api/settings/validate-llm": refused,
        "/api/auth/save-server-credentials": say(200, '{"ok":true,"saved":false}'),
        "/api/migrate-build-fields": say(404),
        "/api/projects": refused,
        **{
            f"/_pb/{rest}": say(403)
            for rest in (
                "_/",
                "api/collections/_superusers/auth-methods",
                "api/settings",
                "api/backups",
                "api/logs",
                "api/crons",
                "api/sql",
                "api/collections",
            )
        },
        "/_pb/api/health": refused,
        "/_pb/api/collections/users/records": refused,
    }


def inside() -> Answers:
    """What an edge lets somebody see who passes the builder's gate."""
    return {
        **hardened(),
        f"{NAME} /login": say(404),
        "/tinykit": say(200, SHELL[1], x_sveltekit_page="true", x_frame_options="SAMEORIGIN"),
        f"/tinykit/preview/{UNKNOWN_ID}": say(
            404,
            '{"message":"Project not found"}',
            x_content_type_options="nosniff",
            content_security_policy="sandbox allow-scripts; frame-ancestors 'self'",
        ),
        "/_pb/api/health": say(200, '{"message":"API is healthy."}'),
    }


def security_txt(days: float = 200, *more: str, contact: str = "mailto:a@example.test") -> Say:
    ends = datetime.now(UTC) + timedelta(days=days)
    lines = [f"Contact: {contact}", f"Expires: {ends.isoformat()}", *more]
    return say(200, "\n".join(lines), content_type="text/plain; charset=utf-8")


class Mapped:
    """A dialer that leads ports of 192.0.2.7 to local ones.

    Attributes:
        ports: what is open, by the port that the client asks for.
        silent: ports where a firewall drops; all others refuse.
    """

    def __init__(
        self, ports: dict[int, int], silent: set[int] | None = None, name: str = "the test"
    ) -> None:
        self.name = name
        self.ports = ports
        self.silent = silent or set()

    def dial(self, address: str, port: int, timeout: float) -> socket.socket:
        if port in self.silent:
            raise TimeoutError
        if port not in self.ports:
            raise ConnectionRefusedError(111, "refused")
        return socket.create_connection(("127.0.0.1", self.ports[port]), timeout)

    def is_own(self, address: str) -> bool:
        return Here().is_own(address)


def client(dialer: Mapped, url: str = "https://apps.example.test", timeout: float = 60.0) -> Client:
    scheme, host = url.split("://")
    port = {"http": 80, "https": 443}[scheme]
    overrides = {(name, port): (ADDRESS,) for name in (host, BUILDER)}
    target = Target(scheme, host, port, overrides=overrides)
    return Client(target, dialer, Manners(timeout))


def verdict(check_id: str, look: Context) -> Verdict:
    """Run one check as the runner does; a check that breaks fails the test."""
    result = run_one(check_named(check_id), look)
    assert not result.bug, result.bug
    return result.verdict


@dataclass
class FakeHost:
    """A host that is what the test says.

    Attributes:
        files: path → (owner, mode, text).
        commands: the words → what they say; absent ones are not installed.
    """

    files: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    commands: dict[str, CommandResult] = field(default_factory=dict)

    def run(self, *argv: str, timeout: float = 20.0) -> CommandResult:
        words = " ".join(argv)
        if words not in self.commands:
            raise CannotLook(f"`{words}` is not installed")
        return self.commands[words]

    def stat(self, path: str) -> FileFacts | None:
        if path not in self.files:
            return None
        owner, mode, text = self.files[path]
        return FileFacts(path, owner, owner, mode, "file", len(text))

    def read(self, path: str) -> str | None:
        return self.files[path][2] if path in self.files else None

    def with_file(self, path: str, owner: str, mode: int, text: str = "") -> FakeHost:
        return replace(self, files={**self.files, path: (owner, mode, text)})

    def without(self, path: str) -> FakeHost:
        return replace(self, files={k: v for k, v in self.files.items() if k != path})

    def saying(self, words: str, out: str, status: int = 0, err: str = "") -> FakeHost:
        return replace(self, commands={**self.commands, words: CommandResult(status, out, err)})
