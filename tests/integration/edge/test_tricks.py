"""Spellings of a path: none leads past the row of the route, whatever reads it behind the edge."""

import pytest
from edge_client import DOMAIN, V4, V6

from tinykit_ops.edge.paths import is_trick

# Spellings of closed paths that some reader could take for them; the edge refuses them all.
TRICKS = [
    "//tinykit",
    "/x//tinykit",
    "/./tinykit",
    "/x/../tinykit",
    "/tinykit/..",
    "/tinykit/.",
    "/.?x=/tinykit",
    "/%2e/tinykit",
    "/x/%2e%2e/tinykit",
    "/x/.%2E/tinykit",
    "/x/..%2ftinykit",
    "/%2ftinykit",
    "/tinykit%2Fstudio",
    "/x\\..\\tinykit",
    "/%5ctinykit",
    "/x%5C..%5Ctinykit",
    "/%2574inykit",
    "/%25%37%34inykit%2f",
    "/tinykit%00",
    "/tiny%0dkit",
    "/tinykit%7f",
    "/tinykit#/../",
    "/{/../}tinykit",
    "/{http.request.uri}//tinykit",
    "tinykit",
    "*",
    f"https://{DOMAIN}/tinykit",
    f"http://{DOMAIN}/tinykit",
    "/_tk/data/x/..%2f..%2ftinykit",
    "/_tk/assets/../../tinykit",
    "/_tk/assets/..%5c..%5ctinykit",
    "/_pb/x/..%2fapi/settings",
    "/_pb/%2e%2e/_pb/_/",
    "/_%70b/api/settings",
    "/%5fpb/_/",
    "/_PB/api/settings",
    "/_tk/data/x%2f__proto__",
    "/_pb/api/collections/_%C5%BFuperusers/records",
    "/_pb/api/collections/_\xc5\xbfuperusers/records",
    "/_pb/api/collections/_%c5%bfuperusers/records?x=1",
]
# The same paths in spellings that every reader takes for one and the same: the row decides.
SPELLINGS = [
    "/TINYKIT",
    "/%74inykit",
    "/%54INYKIT/studio",
    "/tinykit/",
    "/tinykit/studio/__data.json",
    "/tinykit/__data.json?x-sveltekit-invalidated=01",
    "/API/projects",
    "/api/projects/",
    "/api/%70rojects",
    "/_pb/api/collections/%5fsuperusers/records",
    "/_pb/api/collections/_SUPERUSERS/records",
    "/_pb/%5f/",
    "/_pb/api/SETTINGS",
    "/_tk/data/x/__PROTO__",
    "/_tk/data/x/%63onstructor",
    "/_tk/data/x/toString",
    "/_tk/data/x/value%4ff/y",
    "/setup/",
    "/API/setup/x",
]


@pytest.mark.parametrize("at", [V4, V6])
def test_no_trick_passes(edge, at):
    running = edge()
    for target in TRICKS:
        answer = running.say(
            f"GET {target} HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close\r\n\r\n", at=at
        )
        assert answer.split()[1] == "400", (target, answer)
    assert running.tinykit.asked == running.pocketbase.asked == []
    assert running.pocketbase.questions == []


def test_the_edges_refuse_what_the_expression_of_the_table_says():
    # The rest is refused by the row: the prefix has to stand there to the letter.
    rest = [target for target in TRICKS if not is_trick(target)]
    assert rest == ["/_%70b/api/settings", "/%5fpb/_/", "/_PB/api/settings"]
    assert not any(map(is_trick, SPELLINGS))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_spelling_of_a_closed_path_leaves_its_row(edge, method):
    running = edge()
    for target in SPELLINGS:
        answer = running.ask(target, method, body="{}")
        assert answer.status in {302, 401, 403, 404}, target
    assert running.tinykit.asked == running.pocketbase.asked == []


@pytest.mark.parametrize(
    "target",
    [
        "/a%20b",
        "/caf%C3%A9?x=%2F..%2F//",
        "/100%25",
        "/.well-known/x",
        "/a..b/c.",
        "/x;y=1/z",
        "/@user/+1/~x",
        "/api/proxy?url=https://example.com//a/../b%2fc",
        "/_tk/assets/a%20b(1).png",
    ],
)
def test_what_an_honest_client_sends_reaches_the_app_to_the_letter(edge, target):
    running = edge()
    assert running.ask(target).status == 200
    assert [request.path for request in running.tinykit.asked] == [target]


def test_the_prefix_of_pocketbase_is_taken_off_and_the_rest_is_left_alone(edge):
    gate = {"require": ["allowlist"]}
    here = ["127.0.0.0/8"]
    running = edge(access={"builder": gate, "admin": gate, "allowlist": here})
    for target, behind in {
        "/_pb/api/collections/users/records?filter=(a~%22%2F%22)": (
            "/api/collections/users/records?filter=(a~%22%2F%22)"
        ),
        "/_pb/api/files/x/y/a%20b.png": "/api/files/x/y/a%20b.png",
        "/_pb/_/": "/_/",
        "/_pb/libs/x.js?v=1": "/_/libs/x.js?v=1",
        "/_pb/": "/",
    }.items():
        assert running.ask(target).body == "pocketbase"
        assert running.pocketbase.asked[-1].path == behind


def test_two_hosts_or_none_are_refused(edge):
    running = edge()
    for hosts in (f"Host: {DOMAIN}\r\nHost: evil.example\r\n", ""):
        answer = running.say(f"GET / HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n")
        assert answer.split()[1] in {"400", "421"}
    request = f"GET http://evil.example/ HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close\r\n\r\n"
    said = running.say(request)
    assert said == "" or said.split()[1] in {"400", "421"}
    assert running.tinykit.asked == []
