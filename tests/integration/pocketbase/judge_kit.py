"""How the edge asks the judge, and what proves who somebody is."""

from __future__ import annotations

import requests
from pocketbase_kit import BASIC_PASSWORD, BASIC_USER, Server
from waiting import PATIENCE

COOKIE = "__Host-tinykit_ops"
BASIC_COOKIE = "__Host-tinykit_ops_basic"
JUDGE = "/api/tinykit-ops/judge"
CHALLENGE = 'Basic realm="tinykit", charset="UTF-8"'
BASIC = (BASIC_USER.encode(), BASIC_PASSWORD.encode())


def log_in(server: Server, email: str, password: str) -> requests.Response:
    return requests.post(
        f"{server.url}/api/collections/users/auth-with-password",
        json={"identity": email, "password": password},
        timeout=PATIENCE,
    )


def asked(server: Server, query: str, **extra: object) -> requests.Response:
    answer: requests.Response = server.ask("GET", f"{JUDGE}?{query}", **extra)
    assert answer.content == b""
    assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401 and "page" in query)
    assert COOKIE + "=" not in answer.headers.get("Set-Cookie", "")
    return answer


def judged(server: Server, query: str, **headers: str) -> int:
    return int(asked(server, query, headers=headers).status_code)


def account_judged(server: Server, **headers: str) -> int:
    return judged(server, "need=account&match=all", **headers)
