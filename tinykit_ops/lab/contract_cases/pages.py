"""Pages, published apps and their assets."""

from __future__ import annotations

from tinykit_ops.lab.contract_cases.case import DOMAIN, FOREIGN, HTML, Case, each, get, post

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
    *[
        get(f"/tinykit/studio/__data.json?id={{project}}&x-sveltekit-invalidated={wanted}")
        for wanted in ("001", "110", "1", "")
    ],
    get("/tinykit/{project}/__data.json?x-sveltekit-invalidated=110"),
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
    get("/", host="unknown.test", noted=True),
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
