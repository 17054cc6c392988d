"""The data and realtime API of published apps, with its flaws."""

from __future__ import annotations

from tinykit_ops.lab.contract_cases.case import (
    BIG,
    DOMAIN,
    FOREIGN,
    HTML,
    JSON,
    OWN,
    PREFIXED,
    Case,
    each,
    get,
    post,
)

DATA = "/_tk/data/{project}/notes"

FILE = ("note.txt", "a file")
URLENCODED = {"content-type": "application/x-www-form-urlencoded"}

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

#: As a browser on the app's own domain sends forms (the edge says http to adapter-node).
SAME_SITE = {"origin": f"http://{DOMAIN}", "x-forwarded-proto": "http"}

FORMS: list[Case] = [
    post(DATA, form={"_data": '{"id":"s1"}', "n": "1"}, headers=SAME_SITE, host=DOMAIN),
    post(DATA, form={"_data": "{", "n": "[1]", "s": "t"}, headers=SAME_SITE, look="keys"),
    post(DATA, form={"_data": "{", "id": "s2", "s": "t"}, headers=SAME_SITE, host=DOMAIN),
    post(DATA, form={"id": "s3", "_file:pic": FILE}, headers=SAME_SITE, host=DOMAIN),
    post(DATA, form={"id": "s4", "a": FILE, "b": FILE}, headers=SAME_SITE, host=DOMAIN),
    Case("PATCH", f"{DATA}/s1", form={"pic": FILE}, headers=SAME_SITE, host=DOMAIN),
    Case("PATCH", f"{DATA}/s1", body="a=1&b=x", headers=URLENCODED | SAME_SITE, host=DOMAIN),
    post(DATA, body='{"id":"s5"}', headers={"content-type": "application/octet-stream"}),
    post(DATA, body="nothing", headers={"content-type": "application/octet-stream"}),
    post("/_tk/data/{bare}/any", {"id": "b1"}, headers={"origin": FOREIGN}),
    Case("DELETE", "/_tk/data/{bare}/any/b1", headers={"origin": FOREIGN}),
    get(f"{DATA}?perPage=100", look="keys"),
]

REALTIME: list[Case] = [
    get("/_tk/realtime/{unknown}"),
    get("/_tk/realtime/{project}", events="connected"),
    get("/_tk/realtime/{draft}", events="data_updated"),
    post("/_tk/realtime/{project}"),
]
