"""Caddy's limits: PocketBase counts requests, Caddy counts what is open."""

import json

import pytest
from edge_client import DOMAIN, V4, V6, received
from edge_drivers import CaddyDriver

LOGIN = "/_pb/api/collections/users/auth-with-password"
LIMITED = {
    "writes": ("POST", "/_tk/data/x/posts"),
    "proxied": ("GET", "/api/proxy?url=x"),
    "logins": ("POST", LOGIN),
    "streams": ("GET", "/_tk/realtime/x"),
}
ORIGIN = {"Origin": f"https://{DOMAIN}"}


@pytest.fixture
def driver():
    """Only Caddy: nginx counts by itself."""
    return CaddyDriver()


@pytest.mark.parametrize("limit", LIMITED)
def test_who_asks_too_often_is_told_so_and_nothing_behind_is_asked(edge, limit):
    method, path = LIMITED[limit]
    running = edge()
    running.pocketbase.allowed[limit] = 2
    statuses = [running.ask(path, method, body="", **ORIGIN).status for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
    assert running.ask(path, method, **ORIGIN).headers["retry-after"] == "60"
    assert len(running.tinykit.asked) + len(running.pocketbase.asked) == 2
    assert running.ask(path, method, at=V6, **ORIGIN).status == 200
    assert running.ask("/").status == 200


def test_the_question_tells_the_address_and_no_credentials(edge):
    running = edge()
    claims = {"X_Forwarded_For": "192.0.2.1", "Authorization": "Bearer x", "Cookie": "a=b"}
    running.ask("/_tk/data/x/posts", "POST", body='{"a":1}', **ORIGIN, **claims)
    (question,) = running.pocketbase.questions
    assert (question.method, question.body) == ("GET", b"")
    assert question.headers["x-forwarded-for"] == V4
    assert not {"authorization", "cookie"} & set(question.headers)
    (request,) = running.tinykit.asked
    assert request.body == b'{"a":1}'


@pytest.mark.parametrize(
    ("client", "counted"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("2001:db8::9", "2001:db8::"),
        ("198.51.100.7", "198.51.100.7"),
    ],
)
def test_a_customers_whole_ipv6_network_counts_as_one(edge, client, counted):
    firewall = {"mode": "cdn", "cdn": {"networks": ["127.0.0.0/8"]}}
    running = edge(cdn=("127.0.0.0/8",), firewall=firewall)
    running.ask("/api/proxy?url=x", X_Forwarded_For=client)
    assert list(running.pocketbase.counted) == [(counted, "proxied")]
    assert running.tinykit.asked[-1].headers["x-forwarded-for"] == client


def test_a_write_is_refused_while_nobody_can_count_and_reading_goes_on(edge):
    running = edge()
    running.pocketbase.end()
    assert running.ask("/_tk/data/x/posts", "POST", body="{}", **ORIGIN).status in {502, 503}
    assert running.ask("/_tk/data/x/posts").status == 200


def test_when_all_streams_are_taken_the_next_is_refused_and_everything_else_goes_on(edge):
    running = edge(edge={"limits": {"streams": 1}})
    told = json.dumps({"events": ["data: one\n\n", "data: two\n\n"]})
    request = f"GET /_tk/realtime/x HTTP/1.1\r\nHost: {DOMAIN}\r\nX-Answer: {told}\r\n\r\n"
    streams = [running.connect(DOMAIN) for _ in range(25)]
    for stream in streams:
        stream.sendall(request.encode())
        received(stream, b"data: one")
    assert running.ask("/_tk/realtime/x").status == 503
    assert running.ask("/").status == 200
    running.tinykit.go_on.set()
    for stream in streams:
        stream.close()
