"""nginx: what its answers look like, whom it asks before, and what it logs."""

from __future__ import annotations

import json
import re
import socket
import subprocess

import pytest
from edge_client import DOMAIN, received
from edge_standins import ACCOUNT_COOKIE, RIGHT
from nginx_driver import NginxDriver, logged
from waiting import PATIENCE

from tinykit_ops.deploy.edge import nginx_unit

COOKIE = {"Cookie": ACCOUNT_COOKIE}


@pytest.fixture
def driver():
    return NginxDriver()


def test_an_event_arrives_before_the_next_one_is_there_and_is_not_compressed(edge):
    running = edge()
    told = json.dumps({"headers": {"Content-Type": "text/event-stream"}, "events": ["one", "two"]})
    with running.connect(DOMAIN) as stream:
        stream.sendall(
            f"GET /_tk/realtime/x HTTP/1.1\r\nHost: {DOMAIN}\r\nAccept-Encoding: gzip\r\n"
            f"X-Answer: {told}\r\n\r\n".encode()
        )
        got = received(stream, b"one")
        assert b"two" not in got
        assert b"gzip" not in got
        running.tinykit.go_on.set()
        received(stream, b"two")


def test_a_long_text_is_compressed_for_who_can_read_it(edge):
    running = edge()
    told = {"headers": {"Content-Type": "application/json"}, "body": "x" * 5000}
    assert (
        running.ask("/x.json", told=told, Accept_Encoding="gzip").headers["content-encoding"]
        == "gzip"
    )
    assert "content-encoding" not in running.ask("/x.json", told=told).headers


@pytest.mark.parametrize(("judged", "answered"), [(429, 429), (500, 503), (502, 503), (302, 503)])
def test_a_judge_that_neither_passes_nor_refuses_lets_nobody_in(edge, judged, answered):
    running = edge()
    running.pocketbase.server.RequestHandlerClass.judge = lambda self, _: self.send(judged)
    for path in ("/tinykit", "/api/projects"):
        assert running.ask(path, **COOKIE).status == answered
    assert running.tinykit.asked == []


def test_without_a_judge_the_builder_is_shut_and_the_app_is_there(edge):
    running = edge()
    running.pocketbase.end()
    assert running.ask("/tinykit", **COOKIE).status == 503
    assert running.ask("/").body == "tinykit"


CHUNKED = "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"


@pytest.mark.parametrize("rest", ["Content-Length: 2\r\n\r\n{}", CHUNKED])
@pytest.mark.parametrize(("cookie", "status"), [("a=b", 401), (ACCOUNT_COOKIE, 200)])
def test_the_judge_is_asked_without_the_body_which_the_server_then_gets(edge, rest, cookie, status):
    running = edge()
    head = f"POST /api/projects HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close\r\nCookie: {cookie}"
    assert running.say(f"{head}\r\n{rest}").startswith(f"HTTP/1.1 {status} ")
    (question,) = running.pocketbase.questions
    assert not {"content-length", "transfer-encoding"} & set(question.headers)
    assert [request.body for request in running.tinykit.asked] == [b"{}"] * (status == 200)


def test_a_reload_has_ended_when_nobody_meets_the_former_configuration(edge):
    running = edge()
    secret = running.log.parent / "run" / "judge.conf"
    known = secret.read_text()
    for text, status in (("", 403), (known, 200)) * 10:
        secret.write_text(text)
        reload_as_the_unit_does(running)
        assert running.ask("/api/projects", **COOKIE).status == status  # none without the secret


def reload_as_the_unit_does(running):
    """What the unit's line does, as systemd would have it done."""
    unit = nginx_unit().content
    (line,) = re.findall(r"ExecReload=/bin/sh -c '(.*)'\n", unit)
    pid = (running.log.parent / "nginx.pid").read_text().strip()
    environment = {"PATH": "/usr/bin:/bin", "MAINPID": pid}
    done = ["sh", "-c", line.replace("$$", "$")]
    subprocess.run(done, env=environment, check=True, timeout=120)


def test_a_password_of_the_edge_stays_there_however_it_is_sent(edge):
    running = edge(access={"builder": {"require": ["basic"]}})
    assert running.ask("/tinykit", Authorization=RIGHT).status == 200
    twice = (
        f"GET / HTTP/1.1\r\nHost: {DOMAIN}\r\nAuthorization: Bearer x\r\n"
        f"Authorization: {RIGHT}\r\nConnection: close\r\n\r\n"
    )
    running.say(twice)
    for basic in (RIGHT, RIGHT.replace("Basic", "bAsIc"), f"\t{RIGHT}"):
        running.ask("/", Authorization=basic)
    passed = [request.headers.get("authorization", "") for request in running.tinykit.asked]
    assert not any("basic" in value.lower() for value in passed)
    running.ask("/", Authorization="Bearer Basic-looking")
    assert running.tinykit.asked[-1].headers["authorization"] == "Bearer Basic-looking"


def test_the_log_is_json_and_tells_the_route_but_no_query(edge):
    running = edge()
    running.ask('/api/setup?token=hush&q="quoted"', Cookie="a=hush", Authorization="Bearer hush")
    running.ask("/_tk/data/abc", "POST", body="hush")
    lines = logged(running, 2)
    assert [(line["route"], line["path"], line["status"]) for line in lines] == [
        ("setup-status", "/api/setup", 200),
        ("data-write", "/_tk/data/abc", 403),
    ]
    assert "hush" not in running.log.read_text() + running.said.read_text()


def test_an_error_is_logged_without_the_query(edge):
    running = edge()
    running.tinykit.end()
    assert running.ask("/x?token=hush").status == 502
    assert "hush" not in running.said.read_text() + running.log.read_text()


def test_a_request_that_is_too_large_is_413_before_it_was_sent(edge):
    running = edge(edge={"max_body": "1MB"})
    head = f"POST /x HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close"
    said = running.say(f"{head}\r\nContent-Length: 1000001\r\n\r\n")
    assert said.startswith("HTTP/1.1 413 ")
    big = "x" * 999_999
    assert running.ask("/x", "POST", body=big).status == 200
    assert len(running.tinykit.asked[-1].body) == len(big)


def test_a_dollar_sign_in_a_text_of_the_settings_is_one_in_the_answer(edge):
    policy = "https://example.com/$host/$"
    running = edge(edge={"security_txt": {"contact": ["mailto:a@b.c"], "policy": policy}})
    answer = running.ask("/.well-known/security.txt")
    assert f"Policy: {policy}\n" in answer.body
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_name_that_is_not_ours_gets_no_certificate_and_no_answer(edge):
    running = edge()
    for name in ("evil.example", None):
        with pytest.raises(OSError, match=r"(?i)unrecognized.name|eof|reset"):
            running.connect(name)
    request = "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert running.say(request) == ""
    with socket.create_connection(("127.0.0.1", running.http_port), timeout=PATIENCE) as plain:
        plain.sendall(request.encode())
        assert _received(plain) == b""


def _received(stream):
    """Nothing, when the other side hung up in either way."""
    try:
        return stream.recv(100)
    except ConnectionResetError:
        return b""
