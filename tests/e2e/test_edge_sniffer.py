"""What the reader of the wire makes of segments, without a wire: the matrix trusts it."""

import edge_sniffer

BODY = b"GET /setup HTTP/1.1\r\n\r\n"
HEAD = b"POST /a HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(BODY)
LAST = 2**32 - len(HEAD) - 5


def targets(*segments, first):
    stream = edge_sniffer.Stream(3000, first)
    return [one["target"] for segment in segments for one in stream.segment(*segment)]


def test_a_body_that_tcp_sends_again_is_not_taken_for_a_request():
    for first in (7, LAST):
        body = ((first + len(HEAD)) % 2**32, BODY)
        assert targets((first, HEAD), body, body, first=first) == ["/a"]


def test_a_body_that_overtakes_its_head_is_not_taken_for_a_request():
    for first in (7, LAST):
        body = ((first + len(HEAD)) % 2**32, BODY)
        assert targets(body, (first, HEAD), first=first) == ["/a"]


def test_a_request_that_really_follows_is_seen():
    behind = 7 + len(HEAD) + len(BODY)
    assert targets((7, HEAD), (7 + len(HEAD), BODY), (behind, BODY), first=7) == ["/a", "/setup"]
