"""Path tricks: ways to spell, wrap or hide a request for something that is not for everybody.

One list for both proxies. Each trick makes requests out of a protected target; sent by a stranger
without any proof, none may be answered by the application, nor arrive there as what it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from edge_cases import POCKETBASE, TINYKIT, U


@dataclass(frozen=True)
class Target:
    """Something protected: a request that the application would answer to anybody.

    Attributes:
        builders: who passes the builder's gate may have it; else nobody but the administration.
        opens: texts of which one is in the application's own answer; none where it has no body.
    """

    method: str
    path: str
    opens: tuple[str, ...]
    body: str = ""
    builders: bool = False


#: PocketBase's own collections that no builder has business with.
SYSTEM = {"_superusers", "pbc_3142635823", "_externalauths", "_mfas", "_otps", "_authorigins"}
SAYS_401 = '"error":"Unauthorized"'
SHELL = ("x-sveltekit-page: true", "__sveltekit_", "/_app/immutable/")
TARGETS = (
    Target("GET", "/tinykit", SHELL, builders=True),
    Target("GET", "/tinykit/studio", SHELL, builders=True),
    Target("GET", f"/tinykit/preview/{U}", ("Project not found",), builders=True),
    Target("GET", f"/api/projects/{U}/export", ("Project not found",), builders=True),
    Target("GET", "/api/projects", ("Authentication required", SAYS_401), builders=True),
    Target("GET", "/setup", SHELL),
    Target("POST", "/api/setup", ("Email and password are", "Setup already completed"), "{}"),
    Target("GET", "/api/migrate-build-fields", ("GET method not allowed",)),
    Target("GET", "/_pb/_/", ("PocketBase",)),
    Target("GET", "/_pb/api/settings", ('"data":{}',)),
    Target("GET", "/_pb/api/collections/_superusers/auth-methods", ('"password":{',)),
    Target("GET", "/_pb/api/collections/_superusers/records", ('"data":{}', '"totalItems"')),
    Target(
        "POST",
        "/_pb/api/collections/_superusers/auth-with-password",
        ('"data":{',),
        '{"identity":"a@lab.test","password":"wrong-wrong"}',
    ),
    Target("GET", "/_pb/api/tinykit-ops/judge?need=account&match=all", ()),
)


@dataclass(frozen=True)
class Trick:
    """One way to ask. `raw` makes the bytes: (target, host, mark's header line) → request."""

    name: str
    raw: Callable[[Target, str, str], bytes]
    plain: bool = False  #: over HTTP without TLS
    more: bool = False  #: another answer may come behind the first


def message(
    target: Target,
    host: str,
    mark: str,
    *,
    path: str = "",
    head: str = "",
    method: str = "",
    version: str = "HTTP/1.1",
    host_lines: Sequence[str] | None = None,
) -> bytes:
    lines = [f"{method or target.method} {path or target.path} {version}"]
    lines += [f"Host: {host}"] if host_lines is None else list(host_lines)
    lines += [mark, *([head] if head else [])]
    if target.body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(target.body)}"]
    text = "\r\n".join(lines) + "\r\n\r\n" + target.body
    return text.encode("latin-1")


def by_path(name: str, change: Callable[[str], str]) -> Trick:
    """A trick with the path alone; a query of the target stays behind it."""

    def raw(target: Target, host: str, mark: str) -> bytes:
        path, _, query = target.path.partition("?")
        return message(target, host, mark, path=change(path) + (f"?{query}" if query else ""))

    return Trick(name, raw)


def by_header(name: str, line: Callable[[Target, str], str], path: str = "") -> Trick:
    """A trick with a header."""

    def raw(target: Target, host: str, mark: str) -> bytes:
        return message(target, host, mark, path=path, head=line(target, host))

    return Trick(name, raw)


def by_host(name: str, lines: Callable[[str], Sequence[str]]) -> Trick:
    """A trick with the Host."""

    def raw(target: Target, host: str, mark: str) -> bytes:
        return message(target, host, mark, host_lines=lines(host))

    return Trick(name, raw)


def is_protected(port: int, target: str) -> bool:
    """Would the server on that port read this request target as something protected?

    Read as generously as any of them does: tinykit decodes once, takes backslashes for slashes,
    resolves dots, and drops `/__data.json`; PocketBase decodes once. Both keep the case.
    """
    if port == POCKETBASE:
        return True  # nothing there is for a stranger without a proof
    assert port == TINYKIT
    kept = _segments(target)
    if not kept or kept[:2] == ["api", "proxy"]:
        return False
    return kept[0] in {"tinykit", "login", "setup", "api", "_pb"}


def _segments(target: str) -> list[str]:
    path = re.sub(r"^https?://[^/]*", "", target, flags=re.IGNORECASE)
    path = unquote(re.split(r"[?#]", path, maxsplit=1)[0], "latin-1")
    path = re.sub(r"[\t\r\n]", "", path).replace("\\", "/")
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            kept[-1:] = []
        elif part not in ("", "."):
            kept.append(part)
    return kept


def is_administration(port: int, target: str) -> bool:
    """The same for what not even those may have who pass the builder's gate.

    PocketBase finds collections by name or id, in any case, and folds letters as Unicode does.
    """
    if port == TINYKIT:
        kept = _segments(target)
        refused = kept[:2] in (["api", "setup"], ["api", "migrate-build-fields"])
        return refused or kept[:1] in (["setup"], ["_pb"])
    path = unicodedata.normalize("NFKC", unquote(re.split(r"[?#]", target)[0])).casefold()
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or parts[:1] != ["api"]:
        return True
    if parts[1:2] != ["collections"]:
        return parts[1:2] in (
            [name] for name in ("settings", "backups", "logs", "crons", "sql", "tinykit-ops")
        )
    if len(parts) < 4 or parts[2] in SYSTEM:
        return True
    login = parts[2] == "users" and parts[3] in {"auth-with-password", "auth-refresh"}
    return parts[3] != "records" and not login
