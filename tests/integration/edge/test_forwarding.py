"""What the servers behind the edge are told of a client, and what of its own claims is dropped."""

import pytest
from edge_client import DOMAIN, V4, V6
from edge_standins import ACCOUNT_COOKIE

ELSEWHERE = ["192.0.2.0/24", "2001:db8::/48"]
CLAIMED = "192.0.2.1"
CLAIMS = (
    *("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"),
    *("X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-Prefix", "X-Forwarded-Ssl", "Via"),
    *("True-Client-Ip", "Cf-Connecting-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "Client-Ip"),
    *("X-Original-Url", "X-Rewrite-Url", "X-Original-Host", "X-Http-Method-Override"),
    "X-Tinykit-Ops-Token",
)
ONLY = {"builder": {"require": ["allowlist"]}, "allowlist": ELSEWHERE}


def told(running, **claims):
    """The headers that tinykit, PocketBase and the judge saw."""
    running.ask("/", **claims)
    running.ask("/_pb/api/health", Cookie=ACCOUNT_COOKIE, **claims)
    seen = [running.tinykit.asked[-1], running.pocketbase.asked[-1]]
    return [request.headers for request in (*seen, *running.pocketbase.questions[-1:])]


@pytest.mark.parametrize("at", [V4, V6])
def test_a_claimed_address_counts_for_nothing(edge, at):
    running = edge(access=ONLY)
    claims = dict.fromkeys(CLAIMS, CLAIMED)
    assert running.ask("/api/projects", at=at, **claims).status == 403
    running.ask("/", at=at, **claims)
    headers = running.tinykit.asked[-1].headers
    assert headers["x-forwarded-for"] == headers["x-real-ip"] == at
    assert headers["x-forwarded-proto"] == "https"
    assert headers["x-forwarded-host"] == headers["host"] == DOMAIN
    ours = {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
    left = {name.lower() for name in CLAIMS} - ours - {"via"}
    assert not left & set(headers)
    assert CLAIMED not in str(headers)


def test_the_judge_and_pocketbase_hear_the_same_address(edge):
    for headers in told(edge(), X_Forwarded_For=CLAIMED, X_Real_IP=CLAIMED):
        assert headers["x-forwarded-for"] == headers["x-real-ip"] == V4


def test_a_list_of_claims_leaves_nothing_behind(edge):
    (headers, *_) = told(edge(), X_Forwarded_For=f"{CLAIMED}, 127.0.0.1, {CLAIMED}")
    assert headers["x-forwarded-for"] == V4


@pytest.mark.parametrize("port", [":", ":443", ":8443", ":1'", ":1&&x~1"])
def test_a_port_in_the_host_goes_no_further(edge, port):
    running = edge()
    for path in ("/", "/api/projects"):
        request = f"GET {path} HTTP/1.1\r\nHost: {DOMAIN}{port}\r\nConnection: close\r\n"
        assert running.say(f"{request}Cookie: {ACCOUNT_COOKIE}\r\n\r\n").split()[1] == "200"
    headers = [request.headers for request in running.tinykit.asked]
    assert [(one["host"], one["x-forwarded-host"]) for one in headers] == [(DOMAIN, DOMAIN)] * 2


def behind_cdn(edge, cdn, header=None, **access):
    named = {"client_header": header} if header else {}
    firewall = {"mode": "cdn", "cdn": {"networks": list(cdn), **named}}
    return edge(cdn=cdn, firewall=firewall, **access)


@pytest.mark.parametrize(("at", "cdn"), [(V4, "127.0.0.0/8"), (V6, "::1/128")])
def test_a_cdn_says_who_the_client_is(edge, at, cdn):
    running = behind_cdn(edge, (cdn,), access=ONLY)
    assert running.ask("/api/projects", at=at, X_Forwarded_For=CLAIMED).status == 200
    headers = running.tinykit.asked[-1].headers
    assert headers["x-forwarded-for"] == headers["x-real-ip"] == CLAIMED
    assert running.ask("/api/projects", at=at).status == 403


def test_what_a_client_told_the_cdn_is_not_believed(edge):
    running = behind_cdn(edge, ("127.0.0.0/8",), access=ONLY)
    claimed = f"{CLAIMED}, 198.51.100.9"  # the client's own word, then the CDN's
    assert running.ask("/api/projects", X_Forwarded_For=claimed).status == 403
    running.ask("/", X_Forwarded_For=claimed)
    assert running.tinykit.asked[-1].headers["x-forwarded-for"] == "198.51.100.9"


def test_a_stranger_who_goes_round_the_cdn_is_not_believed(edge):
    running = behind_cdn(edge, ("198.51.100.0/24", "2001:db8::/32"), access=ONLY)
    for at in (V4, V6):
        assert running.ask("/api/projects", at=at, X_Forwarded_For=CLAIMED).status == 403
        running.ask("/", at=at, X_Forwarded_For=CLAIMED)
        assert running.tinykit.asked[-1].headers["x-forwarded-for"] == at


def test_a_host_that_knows_no_cdn_yet_believes_nobody(edge):
    firewall = {"mode": "cdn", "cdn": {"source": ["https://cdn.example.com/ips"]}}
    running = edge(firewall=firewall, access=ONLY)
    assert running.ask("/api/projects", X_Forwarded_For=CLAIMED).status == 403


def test_a_cdn_with_a_header_of_its_own_is_asked_for_that_one(edge):
    running = behind_cdn(edge, ("127.0.0.0/8",), "Fastly-Client-Ip", access=ONLY)
    assert running.ask("/api/projects", X_Forwarded_For=CLAIMED).status == 403
    assert running.ask("/api/projects", Fastly_Client_Ip=CLAIMED).status == 200
    headers = running.tinykit.asked[-1].headers
    assert headers["x-forwarded-for"] == CLAIMED
    assert "fastly-client-ip" not in headers
