"""Writes to PocketBase without a break, in a process of its own, until its stdin ends.

The first line of stdin is the order, as JSON: `url`, `token`, `writers` (each with a connection),
`pause` (seconds between the writes of one) and `folder` for the logs. Each writer numbers its
writes 1, 2, 3 … and notes `s N` before it sends one, and `a N MILLISECONDS` when it was
acknowledged, or `e N WHY`: nothing but these files says what PocketBase had promised, and when.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

COLLECTION = "writes"
UPLOAD_EVERY = 100  #: one write in so many brings a file
BODY = "x" * 200
LINE = "load-writer-boundary"


class Writer(threading.Thread):
    """One connection that writes and waits for each answer."""

    def __init__(self, order: dict[str, Any], number: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.order, self.number, self.stop = order, number, stop
        self.log = os.open(
            Path(order["folder"]) / f"writer{number}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND
        )

    def run(self) -> None:
        connection = HTTPConnection(urlsplit(self.order["url"]).netloc, timeout=300)
        seq = 0
        while not self.stop.is_set():
            seq += 1
            self.note(f"s {seq}")
            began = time.monotonic()
            try:
                why = self.write(connection, seq)
            except (OSError, HTTPException) as error:
                connection.close()
                why = type(error).__name__
            took = (time.monotonic() - began) * 1000
            self.note(f"e {seq} {why}" if why else f"a {seq} {took:.1f}")
            time.sleep(self.order["pause"])

    def write(self, connection: HTTPConnection, seq: int) -> str:
        """Returns why it was not acknowledged; nothing when it was."""
        fields = {"writer": str(self.number), "seq": str(seq), "body": BODY}
        connection.request(
            "POST",
            f"/api/collections/{COLLECTION}/records",
            form(fields, f"{self.number}-{seq}".encode() if seq % UPLOAD_EVERY == 0 else None),
            {
                "Authorization": self.order["token"],
                "Content-Type": f"multipart/form-data; boundary={LINE}",
            },
        )
        answer = connection.getresponse()
        said = answer.read()
        return "" if answer.status == 200 else f"{answer.status} {said[:200]!r}"

    def note(self, line: str) -> None:
        os.write(self.log, f"{line}\n".encode())


def form(fields: dict[str, str], file: bytes | None) -> bytes:
    """A form's body; the file's content tells who wrote it."""
    parts = [
        f'--{LINE}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
        for name, text in fields.items()
    ]
    if file is not None:
        head = f'--{LINE}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
        parts.append(head.encode() + file + b"\r\n")
    return b"".join(parts) + f"--{LINE}--\r\n".encode()


def main() -> None:
    """Write until stdin ends; the write on its way is finished."""
    order, stop = json.loads(sys.stdin.readline()), threading.Event()
    writers = [Writer(order, number, stop) for number in range(order["writers"])]
    for writer in writers:
        writer.start()
    sys.stdin.read()
    stop.set()
    for writer in writers:
        writer.join()


if __name__ == "__main__":
    main()
