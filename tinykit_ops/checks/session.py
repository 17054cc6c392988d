"""PocketBase, asked by somebody who has an account there: through the edge, or on its own host."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinykit_ops.checks.answer import Answer
from tinykit_ops.checks.credentials import Credentials
from tinykit_ops.checks.http import Client
from tinykit_ops.checks.model import CannotLook
from tinykit_ops.host.server_settings import LOOPBACK, PROXY_HEADER

USERS = "users"
SUPERUSERS = "_superusers"
_JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Login:
    """A login that worked.

    Attributes:
        token: never shown.
        record: of the account, as PocketBase gave it.
        when: in `time.monotonic()` seconds.
    """

    answer: Answer = field(repr=False)
    token: str = field(repr=False)
    record: Mapping[str, Any] = field(default_factory=dict)
    when: float = field(default_factory=time.monotonic)

    @property
    def id(self) -> str:
        """The id of the account's record."""
        return str(self.record.get("id", ""))


@dataclass
class Session:
    """One account of one collection. It logs in once, for all checks, and only when asked to.

    Attributes:
        client: how to reach PocketBase.
        prefix: what comes before `/api/`: `/_pb` through the edge, nothing on the host.
        collection: `users` or `_superusers`.
        credentials: of the account.
        refusal: the answer to a login that did not work.
    """

    client: Client = field(repr=False)
    prefix: str
    collection: str
    credentials: Credentials
    refusal: Answer | None = None
    _login: Login | str | None = field(default=None, repr=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def is_local(self) -> bool:
        """Is PocketBase asked on its own host, beside the edge?"""
        return not self.prefix

    @property
    def _address(self) -> dict[str, str]:
        """On the host, whose loopback it is, whatever address Docker shows a container for it."""
        return {PROXY_HEADER: LOOPBACK[0]} if self.is_local else {}

    def login(self) -> Login:
        """Log in, or tell again how it went. Raises CannotLook."""
        with self._turn:
            if self._login is None:
                try:
                    self._login = self._log_in()
                except CannotLook as reason:
                    self._login = str(reason)
            if isinstance(self._login, str):
                raise CannotLook(self._login)
            return self._login

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        token: str | None = None,
    ) -> Answer:
        """Send a request with the account's token, or with another one.

        Args:
            path: from `/api/` on.
            token: in the place of the account's own.

        Raises:
            CannotLook: no login, or no answer.
        """
        bearer = self.login().token if token is None else token
        kind = _JSON if body is not None else {}
        return self.client.send(
            method,
            f"{self.prefix}{path}",
            headers={
                "authorization": f"Bearer {bearer}",
                **self._address,
                **kind,
                **(headers or {}),
            },
            body=json.dumps(body) if body is not None else None,
        )

    def object(self, path: str) -> dict[str, Any]:
        """What a GET gives, which must be a JSON object. Raises CannotLook."""
        answer = self.ask("GET", path)
        found = parsed(answer)
        if answer.status != 200 or found is None:
            raise CannotLook(f"{answer}, which tells nothing")
        return found

    def _log_in(self) -> Login:
        path = f"{self.prefix}/api/collections/{self.collection}/auth-with-password"
        words = {"identity": self.credentials.email, "password": self.credentials.password}
        headers = {**self._address, **_JSON}
        answer = self.client.send("POST", path, headers=headers, body=json.dumps(words))
        found = parsed(answer) or {}
        token, record = found.get("token"), found.get("record")
        if answer.status == 200 and isinstance(token, str) and isinstance(record, dict):
            return Login(answer, token, record)
        self.refusal = answer
        if answer.status == 400 and '"data":' in answer.text:
            raise CannotLook(f"PocketBase does not take the password of {self.credentials.email}")
        raise CannotLook(f"{answer}: nobody could log in as {self.credentials.email}")


def parsed(answer: Answer) -> dict[str, Any] | None:
    """The JSON object in an answer, or None."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):  # nested a hundred thousand times
        return None
    return found if isinstance(found, dict) else None
