"""A small client of PocketBase's API: what provisioning, checks and backups need, no more.

The superuser's token lives in memory for as long as the object does. It is never part of a URL,
a message or a log line.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from tinykit_ops.pocketbase.errors import (
    PocketBaseAccessError,
    PocketBaseError,
    PocketBaseRequestError,
    PocketBaseUnreachableError,
)
from tinykit_ops.pocketbase.transport import Json, Transport

SUPERUSERS = "_superusers"
PAGE = 500  #: records a request; PocketBase allows up to 1000
POLL_SECONDS = 0.1


class PocketBase(Transport):
    """One PocketBase server, with everything we ask of it.

    Args, as of Transport: the server's base URL, `timeout` in seconds, `verify` for TLS.
    """

    # Health ------------------------------------------------------------------------------------

    def health(self) -> Json:
        """PocketBase's own health answer. Raises PocketBaseUnreachableError when there is none."""
        return self.call("GET", "/api/health")

    def wait_until_healthy(
        self, seconds: float = 30.0, has_ended: Callable[[], bool] = lambda: False
    ) -> None:
        """Ask until it answers.

        Raises:
            PocketBaseUnreachableError: after that many seconds, or when `has_ended` says that there
                is nothing to wait for any more.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.health()
                return
            except PocketBaseError as error:
                ended = has_ended()
                if ended or time.monotonic() >= deadline:
                    after = (
                        "ended by itself"
                        if ended
                        else f"was not healthy within {seconds:g} seconds"
                    )
                    raise PocketBaseUnreachableError(
                        f"PocketBase {after} ({error.what})",
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

    def file_digest(self, collection: str, record_id: str, name: str) -> tuple[int, str]:
        """Read an upload through the API. Returns its size in bytes and its SHA-256 (hex).

        Uses a token of two minutes, the only kind that PocketBase takes in a URL, so that
        protected files can be read too.
        """
        steps = "/".join(quote(step, safe="") for step in (collection, record_id, name))
        query = {"token": self.file_token()}
        digest, size = hashlib.sha256(), 0
        for chunk in self.download(f"/api/files/{steps}", params=query):
            digest.update(chunk)
            size += len(chunk)
        return size, digest.hexdigest()

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
