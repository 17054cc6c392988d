"""The list of requests that real tinykit and the contract app must answer alike.

Order matters: the list is one conversation. Places such as `{project}` are filled in with what
`prepare` made. The first part meets a server that nobody has claimed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

Auth = Literal["none", "user", "superuser", "wrong", "basic", "cookie"]
Look = Literal["values", "keys", "page", "kind"]

DOMAIN = "contract.test"
OWN = f"https://{DOMAIN}"
PREFIXED = f"https://{DOMAIN}.evil.example"
FOREIGN = "https://evil.example"
UNKNOWN = "unknownproject1"
PB = "http://[::ffff:127.0.0.1]:8091"
JSON = {"content-type": "application/json"}
HTML = {"accept": "text/html"}


@dataclass(frozen=True)
class Case:
    """One request and how closely its answers are compared.

    `look`: "values" compares every JSON value or the whole text, "keys" only JSON's keys and types,
    "page" only an HTML page's title, "kind" only status and headers.
    """

    method: str
    path: str
    auth: Auth = "none"
    headers: dict[str, str] = field(default_factory=dict)
    json: Any = None
    form: dict[str, Any] | None = None
    body: str | None = None
    look: Look = "values"
    chunked: bool = False
    pause: float = 0.0  #: seconds to wait afterwards, for what the server does behind the answer
    events: str = ""  #: read server-sent events until this one has come
    host: str = ""
    may_be_silent: bool = False  #: no answer is an answer too

    @property
    def name(self) -> str:
        """What a person calls it."""
        extra: list[str] = [self.auth] if self.auth != "none" else []
        extra += [f"{key}: {value}" for key, value in self.headers.items()]
        extra += [f"host: {self.host}"] if self.host else []
        if self.json is not None:
            extra.append(f"json {str(self.json)[:60]}")
        if self.form is not None:
            extra.append(f"form {','.join(self.form)}")
        if self.body is not None:
            extra.append(f"body of {len(self.body)}")
        extra += ["chunked"] if self.chunked else []
        return " · ".join([f"{self.method} {self.path}", *extra])


def get(path: str, **rest: Any) -> Case:
    """A GET request."""
    return Case("GET", path, **rest)


def post(path: str, json: Any = None, **rest: Any) -> Case:
    """A POST request, with JSON unless something else is given."""
    return Case("POST", path, json=json, **rest)


def each(methods: str, path: str, **rest: Any) -> Iterable[Case]:
    """The same request with several methods."""
    return [Case(method, path, **rest) for method in methods.split()]


def guarded(method: str, path: str, **rest: Any) -> Iterable[Case]:
    """The same request without a token, with a wrong one and with Basic auth."""
    kinds: tuple[Auth, ...] = ("none", "wrong", "basic")
    return [Case(method, path, auth=auth, **rest) for auth in kinds]


DATA = "/_tk/data/{project}/notes"
BIG = "x" * (600 * 1024)

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

PAGES: list[Case] = [
    *[get(path, look="page") for path in ("/login", "/setup", "/tinykit", "/tinykit/new")],
    get("/tinykit/new?domain=other.test", look="page"),
    get("/tinykit/new-kit", look="page"),
    get("/tinykit/settings", look="page"),
    get("/tinykit/studio?id={project}", look="page"),
    get("/tinykit/{project}"),
    get("/tinykit/{project}?tab=data"),
    get("/tinykit/dashboard"),
    get("/%74inykit", look="page"),
    get("/tinykit/"),
    get("/tinykit/?a=1"),
    get("//tinykit"),
    get("/Tinykit"),
    get("/tinykit/%2e%2e/login", look="page"),
    get("/tinykit/..%2flogin"),
    get("/_tk/../tinykit", look="page"),
    get("/login/%2e%2e/api/setup"),
    get("/%E0%A4%A"),
    get("/_tk/data/x/%E0%A4%A"),
    get("/tinykit;x=1"),
    get("/login/x/y"),
    *[
        get(f"{path}/__data.json")
        for path in ("/login", "/tinykit", "/tinykit/new", "/tinykit/{project}", "/api/setup", "")
    ],
    get("/tinykit/studio/__data.json?id={project}"),
    get("/tinykit/new/__data.json?domain=other.test"),
    get("/tinykit/__route.js"),
    get("/_app/env.js", look="kind"),
    get("/_app/version.json", look="keys"),
    get("/_app/immutable/nothing.js"),
    get("/_app/remote/x/y"),
    post("/_app/remote/x/y", {}),
    get("/favicon.png", look="kind"),
    *each("POST PUT DELETE OPTIONS HEAD PURGE", "/login"),
    post("/login", {}, headers=HTML, look="kind"),
    post("/login", form={"a": "b"}, headers={"origin": FOREIGN}),
    post("/login", form={"a": "b"}, headers={"origin": "{origin}"}),
    get("/login", headers={"if-none-match": '"nothing"'}, look="page"),
    *each("TRACE", "/"),
]

PUBLISHED: list[Case] = [
    get("/", host=DOMAIN),
    get("/", host=DOMAIN.upper()),
    get("/", host=f"www.{DOMAIN}:8080"),
    get("/any/path.html?x=1", host=DOMAIN),
    get("/any/", host=DOMAIN),
    *each("HEAD POST PUT DELETE OPTIONS", "/", host=DOMAIN),
    get("/", host="draft.test"),
    get("/", host="unknown.test", pause=0.7),
    get("/", host='x" || domain != "'),
    get("/", host="a b"),
    get("/tinykit/preview/{project}"),
    get("/tinykit/preview/{project}/"),
    get("/tinykit/preview/{project}/deep/path"),
    get("/tinykit/preview/{draft}", look="page"),
    get("/tinykit/preview/{draft}/deep"),
    get("/tinykit/preview/{unknown}"),
    get("/tinykit/preview/{unknown}", headers=HTML),
    get("/tinykit/preview/{unknown}/deep"),
    *each("POST HEAD", "/tinykit/preview/{project}"),
]

ASSETS: list[Case] = [
    get("/_tk/assets/placeholder.jpg", look="kind"),
    get("/_tk/assets/placeholder-wide.jpg", look="kind"),
    get("/_tk/assets/placeholder-anything", look="kind"),
    get("/_tk/assets/{unknown}/placeholder.jpg", look="kind"),
    get("/_tk/assets/placeholder.jpg", host="bogus.test", look="kind"),
    get("/_tk/assets/{asset}", host=DOMAIN),
    get("/_tk/assets/{asset}"),
    get("/_tk/assets/{asset}?project_id={project}"),
    get("/_tk/assets/{page_asset}?project_id={project}"),
    get("/_tk/assets/{asset}?project_id={unknown}"),
    get("/_tk/assets/{asset}?project_id={project}&thumb=10x10"),
    get("/_tk/assets/{project}/{asset}"),
    get("/_tk/assets/{project}/nothing.png"),
    get("/_tk/assets/{project}/nothing.png", headers=HTML),
    get("/_tk/assets/{unknown}/{asset}"),
    get("/_tk/assets/{project}/..%2f..%2fetc%2fpasswd"),
    *each("HEAD POST DELETE OPTIONS", "/_tk/assets/{project}/{asset}"),
    get("/_tk/"),
    get("/_tk/nothing", host=DOMAIN),
]

DATA_READS: list[Case] = [
    get(DATA),
    get(DATA, headers={"origin": FOREIGN}),
    get(f"{DATA}/"),
    get(f"{DATA}?sort=-text&perPage=2"),
    get(f"{DATA}?sort=text&page=2&perPage=1"),
    get(f"{DATA}?page=nothing&perPage=nothing"),
    get(f"{DATA}?perPage=1000&page=-1"),
    get(f"{DATA}?filter=text%20%3D%20%22alpha%22"),
    get(f"{DATA}?filter=stars%20%3E%202%20%26%26%20text%20!%3D%20'beta'"),
    get(f"{DATA}?filter=nonsense"),
    get(f"{DATA}?filter=done%20%3D%20true"),
    get(f"{DATA}?expand=author_id"),
    get("/_tk/data/{project}/plain"),
    get("/_tk/data/{project}/missing"),
    get("/_tk/data/{project}/__proto__"),
    get("/_tk/data/{project}/constructor"),
    get("/_tk/data/{unknown}/notes"),
    get("/_tk/data/{unknown}/notes", headers=HTML),
    get(f"{DATA}/alpha"),
    get(f"{DATA}/alpha?expand=author_id"),
    get(f"{DATA}/nothing"),
    get("/_tk/data/{project}/missing/x"),
    get("/_tk/data/{project}/__proto__/x"),
    get("/_tk/data/{unknown}/notes/x"),
    get("/_tk/data/{project}/plain/7"),
    *each("OPTIONS HEAD PUT", DATA),
    *each("OPTIONS HEAD PUT POST", f"{DATA}/alpha"),
    get("/_tk/data/{project}"),
]

DATA_WRITES: list[Case] = [
    *[
        post(DATA, {"id": f"new{n}", "text": "new"}, headers=headers)
        for n, headers in enumerate(
            (
                {},
                {"origin": OWN},
                {"origin": f"http://{DOMAIN}"},
                {"origin": PREFIXED},
                {"origin": FOREIGN},
                {"origin": "null"},
                {"origin": "http://localhost:5173"},
            )
        )
    ],
    post("/_tk/data/{draft}/notes", {"id": "d1"}, headers={"origin": FOREIGN}),
    post(DATA, {"id": "odd", "stranger": 1}),
    post(DATA, {"text": "gets an id"}, look="keys"),
    post(DATA, body="{", headers=JSON),
    post(DATA, body='"text"', headers=JSON, look="keys"),
    post(DATA, body='{"id":"typeless"}'),
    post(DATA, body="a=b", headers={"content-type": "application/x-www-form-urlencoded"}),
    post(DATA, form={"_data": '{"id":"f1"}', "n": "1"}, headers={"origin": FOREIGN}),
    post(DATA, form={"_data": '{"id":"f2"}', "n": "1"}, headers={"origin": "{origin}"}),
    post(
        "/_tk/data/{draft}/f",
        form={"_data": '{"id":"f3"}', "n": "[1]", "s": "t", "_file:pic": ("p.svg", "<svg/>")},
        headers={"origin": "{origin}"},
    ),
    post(
        "/_tk/data/{draft}/f",
        form={"id": "f4", "a": ("a.txt", "a"), "b": ("b.txt", "b")},
        headers={"origin": "{origin}"},
    ),
    post("/_tk/data/{project}/fresh", {"id": "1", "x": {"deep": [1, None]}}),
    get("/_tk/data/{project}/fresh"),
    post("/_tk/data/{unknown}/notes", {"id": "x"}),
    post(DATA, {"id": "big", "text": BIG}, look="keys"),
    post(DATA, {"id": "chunks", "text": BIG}, chunked=True, look="keys"),
    *[
        Case("PATCH", f"{DATA}/alpha", json={"text": "changed"}, headers=headers)
        for headers in ({}, {"origin": OWN}, {"origin": PREFIXED}, {"origin": FOREIGN})
    ],
    Case("PATCH", f"{DATA}/alpha", json={"id": "other", "odd": 1}),
    Case("PATCH", f"{DATA}/nothing", json={"text": "x"}),
    Case("PATCH", "/_tk/data/{project}/missing/x", json={}),
    Case("PATCH", "/_tk/data/{project}/plain/7", json={"n": 2}),
    Case("PATCH", f"{DATA}/alpha", body="{", headers=JSON),
    Case("PATCH", f"{DATA}/alpha", json={"text": BIG}),
    Case("PATCH", f"{DATA}/alpha", json={"text": BIG}, headers=HTML, look="page"),
    Case(
        "PATCH",
        "/_tk/data/{draft}/notes/d1",
        form={"pic": ("p.svg", "<svg/>")},
        headers={"origin": "{origin}"},
    ),
    Case("DELETE", "/_tk/data/{project}/tkops-random/x", headers={"origin": FOREIGN}),
    Case("DELETE", "/_tk/data/{project}/tkops-random/x"),
    Case("DELETE", "/_tk/data/{project}/tkops-random/x", headers={"origin": PREFIXED}),
    Case("DELETE", "/_tk/data/{project}/__proto__/x"),
    Case("DELETE", f"{DATA}/alpha", headers={"origin": FOREIGN}),
    Case("DELETE", f"{DATA}/new0"),
    Case("DELETE", f"{DATA}/new0"),
    get(f"{DATA}?perPage=100", look="keys"),
    get("/_tk/data/{draft}/notes"),
]

REALTIME: list[Case] = [
    get("/_tk/realtime/{unknown}"),
    get("/_tk/realtime/{project}", events="connected"),
    get("/_tk/realtime/{draft}", events="data_updated"),
    post("/_tk/realtime/{project}"),
]

BUILDER: list[Case] = [
    *guarded("GET", "/api/projects"),
    get("/api/projects", auth="user", look="keys"),
    get("/api/projects", auth="superuser"),
    get("/api/projects", auth="cookie"),
    *guarded("POST", "/api/projects", json={"name": "n"}),
    post("/api/projects", {}, auth="user"),
    post("/api/projects", body="{", headers=JSON, auth="user"),
    post("/api/projects", {"name": "Third", "domain": "Third.Test"}, auth="user"),
    post("/api/projects", {"name": "4", "kit": "k", "template_id": "none"}, auth="user"),
    post("/api/projects", {"name": "5", "template_id": "guestbook"}, auth="user", look="keys"),
    *each("PUT PATCH DELETE OPTIONS", "/api/projects"),
    get("/api/projects/{project}"),
    *guarded("POST", "/api/projects/{project}/build", json={"html": "x"}),
    post("/api/projects/{project}/build", {}, auth="user"),
    post("/api/projects/{unknown}/build", {"html": "x"}, auth="user"),
    post("/api/projects/{project}/build", {"html": BIG}, auth="user"),
    post("/api/projects/{draft}/build", {"html": "<p>draft</p>"}, auth="user"),
    get("/", host="draft.test"),
    *each("GET OPTIONS", "/api/projects/{project}/build"),
    get("/api/projects/{project}/export", look="keys"),
    get("/api/projects/{project}/export", auth="basic", look="keys"),
    get("/api/projects/{unknown}/export"),
    *each("POST HEAD", "/api/projects/{project}/export"),
    *guarded("POST", "/api/projects/{draft}/templates", json={"templateId": "guestbook"}),
    post("/api/projects/{draft}/templates", {}, auth="user"),
    post("/api/projects/{draft}/templates", {"templateId": "none"}, auth="user"),
    post("/api/projects/{draft}/templates", {"templateId": "guestbook"}, auth="user"),
    *guarded("GET", "/api/projects/{project}/agent"),
    get("/api/projects/{project}/agent", auth="user"),
    get("/api/projects/{unknown}/agent", auth="user"),
    *guarded("POST", "/api/projects/{project}/agent", json={"prompt": "x"}),
    post("/api/projects/{project}/agent", {}, auth="user"),
    post("/api/projects/{project}/agent", {"messages": [{"role": "user"}]}, auth="user"),
    post("/api/projects/{project}/agent", {"prompt": "x"}, auth="user"),
    post("/api/projects/{unknown}/agent", {"prompt": "x"}, auth="user"),
    *guarded("DELETE", "/api/projects/{project}/agent"),
    Case("DELETE", "/api/projects/{project}/agent", auth="user"),
    *guarded("POST", "/api/agent/clear"),
    post("/api/agent/clear", auth="user"),
    *guarded("GET", "/api/agent/test"),
    get("/api/agent/test", auth="user"),
    *guarded("GET", "/api/domains"),
    get("/api/domains", auth="user"),
    *guarded("GET", "/api/templates"),
    get("/api/templates", auth="user", look="kind"),
    get("/api/templates/guestbook", look="keys"),
    get("/api/templates/none"),
    get("/api/templates/none", headers=HTML),
    *each("GET PUT", "/api/migrate-build-fields"),
    post("/api/migrate-build-fields"),
    post("/api/migrate-build-fields", {}, headers={"origin": FOREIGN}),
]

SETTINGS: list[Case] = [
    *guarded("GET", "/api/settings?key=llm"),
    get("/api/settings", auth="user"),
    get("/api/settings?key=llm", auth="user"),
    get("/api/settings?key=llm", auth="cookie"),
    get("/api/settings?key=available_domains", auth="superuser"),
    *guarded("POST", "/api/settings", json={"key": "x", "value": 1}),
    post("/api/settings", {}, auth="user"),
    post("/api/settings", {"key": "UPPER CASE", "value": 1}, auth="user"),
    post(
        "/api/settings",
        {"key": "llm", "value": {"provider": "openai", "api_key": "sk-0123456789", "model": "m"}},
        auth="user",
    ),
    post("/api/settings", {"key": "llm", "value": {"provider": "gemini"}}, auth="user"),
    get("/api/settings?key=llm", auth="user"),
    post("/api/settings", {"key": "mine", "value": [1]}, auth="user"),
    get("/api/settings?key=mine", auth="user"),
    *each("PUT DELETE OPTIONS", "/api/settings"),
    *guarded("GET", "/api/settings/llm-status"),
    get("/api/settings/llm-status", auth="user"),
    *guarded("POST", "/api/settings/validate-llm", json={}),
    post("/api/settings/validate-llm", {}, auth="user"),
    post("/api/settings/validate-llm", {"provider": "toString", "api_key": "k"}, auth="user"),
    post("/api/settings/validate-llm", body="{", headers=JSON, auth="user"),
    post(
        "/api/settings/validate-llm",
        {"provider": "openai", "api_key": "k", "base_url": "http://127.0.0.1:1"},
        auth="user",
    ),
    get("/_pb/api/collections/_tk_settings/records/llm", auth="user"),
    get("/_pb/api/collections/_tk_settings/records/llm"),
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
    get("/_pb/api/collections/_tk_settings/records", auth="wrong"),
]

#: Last, because these change the server's process for good: the first adds a key to every object
#: in it, the second (a refused update of a project) ends it after the answer.
FATAL: list[Case] = [
    post("/_tk/data/{project}/__proto__", {"id": "polluted"}, look="kind"),
    get("/_tk/data/{project}/notes/alpha", pause=0.5),
    Case("DELETE", "/api/projects/{unknown}/agent", auth="user", pause=1.0),
    get("/api/setup", may_be_silent=True),
]

CLAIMED: list[Case] = [
    *PAGES,
    *PUBLISHED,
    *ASSETS,
    *DATA_READS,
    *DATA_WRITES,
    *REALTIME,
    *BUILDER,
    *SETTINGS,
    *ENTRANCE,
    *PROXY,
    *POCKETBASE,
    *FATAL,
]
