"""A PocketBase that says what the test wants, as the checks see it: one answer a request."""

from __future__ import annotations

import base64
import copy
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinykit_ops.checks.answer import Answer
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.credentials import Credentials
from tinykit_ops.checks.manners import Manners
from tinykit_ops.checks.session import SUPERUSERS, USERS, Session
from tinykit_ops.checks.target import Target
from tinykit_ops.settings.model import Settings

Json = dict[str, Any]
ANY = "@request.auth.id != ''"
PASSWORD = "canary-password"
LOCKED = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"))


def settings(**more: object) -> Settings:
    return Settings.model_validate(
        {
            "domains": ["apps.example.com"],
            "admin_email": "you@example.com",
            "app": {"git": "https://git.example.com/tinykit", "commit": "0" * 40},
            "access": {"allowlist": ["203.0.113.7"]},
            **more,
        }
    )


def token(alg: str = "HS256", days: float = 5, **claims: object) -> str:
    said = {"id": "u1", "type": "auth", "collectionId": "c", "exp": int(time.time() + days * 86400)}
    parts = ({"alg": alg, "typ": "JWT"}, {**said, **claims})
    return ".".join([*(_encode(part) for part in parts), "c2lnbmVk"])


def _encode(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def server_settings() -> Json:
    """As the deploy leaves them."""
    return {
        "superuserIPs": ["127.0.0.1", "::1", "203.0.113.7/32"],
        "backups": {"cron": ""},
        "meta": {"appURL": "https://apps.example.com"},
        "rateLimits": {
            "enabled": True,
            "rules": [{"label": "*:auth", "duration": 60, "maxRequests": 20}],
            "excludedIPs": ["127.0.0.1", "::1"],
        },
        "trustedProxy": {"headers": ["X-Forwarded-For"], "useLeftmostIP": False},
        "batch": {"enabled": False, "maxRequests": 50},
    }


def collections() -> dict[str, Json]:
    """As the deploy leaves them, with tinykit's."""
    auth = {
        "fields": [
            {"name": "password", "min": 8},
            {"name": "tokenKey", "min": 30, "autogeneratePattern": "[a-zA-Z0-9]{50}"},
        ],
        "authToken": {"duration": 86400},
        "oauth2": {"enabled": False},
        "otp": {"enabled": False},
    }
    open_to_accounts = dict.fromkeys(LOCKED, ANY)
    return {
        "_superusers": {**LOCKED, **copy.deepcopy(auth)},
        "users": {**LOCKED, "viewRule": "id = @request.auth.id", **copy.deepcopy(auth)},
        "_tk_settings": dict(LOCKED),
        "_tk_projects": dict(open_to_accounts),
    }


@dataclass
class FakePocketBase:
    """Takes the place of a `Client`.

    Attributes:
        answers: `METHOD path` → (status, JSON), before everything else.
        token: what a login gives.
        renewed: what a refresh gives.
        believes: forged tokens that it takes for good.
    """

    settings: Json = field(default_factory=server_settings)
    collections: dict[str, Json] = field(default_factory=collections)
    superusers: list[str] = field(default_factory=lambda: ["you@example.com"])
    answers: dict[str, tuple[int, Json]] = field(default_factory=dict)
    token: str = field(default_factory=token)
    renewed: str = field(default_factory=lambda: token(days=6))
    believes: tuple[str, ...] = ()
    records: dict[str, Json] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    manners: Manners = field(default_factory=Manners)
    target: Target = field(default_factory=lambda: Target("http", "127.0.0.1", 8091))

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> Answer:
        self.manners.spend("here")
        self.requests.append(f"{method} {path}")
        bearer = (headers or {}).get("authorization", "").removeprefix("Bearer ")
        status, said = self.answers.get(f"{method} {path}") or self._say(path, bearer, body)
        return Answer(status, {}, json.dumps(said).encode(), f"{method} {path}")

    def _say(self, path: str, bearer: str, body: str | None) -> tuple[int, Json]:
        if path.endswith("/auth-with-password"):
            record = {"id": "u1", "email": "you@example.com"}
            good = json.loads(body or "{}")["password"] == PASSWORD
            return (200, {"token": self.token, "record": record}) if good else (400, {"data": {}})
        if bearer != self.token and not self._believes(bearer):
            return 401, {"data": {}, "status": 401}
        if path.endswith("/auth-refresh"):
            return 200, {"token": self.renewed}
        if path == "/api/settings":
            return 200, self.settings
        if path.startswith("/api/collections?"):
            items = [{"name": name, **said} for name, said in self.collections.items()]
            return 200, {"items": items, "totalItems": len(items)}
        if path.startswith("/api/collections/_superusers/records"):
            items = [{"email": email} for email in self.superusers]
            return 200, {"items": items, "totalItems": len(items)}
        found = self.records.get(path) or (
            {"id": "u1"} if path.endswith("/users/records/u1") else None
        )
        return (200, found) if found else (404, {"data": {}, "status": 404})

    def _believes(self, bearer: str) -> bool:
        return any(mark in bearer for mark in self.believes)


def known_to(server: FakePocketBase, password: str = PASSWORD, **more: object) -> Context:
    """Looks at it with an account and as superuser, with the settings of an instance."""
    credentials = Credentials("you@example.com", password)
    one: Any = server
    return Context(
        settings=settings(**more),
        account=Session(one, "", USERS, credentials),
        superuser=Session(one, "", SUPERUSERS, credentials),
    )
