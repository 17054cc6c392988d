"""What the edge does to requests and answers of single rows."""

import json

import pytest
from edge_client import DOMAIN, V4, V6
from edge_standins import ACCOUNT_COOKIE

ACCOUNT = {"Cookie": ACCOUNT_COOKIE}
ORIGIN = {"Origin": f"https://{DOMAIN}"}
OPEN = {"builder": {"require": ["allowlist"]}, "allowlist": ["127.0.0.0/8", "::1"]}


def test_setup_and_credentials_are_answered_by_the_edge_alone(edge):
    running = edge()
    answer = running.ask("/api/setup")
    assert (answer.status, json.loads(answer.body)) == (200, {"needs_setup": False})
    assert answer.headers["content-type"] == "application/json"
    answer = running.ask("/api/auth/save-server-credentials", "POST", body="{}")
    assert (answer.status, json.loads(answer.body)) == (200, {"ok": True, "saved": False})
    assert running.tinykit.asked == running.pocketbase.asked == []


def test_the_login_pages_question_takes_the_login_cookie_away(edge):
    (cookie,) = edge().ask("/api/setup").cookies
    assert cookie.startswith("__Host-tinykit_ops=;")
    assert "Max-Age=0" in cookie


@pytest.mark.parametrize("layout", [{}, {"builder_domain": "build.example.com"}])
def test_security_txt_tells_whom_to_write_to(edge, layout):
    contact = {"contact": ["mailto:security@example.com"], "policy": "https://example.com/policy"}
    running = edge(edge={"security_txt": contact}, **layout)
    for host in (DOMAIN, *layout.values()):
        answer = running.ask("/.well-known/security.txt", host=host)
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.body.splitlines()[0] == "Contact: mailto:security@example.com"
        assert f"Canonical: https://{host}/.well-known/security.txt" in answer.body.splitlines()
    assert running.tinykit.asked == []


@pytest.mark.parametrize("path", ["/", "/tinykit", "/api/projects", "/setup", "/api/setup"])
def test_every_answer_has_the_safe_headers_and_names_no_program(edge, path):
    running = edge()
    theirs = {"X-Content-Type-Options": "off", "Via": "x", "Referrer-Policy": "unsafe-url"}
    for who in ({}, ACCOUNT):
        headers = running.ask(path, told={"headers": theirs}, **who).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
        assert not {"server", "x-powered-by", "via"} & set(headers)


def test_the_builder_may_be_framed_by_itself_only_and_an_app_by_whom_it_likes(edge):
    running = edge(access=OPEN)
    told = {"headers": {"X-Frame-Options": "ALLOWALL"}}
    for path in ("/tinykit", "/tinykit/preview/x", "/login", "/_pb/api/health"):
        assert running.ask(path, told=told).headers["x-frame-options"] == "SAMEORIGIN"
    assert "x-frame-options" not in running.ask("/").headers


@pytest.mark.parametrize("theirs", [{}, {"Cache-Control": "public, max-age=3600"}])
def test_what_is_behind_a_gate_is_kept_by_no_cache_between(edge, theirs):
    running = edge()
    for path in ("/tinykit", "/tinykit/preview/x/y.css", "/api/projects", "/_pb/api/files/a/b/c"):
        answer = running.ask(path, told={"headers": theirs}, **ACCOUNT)
        assert answer.status == 200
        assert "private" in answer.headers["cache-control"]
    assert "no-store" in running.ask("/tinykit").headers["cache-control"]
    assert running.ask("/api/setup").headers["cache-control"] == "no-store"
    published = running.ask("/", told={"headers": theirs}).headers
    assert published.get("cache-control") == theirs.get("Cache-Control")


@pytest.mark.parametrize("path", ["/api/proxy?url=x", "/_tk/assets/x.svg"])
def test_foreign_bytes_are_sandboxed_whatever_the_server_behind_says(edge, path):
    theirs = {"Content-Security-Policy": "default-src *", "Content-Type": "image/png"}
    answer = edge().ask(path, told={"headers": theirs})
    assert answer.headers["content-security-policy"].startswith("sandbox;")
    assert answer.headers["content-type"] == "image/png"
    assert "content-disposition" not in answer.headers


@pytest.mark.parametrize("path", ["/api/proxy?url=x", "/_tk/assets/x.svg"])
@pytest.mark.parametrize(
    "kind",
    [
        "text/html",
        "TEXT/HTML; charset=utf-8",
        "image/svg+xml",
        "application/xhtml+xml",
        "text/xml",
        "application/xml ; q=1",
    ],
)
def test_what_a_browser_would_run_becomes_a_download(edge, path, kind):
    theirs = {"Content-Type": kind, "Content-Disposition": "inline"}
    answer = edge().ask(path, told={"headers": theirs, "body": "<svg/>"})
    assert (answer.status, answer.body) == (200, "<svg/>")
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["content-security-policy"].startswith("sandbox;")
    assert answer.headers["content-type"] == kind


@pytest.mark.parametrize("row", ["row/app", "judge/builder"])
def test_the_server_behind_cannot_lead_the_edge_elsewhere(edge, row):
    running = edge()
    elsewhere = {"X-Accel-Redirect": f"/.tinykit-ops/{row}", "Content-Type": "text/html"}
    answer = running.ask("/api/proxy?url=x", told={"headers": elsewhere, "body": "<p>"})
    assert (answer.status, answer.body) == (200, "<p>")
    assert answer.headers["content-security-policy"].startswith("sandbox;")
    assert answer.headers["content-disposition"] == "attachment"
    assert len(running.tinykit.asked) == 1


def test_a_page_that_is_loaded_often_logs_nobody_out(edge):
    running = edge(edge={"limits": {"logins": 2}})
    running.pocketbase.allowed["logins"] = 0
    refresh = "/_pb/api/collections/users/auth-refresh"
    assert [running.ask(refresh, "POST").status for _ in range(8)] == [200] * 8


def test_an_error_of_the_server_behind_is_passed_on_as_it_is(edge):
    told = {"status": 404, "headers": {"Content-Type": "application/json"}, "body": '{"a":1}'}
    answer = edge().ask("/_tk/assets/x", told=told)
    assert (answer.status, answer.body) == (404, '{"a":1}')


@pytest.mark.parametrize("at", [V4, V6])
@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "",
        f"http://{DOMAIN}",
        f"https://{DOMAIN}.evil.example",
        f"https://{DOMAIN}:8443",
        f"https://{DOMAIN}/",
        "https://evil.example",
        f"https://evil.example https://{DOMAIN}",
        f"https://www.{DOMAIN}",
        "https://*",
    ],
)
def test_a_write_from_elsewhere_is_refused(edge, origin, at):
    running = edge()
    headers = {} if origin is None else {"Origin": origin}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = running.ask("/_tk/data/x/posts", method, body="{}", at=at, **headers)
        assert answer.status == 403
    assert running.tinykit.asked == []


def test_a_write_from_the_site_itself_and_every_read_pass(edge):
    running = edge()
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert running.ask("/_tk/data/x/posts", method, body="{}", **ORIGIN).status == 200
        assert running.tinykit.asked[-1].headers["origin"] == ORIGIN["Origin"]
    assert running.ask("/_tk/data/x/posts").status == 200
    assert running.ask("/_tk/data/x/posts", Origin="https://evil.example").status == 200


def test_an_upload_over_the_limit_ends_at_the_edge(edge):
    running = edge(edge={"max_body": "1MB"})
    assert running.ask("/upload", "POST", body="x" * 1_000_001).status == 413
    assert running.ask("/upload", "POST", body="x" * 999_999).status == 200
    assert [len(request.body) for request in running.tinykit.asked if request.body] == [999_999]


def test_long_texts_are_compressed_for_who_can_read_that(edge):
    running = edge()
    told = {"headers": {"Content-Type": "text/html"}, "body": "x" * 5000}
    headers = running.ask("/", told=told, Accept_Encoding="gzip").headers
    assert headers["content-encoding"] == "gzip"
    assert "content-encoding" not in running.ask("/", told=told).headers


def test_methods_that_probe_the_edge_itself_do_not_reach_the_app(edge):
    running = edge()
    for request in (f"CONNECT {DOMAIN}:443 HTTP/1.1", "OPTIONS * HTTP/1.1"):
        running.say(f"{request}\r\nHost: {DOMAIN}\r\nConnection: close\r\n\r\n")
    assert running.tinykit.asked == []
