"""Somebody who writes to a published app all the time, one record after the other.

One after the other, because tinykit itself loses writes that overlap (tinykit-facts). A record that
was acknowledged must be there afterwards.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from dataclasses import dataclass, field

from tinykit_ops.lab.host import LabHost

COLLECTION = "notes"
PAUSE = 0.05


@dataclass
class Writer:
    """A thread that writes while its context lasts; `acknowledged` and `refused` tell the rest."""

    host: LabHost
    project: str
    name: str = "note"  #: what its records begin with
    acknowledged: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    slowest: float = 0.0  #: seconds that one write took

    def __enter__(self) -> Writer:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def lost(self) -> list[str]:
        """Acknowledged records that are not there."""
        there = self.there()
        return [text for text in self.acknowledged if text not in there]

    def there(self) -> set[str]:
        """Every record that the app shows, whoever wrote it."""
        there: set[str] = set()
        page, pages = 1, 1
        while page <= pages:
            status, body = self._ask("GET", "", f"?page={page}&perPage=200")
            if status != 200:
                raise RuntimeError(f"the records cannot be read: {status} {body[:200]!r}")
            answer = json.loads(body)
            there |= {str(each["text"]) for each in answer["items"]}
            page, pages = page + 1, answer["totalPages"]
        return there

    def _write(self) -> None:
        number = 0
        while not self._ended.is_set():
            number += 1
            text, began = f"{self.name} {number}", time.monotonic()
            try:
                status, body = self._ask("POST", json.dumps({"text": text}))
            except (OSError, http.client.HTTPException) as error:
                status, body = 0, f"{type(error).__name__}: {error}".encode()
            self.slowest = max(self.slowest, time.monotonic() - began)
            if status in (200, 201):
                self.acknowledged.append(text)
            else:
                self.refused.append(f"{text}: {status} {body[:80]!r}")
            self._ended.wait(PAUSE)

    def _ask(self, method: str, body: str, query: str = "") -> tuple[int, bytes]:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        address = f"/_tk/data/{self.project}/{COLLECTION}{query}"
        line = _Pinned(self.host, context)
        try:
            headers = {"Origin": f"https://{self.host.domain}", "Content-Type": "application/json"}
            line.request(method, address, body or None, headers)
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()


class _Pinned(http.client.HTTPSConnection):
    """To the host's address, by its name."""

    def __init__(self, host: LabHost, context: ssl.SSLContext) -> None:
        super().__init__(host.domain, 443, timeout=90, context=context)
        connect = self._create_connection  # type: ignore[attr-defined]
        self._create_connection = lambda _, *rest: connect((host.address4, 443), *rest)
