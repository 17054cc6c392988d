"""The list of requests that real tinykit and the contract app must answer alike.

Order matters: the list is one conversation. Places such as `{project}` are filled in with what
`prepare` made. UNCLAIMED meets a server that nobody has claimed, CLAIMED one that was claimed
through /api/setup, PROVISIONED one that was claimed through its environment.
"""

from __future__ import annotations

from tinykit_ops.lab.contract_cases.builder import BUILDER, SETTINGS
from tinykit_ops.lab.contract_cases.case import DOMAIN, UNKNOWN, Case, get, post
from tinykit_ops.lab.contract_cases.data import DATA_READS, DATA_WRITES, FORMS, REALTIME
from tinykit_ops.lab.contract_cases.doors import (
    ENTRANCE,
    POCKETBASE,
    PROVISIONED,
    PROXY,
    UNCLAIMED,
)
from tinykit_ops.lab.contract_cases.pages import ASSETS, PAGES, PUBLISHED

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
    *FORMS,
    *REALTIME,
    *BUILDER,
    *SETTINGS,
    *ENTRANCE,
    *PROXY,
    *POCKETBASE,
    *FATAL,
]

__all__ = ["CLAIMED", "DOMAIN", "PROVISIONED", "UNCLAIMED", "UNKNOWN", "Case"]
