"""Breaks of PocketBase: rules, ways to log in, settings, records."""

from __future__ import annotations

from mutation_edits import answers, passes
from mutation_kinds import both, collection, mutation, record, server

LIMIT = {"duration": 60, "maxRequests": 60}
ANY = "@request.auth.id != ''"
#: Whoever needs an account's login sees nothing when nobody can log in.
_LOGINS = (
    "authentication.token-form authentication.token-lifetime authentication.refresh "
    "authentication.forged-tokens-refused secrets.llm-key-unreadable builder.not-framed "
    "preview.sandboxed proxy.same-origin-works"
)

DATABASE = (
    mutation(
        "everybody may sign up",
        "authentication.accounts-locked",
        collection("users", createRule=""),
    ),
    mutation(
        "accounts make accounts",
        "authentication.accounts-locked",
        collection("users", createRule=ANY),
    ),
    mutation("projects listed", "database.no-public-read", collection("_tk_projects", listRule="")),
    mutation(
        "projects listed by a rule like none",
        "database.no-public-read",
        collection("_tk_projects", listRule=f"{ANY} || id != ''"),
    ),
    mutation("kits shown", "database.no-public-read", collection("_tk_kits", viewRule="")),
    mutation(
        "projects changed", "database.no-public-write", collection("_tk_projects", updateRule="")
    ),
    mutation("kits made", "database.no-public-write", collection("_tk_kits", createRule="")),
    mutation(
        "projects deleted", "database.no-public-write", collection("_tk_projects", deleteRule="")
    ),
    mutation(
        "settings shown", "database.settings-locked", collection("_tk_settings", viewRule=ANY)
    ),
    mutation(
        "settings changed", "database.settings-locked", collection("_tk_settings", updateRule=ANY)
    ),
    mutation(
        "settings shown to everybody",
        "database.settings-locked database.no-public-read",
        collection("_tk_settings", viewRule=""),
    ),
    mutation(
        "accounts listed",
        "database.users-unlisted",
        collection("users", listRule="id = @request.auth.id"),
    ),
    mutation(
        "another superuser",
        "database.superusers-known",
        record(
            "_superusers",
            {
                "email": "evil@lab.test",
                "password": "0123456789ab",
                "passwordConfirm": "0123456789ab",
            },
        ),
    ),
    mutation(
        "logins of a month",
        "authentication.token-lifetime",
        collection("users", authToken={"duration": 2592000}),
    ),
    mutation(
        "superuser's logins of a month",
        "database.superuser-logins-end",
        collection("_superusers", authToken={"duration": 2592000}),
    ),
    mutation(
        "no passwords",
        "authentication.login-works",
        collection("users", passwordAuth={"enabled": False}),
        blinds=_LOGINS,
    ),
    mutation(
        "OAuth2 on", "authentication.only-passwords", collection("users", oauth2={"enabled": True})
    ),
    mutation(
        "one-time passwords",
        "authentication.only-passwords",
        collection("users", otp={"enabled": True}),
    ),
    mutation(
        "short passwords", "authentication.password-length", collection("users", password__min=4)
    ),
    mutation(
        "short passwords of superusers",
        "authentication.password-length",
        collection("_superusers", password__min=1),
    ),
    mutation(
        "key in the database",
        "secrets.key-not-in-database",
        record("_tk_settings", {"id": "llm", "value": {"api_key": "sk-x"}}),
    ),
    mutation("batches on", "database.batch-off", server("batch", {"enabled": True})),
    mutation(
        "leftmost address",
        "database.trusted-proxy",
        server("trustedProxy", {"useLeftmostIP": True}),
    ),
    mutation(
        "no address of clients",
        "database.trusted-proxy",
        server("trustedProxy", {"headers": []}),
        blinds="proxy.forwarded-for",
    ),
    mutation(
        "a CDN's header believed",
        "database.trusted-proxy",
        server("trustedProxy", {"headers": ["X-Forwarded-For", "CF-Connecting-IP"]}),
    ),
    mutation(
        "superusers from anywhere", "database.superuser-addresses", server("superuserIPs", [])
    ),
    mutation(
        "superusers from elsewhere too",
        "database.superuser-addresses",
        server("superuserIPs", ["127.0.0.1", "::1", "10.0.0.0/8", "fd00::/8"]),
    ),
    mutation(
        "limits off", "authentication.login-limited", server("rateLimits", {"enabled": False})
    ),
    mutation(
        "logins not limited",
        "authentication.login-limited",
        server("rateLimits", {"rules": [{"label": "/api/", "duration": 10, "maxRequests": 3000}]}),
    ),
    mutation(
        "logins hardly limited",
        "authentication.login-limited",
        server("rateLimits", {"rules": [{"label": "*:auth", "duration": 1, "maxRequests": 100}]}),
    ),
    mutation(
        "guests' logins not limited",
        "authentication.login-limited",
        server("rateLimits", {"rules": [{**LIMIT, "label": "*:auth", "audience": "@auth"}]}),
    ),
    mutation(
        "superusers' logins not limited",
        "authentication.login-limited",
        server("rateLimits", {"rules": [{**LIMIT, "label": "users:auth"}]}),
    ),
    mutation(
        "everybody left out of limits",
        "authentication.login-limited",
        server("rateLimits", {"excludedIPs": ["127.0.0.1", "::1", "0.0.0.0/0"]}),
    ),
    mutation(
        "superusers from 0.0.0.0/0",
        "database.superuser-addresses",
        server("superuserIPs", ["127.0.0.1", "::1", "0.0.0.0/0", "::/0"]),
    ),
    mutation(
        "tinykit is counted",
        "database.limits-spare-tinykit",
        server("rateLimits", {"excludedIPs": []}),
    ),
    mutation(
        "address without https",
        "database.address-known",
        server("meta", {"appURL": "http://x.test"}),
    ),
    mutation("own backups", "backups.not-mixed", server("backups", {"cron": "0 0 1 1 *"})),
    mutation(
        "every account reads the key",
        "secrets.llm-key-unreadable secrets.key-not-in-database database.settings-locked",
        both(
            record("_tk_settings", {"id": "llm", "value": {"api_key": "sk-x"}}),
            collection("_tk_settings", viewRule=ANY),
        ),
    ),
    mutation(
        "every account lists the key",
        "secrets.llm-key-unreadable secrets.key-not-in-database database.settings-locked",
        both(
            record("_tk_settings", {"id": "llm", "value": {"api_key": "sk-x"}}),
            collection("_tk_settings", listRule=ANY),
        ),
    ),
    mutation(
        "everybody signs up",
        "authentication.sign-up-closed authentication.accounts-locked builder.gated",
        both(
            collection("users", createRule=""),
            passes("/_pb/api/collections/users/records"),
        ),
    ),
    mutation(
        "logins are not renewed",
        "authentication.refresh",
        answers("/_pb/api/collections/users/auth-refresh", "no", "builder", status=404),
    ),
)
