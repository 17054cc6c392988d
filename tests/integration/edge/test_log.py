"""What the edge writes down."""

import json

from edge_client import DOMAIN
from edge_standins import ACCOUNT_COOKIE, RIGHT
from nginx_driver import logged


def test_the_log_holds_no_secret(edge):
    running = edge(access={"builder": {"require": ["basic"]}})
    for path in ("/tinykit", "/_pb/api/files/token", "/api/proxy", "/_tk/data/x/y"):
        running.ask(
            f"{path}?token=secret-1&access_token=secret-2&%74oken=secret-3&url=https://x/?k=secret-4",
            Cookie=f"a=secret-5; {ACCOUNT_COOKIE}-secret-6",
            Authorization="Bearer secret-7",
            X_Tinykit_Ops_Token="secret-8",
            X_Api_Key="secret-9",
            Referer=f"https://{DOMAIN}/login?token=secret-10",
        )
    running.ask("/tinykit", Authorization=RIGHT, told={"headers": {"Set-Cookie": "a=secret-11"}})
    running.ask("/", told={"status": 302, "headers": {"Location": "/x?token=secret-12"}})
    running.ask_plainly("/x?token=secret-13")
    running.tinykit.end()
    assert running.ask("/gone?token=secret-14").status == 502
    written = running.log.read_text() + running.said.read_text()
    for secret in ("secret-", "the-secret", RIGHT.split()[1], "a-random-secret", "good"):
        assert secret not in written, secret


def test_the_log_says_who_asked_for_what_and_what_came_of_it(edge):
    running = edge()
    running.ask("/tinykit/studio?id=1", User_Agent="a-browser/1.0")
    running.ask("/some/page")
    lines = logged(running, 2)
    assert len(lines) == 2
    text = json.dumps(lines[0])
    for part in ("127.0.0.1", "GET", DOMAIN, "/tinykit/studio", "302", "a-browser/1.0"):
        assert part in text
