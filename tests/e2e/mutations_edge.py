"""Breaks of the proxy: routes that are open, and files that it serves."""

from __future__ import annotations

from mutation_edits import (
    PUBLISHED,
    answers,
    answers_target,
    passes,
    passes_target,
)
from mutation_kinds import mutation

from tinykit_ops.edge.probe import UNKNOWN_ID

_GATED = "builder.gated"
_ADMIN = "proxy.dashboard-gated"
_API = "/_pb/api"

ROUTES = (
    mutation("setup's page open", "builder.setup-closed", passes("/setup")),
    mutation("a claim reaches tinykit", "builder.setup-closed", passes("/api/setup")),
    mutation(
        "the builder's page open",
        f"{_GATED} builder.no-way-around builder.not-framed",
        passes("/tinykit"),
    ),
    mutation("page data open", _GATED, passes("/tinykit/studio/__data.json")),
    mutation(
        "previews open", f"{_GATED} preview.sandboxed", passes(f"/tinykit/preview/{UNKNOWN_ID}")
    ),
    mutation("exports open", _GATED, passes(f"/api/projects/{UNKNOWN_ID}/export")),
    mutation("templates open", _GATED, passes(f"/api/templates/{UNKNOWN_ID}")),
    mutation("validate-llm open", _GATED, passes("/api/settings/validate-llm")),
    mutation("the builder's API open", _GATED, passes("/api/projects")),
    mutation("records open", _GATED, passes(f"{_API}/collections/users/records")),
    mutation("PocketBase's API open", _GATED, passes(f"{_API}/health")),
    mutation(
        "schema update open", "builder.dangerous-routes-closed", passes("/api/migrate-build-fields")
    ),
    mutation(
        "password oracle open",
        "builder.dangerous-routes-closed",
        passes("/api/auth/save-server-credentials"),
    ),
    mutation(
        "percent-encoded way in", "builder.no-way-around", passes_target("^/%74inykit", "/tinykit")
    ),
    mutation(
        "double slash way in", "builder.no-way-around", passes_target("^//tinykit", "/tinykit")
    ),
    mutation(
        "dotted way in", "builder.no-way-around", passes_target("^/x/[.][.]/tinykit", "/tinykit")
    ),
    mutation("dashboard open", _ADMIN, passes("/_pb/_/")),
    mutation(
        "superusers' login open", _ADMIN, passes(f"{_API}/collections/_superusers/auth-methods")
    ),
    mutation("settings open", _ADMIN, passes(f"{_API}/settings")),
    mutation("backups open", _ADMIN, passes(f"{_API}/backups")),
    mutation("logs open", _ADMIN, passes(f"{_API}/logs")),
    mutation("crons open", _ADMIN, passes(f"{_API}/crons")),
    mutation("schema open", _ADMIN, passes(f"{_API}/collections")),
    mutation("SQL console open", _ADMIN, passes(f"{_API}/sql")),
    mutation("batches open", _ADMIN, passes(f"{_API}/batch")),
    mutation(
        "builder on the published domain", "origin.builder-apart", passes("/login", PUBLISHED)
    ),
    mutation(
        "PocketBase not behind /_pb/",
        "proxy.same-origin-works",
        answers(f"{_API}/health", "gone", "builder", status=404),
    ),
    mutation(
        "polluting names pass",
        "origin.names-not-polluting",
        passes(f"/_tk/data/{UNKNOWN_ID}/__proto__", PUBLISHED),
    ),
    mutation(
        "any Origin writes",
        "origin.writes-exact",
        passes(f"/_tk/data/{UNKNOWN_ID}/tkops-check/none", PUBLISHED),
    ),
)

SERVED = (
    mutation(".env served", "secrets.files-not-served", answers("/.env", "LLM_API_KEY=sk-x")),
    mutation(".git served", "secrets.files-not-served", answers("/.git/config", "[core]")),
    mutation(
        "database served",
        "secrets.files-not-served",
        answers("/pb_data/data.db", "SQLite format 3"),
    ),
    mutation(
        "marker served",
        "secrets.files-not-served",
        answers("/pocketbase/pb_data/.setup_complete", '{"admin_email":"a@b.co"}'),
    ),
    mutation(
        "off by a slash",
        "files.no-traversal",
        answers("/_app../package.json", '{"name": "tinykit"}'),
    ),
    mutation(
        "traversal in the app's files",
        "files.no-traversal",
        answers_target("_app/%2e%2e", "root:x:0:0:root"),
        only="caddy",  # nginx refuses such targets before it reads its rules
    ),
    mutation(
        "backslashes climb", "files.no-traversal", answers_target("[.][.]%5c", "root:x:0:0:root")
    ),
    mutation(
        "key on the published page",
        "secrets.bundles-clean",
        answers("/", f"let key = sk-ant-{'a1' * 20}", kind="text/html"),
    ),
    mutation(
        "no security.txt",
        "disclosure.security-txt",
        answers("/.well-known/security.txt", "", status=404),
    ),
    mutation(
        "security.txt expired",
        "disclosure.security-txt",
        answers(
            "/.well-known/security.txt", "Contact: mailto:a@b.co\nExpires: 2026-01-01T00:00:00Z\n"
        ),
    ),
    mutation(
        "security.txt without contact",
        "disclosure.security-txt",
        answers("/.well-known/security.txt", "Expires: 2027-03-01T00:00:00Z\n"),
    ),
)
