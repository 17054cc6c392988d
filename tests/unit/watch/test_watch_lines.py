"""Both proxies' lines are understood, and anything else is no request."""

from __future__ import annotations

import json

import pytest

from tinykit_ops.watch.lines import read_line

CADDY = {
    "level": "info",
    "ts": 1796000000.25,
    "logger": "http.log.access.log0",
    "msg": "handled request",
    "request": {"client_ip": "192.0.2.1", "method": "POST", "host": "a", "uri": "/x?REDACTED"},
    "duration": 0.125,
    "size": 3,
    "status": 502,
}
NGINX = {
    "time": "2026-11-30T00:53:20+00:00",
    "client": "192.0.2.1",
    "method": "POST",
    "path": "/api/collections/users/auth-with-password",
    "status": 400,
    "seconds": 0.25,
}


def test_a_line_of_caddy_is_a_request() -> None:
    hit = read_line(json.dumps(CADDY).encode())
    assert hit == (1796000000.25, 502, 0.125, False)


def test_a_refused_login_in_a_line_of_nginx_is_seen_as_one() -> None:
    hit = read_line(json.dumps(NGINX).encode())
    assert hit == (1796000000.0, 400, 0.25, True)


@pytest.mark.parametrize(
    "path",
    [
        "/_pb/api/collections/users/auth-with-passwor%64",
        "/_pb//api/collections/users/auth-with-password/",
        "/_pb/api/collections/x/../users/AUTH-WITH-OTP",
        "/_pb/api/collections/users/auth-with-passwor%2564?x",
        "/%6cogin",
    ],
)
@pytest.mark.parametrize("kind", ["caddy", "nginx"])
def test_a_refused_login_is_seen_however_its_path_is_spelt(path: str, kind: str) -> None:
    caddy = {**CADDY, "status": 400, "request": {**CADDY["request"], "uri": path}}
    line = caddy if kind == "caddy" else {**NGINX, "path": path}
    hit = read_line(json.dumps(line).encode())
    assert hit is not None
    assert hit.refused_login


def test_a_login_that_succeeded_is_not_refused() -> None:
    hit = read_line(json.dumps({**NGINX, "status": 200}).encode())
    assert hit is not None
    assert not hit.refused_login


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b'"ts"',
        b"\xff\xfe",
        b'{"ts": 1}',
        json.dumps({**CADDY, "status": "x"}).encode(),
        json.dumps({**CADDY, "request": 7}).encode(),
        json.dumps({**CADDY, "duration": float("nan")}).encode(),
        json.dumps({**NGINX, "time": "yesterday"}).encode(),
        b"[" * 100_000,
    ],
    ids=lambda line: line[:20].decode(errors="replace"),
)
def test_what_is_no_request_is_passed_over(line: bytes) -> None:
    assert read_line(line) is None
