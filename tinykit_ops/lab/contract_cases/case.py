"""One request of the list, and short ways to write it."""

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
    noted: bool = False  #: wait until the server has written the host down
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


BIG = "x" * (600 * 1024)
