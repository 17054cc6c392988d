"""The ways in: setup, credentials, the open proxy, PocketBase."""

from __future__ import annotations

from tinykit_ops.lab.contract_cases.case import (
    BIG,
    DOMAIN,
    FOREIGN,
    HTML,
    JSON,
    Case,
    each,
    get,
    guarded,
    post,
)

PB = "http://[::ffff:127.0.0.1]:8091"

UNCLAIMED: list[Case] = [
    get("/"),
    get("/some/path", headers=HTML),
    get("/api/setup"),
    post("/api/setup", {}),
    post("/api/setup", {"email": "a@example.com"}),
    post("/api/setup", {"email": "a@example.com", "password": "short"}),
    post("/api/setup", {"email": "a@example.com", "password": 12345678}),
    post("/api/setup", body="{", headers=JSON),
    post("/api/setup", body="email=a&password=b", headers={"content-type": "text/plain"}),
    get("/setup", look="page"),
    get("/tinykit/preview/{unknown}"),
    get("/api/projects/{unknown}/export"),
    get("/_tk/data/{unknown}/notes"),
    get("/_tk/realtime/{unknown}"),
    post("/api/migrate-build-fields"),
    post("/api/settings/validate-llm", {}),
    post("/api/settings/validate-llm", {"provider": "nobody", "api_key": "k"}),
    post(
        "/api/settings/validate-llm",
        {"provider": "openai", "api_key": "k", "base_url": "http://127.0.0.1:8091/api"},
    ),
    post("/api/auth/save-server-credentials", {}),
    post("/api/auth/save-server-credentials", {"email": "a@example.com", "password": "nothing"}),
    *guarded("GET", "/api/projects"),
    get("/_pb/api/health"),
    get("/_pb/api/collections/users/records"),
]

ENTRANCE: list[Case] = [
    get("/api/setup"),
    get("/api/setup/"),
    post("/api/setup", {}),
    post("/api/setup", {"email": "b@example.com", "password": "another one"}),
    *each("PUT DELETE OPTIONS HEAD", "/api/setup"),
    post("/api/auth/save-server-credentials", {}),
    post("/api/auth/save-server-credentials", body="{", headers=JSON),
    post("/api/auth/save-server-credentials", {"email": "a@example.com", "password": "wrong"}),
    post("/api/auth/save-server-credentials", {"email": "{email}", "password": "{password}"}),
    get("/api/auth/save-server-credentials"),
    get("/api/nothing"),
    get("/api/nothing", host=DOMAIN),
]

PROXY: list[Case] = [
    get("/api/proxy"),
    get("/api/proxy?url=nonsense"),
    get("/api/proxy?url=ftp://example.com/"),
    get("/api/proxy?url=file:///etc/passwd"),
    *[
        get(f"/api/proxy?url=http://{host}/")
        for host in (
            "localhost:1",
            "127.0.0.1:1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "0.0.0.0:1",
            "2130706433:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
            "169.254.169.254",
            "100.64.0.1",
        )
    ],
    get(f"/api/proxy?url={PB}/api/health"),
    get(f"/api/proxy?url={PB}/api/nothing"),
    get(f"/api/proxy?url={PB}/_/", look="kind"),
    get(f"/api/proxy?url={PB}/api/health", headers={"range": "bytes=0-3"}),
    *each("OPTIONS HEAD POST", "/api/proxy?url=nonsense"),
]

POCKETBASE: list[Case] = [
    get("/_pb/api/health"),
    get("/_pb/api/settings"),
    get("/_pb/api/settings", auth="user"),
    get("/_pb/api/collections"),
    get("/_pb/_/"),
    get("/_pb/_", look="kind"),
    get("/_pb/nothing"),
    get("/_pb/libs/nothing.js", look="kind"),
    get("/_pb"),
    get("/_pb/api/collections/_tk_projects/records", look="keys"),
    get("/_pb/api/collections/_tk_projects/records", auth="user", look="keys"),
    get("/_pb/api/collections/users/records"),
    post("/_pb/api/collections/users/records", {"email": "x@example.com"}),
    post("/_pb/api/collections/users/auth-with-password", {"identity": "a", "password": "b"}),
    post("/_pb/api/collections/_superusers/auth-with-password", {"identity": "a"}),
    post("/_pb/api/collections/users/auth-refresh", auth="wrong"),
    post("/_pb/api/collections/users/auth-refresh", auth="user", look="keys"),
    Case(
        "PATCH",
        "/_pb/api/collections/_tk_projects/records/{draft}",
        auth="user",
        form={"assets+": ("more.txt", "more")},
        headers={"origin": "{origin}"},
        look="keys",
    ),
    Case(
        "PATCH",
        "/_pb/api/collections/_tk_projects/records/{draft}",
        auth="user",
        form={"assets+": ("big.txt", BIG)},
        headers={"origin": "{origin}"},
    ),
    Case(
        "PATCH",
        "/_pb/api/collections/_tk_projects/records/{draft}",
        auth="user",
        form={"assets+": ("more.txt", "more")},
        headers={"origin": FOREIGN},
    ),
    *each("HEAD OPTIONS", "/_pb/api/health"),
    get("/_pb/api/collections/_tk_kits/records", auth="user"),
    get("/_pb/api/files/_tk_projects/{project}/{asset}"),
    get("/_pb/api/files/_tk_projects/{project}/{page_asset}"),
    get("/_pb/api/collections/_tk_settings/records", auth="wrong"),
]

#: For a server that was claimed by its environment: an empty marker, POCKETBASE_ADMIN_* and LLM_*.
PROVISIONED: list[Case] = [
    get("/api/setup"),
    post("/api/setup", {"email": "b@example.com", "password": "another one"}),
    get("/api/settings/llm-status", auth="user"),
    get("/api/settings/llm-status"),
    get("/api/agent/test", auth="user"),
    get("/api/agent/test", auth="wrong"),
    get("/api/settings?key=llm", auth="user"),
    get("/_pb/api/collections/_tk_settings/records/llm", auth="user"),
    get("/_pb/api/collections/_tk_settings/records", auth="user"),
    get("/_pb/api/collections/users/records"),
    post("/api/settings/validate-llm", {}),
    post("/api/auth/save-server-credentials", {"email": "a@example.com", "password": "wrong"}),
    get("/", host=DOMAIN),
    get("/", host="unknown.test", noted=True),
    get("/api/domains", auth="user"),
    get("/api/projects", auth="user", look="keys"),
    post("/api/projects", {"name": "Another"}, auth="user"),
    get("/tinykit/preview/{project}"),
    get("/_tk/data/{project}/notes"),
    post("/_tk/data/{project}/notes", {"id": "n"}),
    get("/_tk/realtime/{project}", events="connected"),
]
