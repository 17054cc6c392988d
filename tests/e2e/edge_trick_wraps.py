"""Path tricks around the target: request lines, hosts, headers, hidden requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edge_cases import U
from edge_trick_kinds import Target, Trick, by_header, by_host, message


def wrapping_tricks() -> Iterator[Trick]:
    """Every trick of this kind."""
    yield from _request_lines()
    yield from _hosts()
    yield from _headers()
    yield from _smuggling()


def _request_lines() -> Iterator[Trick]:
    def absolute(form: str) -> Callable[[Target, str, str], bytes]:
        return lambda t, host, mark: message(
            t, host, mark, path=form.format(host=host, path=t.path)
        )

    yield Trick("absolute form", absolute("https://{host}{path}"))
    yield Trick("absolute form, plain scheme", absolute("http://{host}{path}"))
    yield Trick("absolute form, another host", absolute("http://localhost{path}"))
    yield Trick("absolute form, PocketBase itself", absolute("http://127.0.0.1:8091{path}"))
    yield Trick("absolute form, user", absolute("http://x@{host}{path}"))
    yield Trick("absolute form without a scheme", absolute("//{host}{path}"))
    yield Trick("absolute form, upper case", absolute("HTTPS://{host}{path}"))
    yield Trick("no slash", lambda t, h, m: message(t, h, m, path=t.path[1:]))
    yield Trick(
        "authority form", lambda t, h, m: message(t, h, m, path=f"{h}:443", method="CONNECT")
    )
    yield Trick("asterisk", lambda t, h, m: message(t, h, m, path="*", method="OPTIONS"))
    yield Trick("HTTP/1.0", lambda t, h, m: message(t, h, m, version="HTTP/1.0"))
    yield Trick(
        "HTTP/1.0 without Host", lambda t, h, m: message(t, h, m, version="HTTP/1.0", host_lines=())
    )
    yield Trick("HTTP/0.9", lambda t, _h, _m: f"{t.method} {t.path}\r\n\r\n".encode())
    yield Trick("version 1.2", lambda t, h, m: message(t, h, m, version="HTTP/1.2"))
    yield Trick("small method", lambda t, h, m: message(t, h, m, method=t.method.lower()))
    yield Trick("HEAD", lambda t, h, m: message(t, h, m, method="HEAD"))
    yield Trick("OPTIONS", lambda t, h, m: message(t, h, m, method="OPTIONS"))
    yield Trick("TRACE", lambda t, h, m: message(t, h, m, method="TRACE"))
    yield Trick("made-up method", lambda t, h, m: message(t, h, m, method="QUERY"))
    yield Trick("empty lines before", lambda t, h, m: b"\r\n\r\n" + message(t, h, m))
    yield Trick("two spaces", lambda t, h, m: message(t, h, m, path=" " + t.path))
    yield Trick("tabs for spaces", lambda t, h, m: message(t, h, m).replace(b" ", b"\t", 2))
    yield Trick("bare line feeds", lambda t, h, m: message(t, h, m).replace(b"\r\n", b"\n"))
    yield Trick("over plain HTTP", message, plain=True)


def _hosts() -> Iterator[Trick]:
    yield by_host("two hosts", lambda h: (f"Host: {h}", "Host: localhost"))
    yield by_host("two hosts, other order", lambda h: ("Host: localhost", f"Host: {h}"))
    yield by_host("the same host twice", lambda h: (f"Host: {h}", f"Host: {h}"))
    yield by_host("host with a port", lambda h: (f"Host: {h}:443",))
    yield by_host("host with another port", lambda h: (f"Host: {h}:8091",))
    yield by_host("host with a dot", lambda h: (f"Host: {h}.",))
    yield by_host("host in capitals", lambda h: (f"Host: {h.upper()}",))
    yield by_host("host with www", lambda h: (f"Host: www.{h}",))
    yield by_host("host with a user", lambda h: (f"Host: x@{h}",))
    yield by_host("host with a path", lambda h: (f"Host: {h}/tinykit",))
    yield by_host("host with a space", lambda h: (f"Host: {h} x",))
    yield by_host("localhost", lambda _: ("Host: localhost",))
    yield by_host("loopback", lambda _: ("Host: 127.0.0.1:8091",))
    yield by_host("empty host", lambda _: ("Host:",))
    yield by_host("no host", lambda _: ())
    yield by_host("host, space before colon", lambda h: (f"Host : {h}",))
    yield by_host("folded host", lambda h: ("Host:", f" {h}"))


def _headers() -> Iterator[Trick]:
    asset = "/_tk/assets/placeholder.jpg"
    for name in (
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Forwarded-Path",
        "X-Forwarded-Uri",
        "X-Accel-Redirect",
    ):
        yield by_header(name, lambda t, _, name=name: f"{name}: {t.path}", asset)
    yield by_header("X-Forwarded-Prefix", lambda t, _: f"X-Forwarded-Prefix: {t.path}", "/")
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        yield by_header(name, lambda t, _, name=name: f"{name}: OPTIONS")
    local = (
        "X-Forwarded-For",
        "X-Real-IP",
        "X-Client-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "Client-IP",
        "X-Cluster-Client-IP",
        "X-Originating-IP",
    )
    for name in local:
        yield by_header(name, lambda t, _, name=name: f"{name}: 127.0.0.1")
    yield by_header(
        "Forwarded", lambda t, _: 'Forwarded: for=127.0.0.1;proto=https;host="localhost"'
    )
    yield by_header("X-Forwarded-Host", lambda t, _: "X-Forwarded-Host: localhost:8091")
    yield by_header("X-Sveltekit-Action", lambda t, _: "X-SvelteKit-Action: true")
    yield by_header("the hook's header", lambda t, _: "X-Tinykit-Ops-Token: x")
    yield by_header("the hook's header, empty", lambda t, _: "X-Tinykit-Ops-Token:")
    yield by_header("the hook's header, an underscore", lambda t, _: "X_Tinykit_Ops_Token: x")
    yield by_header(
        "Connection takes headers off", lambda t, _: "Connection: X-Tinykit-Ops-Token, Cookie"
    )
    yield by_header(
        "Connection takes the address off", lambda t, _: "Connection: X-Forwarded-For, X-Real-IP"
    )
    websocket = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAA="
    yield by_header("Upgrade", lambda t, _: f"Connection: Upgrade\r\n{websocket}")
    h2c = "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__"
    yield by_header("Upgrade to h2c", lambda t, _: f"Connection: Upgrade, HTTP2-Settings\r\n{h2c}")
    yield by_header("Expect", lambda t, _: "Expect: 100-continue")
    yield by_header("Range", lambda t, _: "Range: bytes=0-")
    yield by_header("empty bearer", lambda t, _: "Authorization: Bearer ")
    yield by_header("null bearer", lambda t, _: "Authorization: Bearer null")
    yield by_header(
        "null cookies",
        lambda t, _: "Cookie: __Host-tinykit_ops=null; __Host-tinykit_ops_basic=null",
    )
    yield by_header(
        "many cookies",
        lambda t, _: "Cookie: " + "; ".join(f"__Host-tinykit_ops_basic=x{n}" for n in range(60)),
    )
    yield by_header(
        "referer of the builder",
        lambda t, h: f"Referer: https://{h}/tinykit\r\nOrigin: https://{h}",
    )


def _smuggling() -> Iterator[Trick]:
    """A second request in the body of a public one, whose length two readers may differ on."""

    def hidden(name: str, lines: str, before: str = "", length: str = "all") -> Trick:
        def raw(target: Target, host: str, mark: str) -> bytes:
            inner = message(target, host, mark).decode("latin-1")
            body = before + inner
            size = {"all": len(body), "before": len(before)}.get(length, 0)
            head = f"POST /{U}/page HTTP/1.1\r\nHost: {host}\r\n{mark}\r\nContent-Type: text/x\r\n"
            return (head + lines.format(size=size) + "\r\n\r\n" + body).encode("latin-1")

        return Trick(f"smuggled: {name}", raw, more=True)

    cl, te = "Content-Length: {size}", "Transfer-Encoding: chunked"
    yield hidden("length and chunked", f"{cl}\r\n{te}", "0\r\n\r\n")
    yield hidden("chunked and length", f"{te}\r\n{cl}", "0\r\n\r\n")
    yield hidden("space before the colon", f"{cl}\r\nTransfer-Encoding : chunked", "0\r\n\r\n")
    yield hidden("folded line", f"{cl}\r\nTransfer-Encoding:\r\n chunked", "0\r\n\r\n")
    yield hidden("xchunked", f"{cl}\r\nTransfer-Encoding: xchunked", "0\r\n\r\n")
    yield hidden("vertical tab", f"{cl}\r\nTransfer-Encoding: \x0bchunked", "0\r\n\r\n")
    yield hidden("chunked twice", f"{cl}\r\n{te}\r\nTransfer-Encoding: identity", "0\r\n\r\n")
    yield hidden("chunked, identity", f"{cl}\r\nTransfer-Encoding: chunked, identity", "0\r\n\r\n")
    yield hidden("underscore", f"{cl}\r\nTransfer_Encoding: chunked", "0\r\n\r\n")
    yield hidden("quoted", f'{cl}\r\nTransfer-Encoding: "chunked"', "0\r\n\r\n")
    yield hidden("two lengths", "Content-Length: 0\r\n" + cl)
    yield hidden("two lengths, other order", cl + "\r\nContent-Length: 0")
    yield hidden("list of lengths", "Content-Length: 0, {size}")
    yield hidden("length with a plus", "Content-Length: +0")
    yield hidden("length in hex", "Content-Length: 0x0")
    yield hidden("negative length", "Content-Length: -1")
    yield hidden("length with a space", "Content-Length : {size}")
    yield hidden(
        "bare line feed in a header", cl + "\r\nX-A: 1\nTransfer-Encoding: chunked", "0\r\n\r\n"
    )
    yield hidden("bare carriage return", cl + "\r\nX-A: 1\rTransfer-Encoding: chunked", "0\r\n\r\n")
    yield hidden("null in a header", cl + "\r\nX-A: 1\x00\r\n" + te, "0\r\n\r\n")
    yield hidden("chunk extension", te, "0;x=\r\n\r\n")
    yield hidden("chunk size with a sign", te, "+0\r\n\r\n")
    yield hidden("chunk size overflows", te, "10000000000000000\r\n\r\n0\r\n\r\n")
    yield hidden("trailer", te, "0\r\nContent-Length: 3\r\n\r\n")
    yield hidden("plainly one after the other", "Content-Length: 0")
    yield hidden("no length", "X-A: 1")
    yield hidden("expect", "Expect: 100-continue\r\n" + cl)
    yield hidden("connection drops the length", "Connection: Content-Length\r\n" + cl)
