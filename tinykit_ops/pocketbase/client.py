"""A small client of PocketBase's API: what provisioning, checks and backups need, no more.

The superuser's token lives in memory for as long as the object does. It is never part of a URL,
a message or a log line.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import requests

from tinykit_ops.pocketbase.errors import (
    PocketBaseAccessError,
    PocketBaseError,
    PocketBaseRequestError,
    PocketBaseUnreachableError,
)

Json = dict[str, Any]

SUPERUSERS = "_superusers"
PAGE = 500  #: records a request; PocketBase allows up to 1000
POLL_SECONDS = 0.1


class PocketBase:
    """One PocketBase server.

    Args:
        url: its base, such as `http://127.0.0.1:8091`.
        timeout: seconds to wait for each connection and each answer.
        verify: False accepts any certificate; a path names the authority to trust.
    """

    def __init__(self, url: str, *, timeout: float = 10.0, verify: bool | str = True) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._http = requests.Session()
        self._http.trust_env = False  # no proxy and no ~/.netrc between us and the server
        self._http.verify = verify

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"PocketBase({self.url!r})"

    def close(self) -> None:
        """Forget the token and close the connections."""
        self._http.headers.pop("Authorization", None)
        self._http.close()

    # Health ------------------------------------------------------------------------------------

    def health(self) -> Json:
        """PocketBase's own health answer. Raises PocketBaseUnreachableError when there is none."""
        return self.call("GET", "/api/health")

    def wait_until_healthy(self, seconds: float = 30.0) -> None:
        """Ask until it answers. Raises PocketBaseUnreachableError after that many seconds."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.health()
                return
            except PocketBaseError as error:
                if time.monotonic() >= deadline:
                    raise PocketBaseUnreachableError(
                        f"PocketBase was not healthy within {seconds:g} seconds ({error.what})",
                        where=self.url,
                        hint="read `journalctl -u pocketbase` on the host",
                    ) from error
            time.sleep(POLL_SECONDS)

    # Logging in --------------------------------------------------------------------------------

    def login_superuser(self, email: str, password: str) -> Json:
        """Log in as a superuser. Returns its record; raises PocketBaseAccessError when refused."""
        return self.login(SUPERUSERS, email, password)

    def login(self, collection: str, email: str, password: str) -> Json:
        """Log in to an auth collection; later calls carry the token. Returns the record."""
        path = f"/api/collections/{quote(collection, safe='')}/auth-with-password"
        try:
            answer = self.call("POST", path, json={"identity": email, "password": password})
        except PocketBaseRequestError as error:
            if error.status != 400:
                raise
            raise PocketBaseAccessError(
                f"PocketBase refused the password of {email}",
                where=f"{self.url} ({collection})",
                hint="check the e-mail and the password that the inventory names",
                status=error.status,
            ) from None
        self._http.headers["Authorization"] = f"Bearer {answer['token']}"
        record: Json = answer["record"]
        return record

    # Collections and settings ------------------------------------------------------------------

    def collections(self) -> list[Json]:
        """Every collection with its rules and fields (superuser)."""
        return list(self._pages("/api/collections", {}))

    def update_collection(self, name: str, changes: Mapping[str, Any]) -> Json:
        """Change some keys of a collection, such as its rules (superuser)."""
        return self.call("PATCH", f"/api/collections/{quote(name, safe='')}", json=dict(changes))

    def get_settings(self) -> Json:
        """PocketBase's settings, its secrets left out by PocketBase itself (superuser)."""
        return self.call("GET", "/api/settings")

    def update_settings(self, changes: Mapping[str, Any]) -> Json:
        """Change some keys of the settings (superuser). Returns all of them."""
        return self.call("PATCH", "/api/settings", json=dict(changes))

    # Records -----------------------------------------------------------------------------------

    def records(self, collection: str, filter: str = "") -> Iterator[Json]:
        """Every record that the filter (PocketBase's language) lets through, page by page."""
        query = {"filter": filter} if filter else {}
        yield from self._pages(self._records_path(collection), query)

    def count(self, collection: str, filter: str = "") -> int:
        """How many records the filter lets through."""
        query: dict[str, str] = {"perPage": "1", "fields": "id"}
        if filter:
            query["filter"] = filter
        return int(self.call("GET", self._records_path(collection), params=query)["totalItems"])

    def create_record(
        self,
        collection: str,
        data: Mapping[str, Any],
        files: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> Json:
        """Make a record. `files` is field → (name, content) and turns it into an upload."""
        return self._write("POST", self._records_path(collection), data, files)

    def update_record(
        self,
        collection: str,
        record_id: str,
        data: Mapping[str, Any],
        files: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> Json:
        """Change some fields of a record."""
        return self._write("PATCH", self._record_path(collection, record_id), data, files)

    def delete_record(self, collection: str, record_id: str) -> None:
        """Delete a record."""
        self.call("DELETE", self._record_path(collection, record_id))

    def file_token(self) -> str:
        """A token of two minutes for protected files."""
        return str(self.call("POST", "/api/files/token")["token"])

    # Underneath --------------------------------------------------------------------------------

    def call(self, method: str, path: str, **request: Any) -> Json:
        """Send one request. Returns the JSON object of the answer, {} when it has no body.

        Args:
            path: what follows the base URL; never put a secret there, use `headers` or `json`.
            request: passed to requests: json, data, files, params, headers.

        Raises:
            PocketBaseUnreachableError, PocketBaseAccessError, PocketBaseRequestError.
        """
        request.setdefault("allow_redirects", False)
        try:
            answer = self._http.request(method, self.url + path, timeout=self._timeout, **request)
        except requests.RequestException as error:
            # The error's own text may hold a query string, so only its kind is told.
            raise PocketBaseUnreachableError(
                f"PocketBase does not answer ({type(error).__name__})",
                where=self.url + path,
                hint="is the service running? see `systemctl status pocketbase`",
            ) from None
        if not answer.ok or answer.is_redirect:
            raise self._refusal(answer, method, path)
        if not answer.content:
            return {}
        return self._object(answer, path)

    def _object(self, answer: requests.Response, path: str) -> Json:
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise PocketBaseUnreachableError(
                "Something answered that is not PocketBase",
                where=self.url + path,
                hint="check the address and what listens there",
                status=answer.status_code,
            )
        return body

    def _refusal(self, answer: requests.Response, method: str, path: str) -> PocketBaseError:
        status = answer.status_code
        where = f"{method} {self.url}{path}"
        reason = _reason(answer)
        if status in (401, 403):
            hint = "log in as a superuser first; superusers may be limited to certain addresses"
            return PocketBaseAccessError(
                f"PocketBase says {status}: {reason}", where=where, hint=hint, status=status
            )
        hint = {
            404: "is the name right, and have the migrations run?",
            429: "its rate limiter is at work: wait, or leave loopback out of it",
        }.get(status, "PocketBase's own log has more: `/_pb/_/#/logs`")
        return PocketBaseRequestError(
            f"PocketBase says {status}: {reason}", where=where, hint=hint, status=status
        )

    def _pages(self, path: str, query: Mapping[str, str]) -> Iterator[Json]:
        page = 1
        while True:
            # Sorted by rowid, so that records written meanwhile shift no page.
            asked = {"perPage": str(PAGE), "page": str(page), "skipTotal": "1", **query}
            if path.endswith("/records"):
                asked.setdefault("sort", "@rowid")
            items: list[Json] = self.call("GET", path, params=asked)["items"]
            yield from items
            if len(items) < PAGE:
                return
            page += 1

    def _write(
        self,
        method: str,
        path: str,
        data: Mapping[str, Any],
        files: Mapping[str, tuple[str, bytes]] | None,
    ) -> Json:
        if files:
            return self.call(method, path, data=dict(data), files=dict(files))
        return self.call(method, path, json=dict(data))

    @staticmethod
    def _records_path(collection: str) -> str:
        return f"/api/collections/{quote(collection, safe='')}/records"

    def _record_path(self, collection: str, record_id: str) -> str:
        return f"{self._records_path(collection)}/{quote(record_id, safe='')}"


def _reason(answer: requests.Response) -> str:
    """PocketBase's message and the fields it complains about; never what was sent."""
    try:
        body = answer.json()
    except ValueError:
        return answer.reason or "no reason given"
    if not isinstance(body, dict):
        return answer.reason or "no reason given"
    fields = body.get("data") or {}
    complaints = [
        f"{name}: {detail.get('message', detail.get('code', ''))}"
        for name, detail in fields.items()
        if isinstance(detail, dict)
    ]
    message = str(body.get("message", "")) or answer.reason
    return f"{message} ({'; '.join(complaints)})" if complaints else message
