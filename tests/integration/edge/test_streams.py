"""Streams: realtime events and a language model's answers go on as they come."""

import json
import socket

import pytest
from edge_client import DOMAIN, V4, V6, received
from edge_standins import ACCOUNT_COOKIE

EVENTS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}


def opened(running, path, headers=None, *, at=V4, more=""):
    """A connection on which this was asked."""
    told = json.dumps({"headers": headers or EVENTS, "events": ["data: one\n\n", "data: two\n\n"]})
    stream = running.connect(DOMAIN, at)
    stream.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {DOMAIN}\r\nX-Answer: {told}\r\n{more}\r\n".encode()
    )
    return stream


@pytest.mark.parametrize("at", [V4, V6])
@pytest.mark.parametrize("accepts", ["", "Accept-Encoding: gzip, zstd\r\n"])
def test_an_event_arrives_before_the_next_one_happens(edge, accepts, at):
    running = edge()
    with opened(running, "/_tk/realtime/x", at=at, more=accepts) as stream:
        head = received(stream, b"data: one")
        assert head.startswith(b"HTTP/1.1 200")
        assert b"content-encoding" not in head.lower()
        running.tinykit.go_on.set()
        received(stream, b"data: two")


@pytest.mark.parametrize("kind", ["text/event-stream", "text/plain; charset=utf-8"])
def test_a_language_models_words_arrive_one_by_one(edge, kind):
    running = edge()
    more = f"Cookie: {ACCOUNT_COOKIE}\r\nAccept-Encoding: gzip\r\n"
    with opened(running, "/api/projects/x/agent", {"Content-Type": kind}, more=more) as stream:
        received(stream, b"data: one")
        running.tinykit.go_on.set()
        received(stream, b"data: two")


def test_a_client_that_leaves_ends_the_stream_behind_the_edge_too(edge):
    running = edge()
    stream = opened(running, "/_tk/realtime/x")
    received(stream, b"data: one")
    stream.shutdown(socket.SHUT_RDWR)
    stream.close()
    assert running.ask("/").status == 200
