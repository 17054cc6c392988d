"""A client that sends requests byte for byte, many at once: run as a program, one a vantage.

It reads a JSON object a line (`edge_vantage.Ask` says what is in it) and writes one for each, in
any order. Connections stay open between requests unless an order asks for a fresh one.
Standard library only, because it runs in other network namespaces.
"""

from __future__ import annotations

import base64
import http.client
import io
import json
import queue
import socket
import ssl
import sys
import threading
from contextlib import suppress
from typing import Any

THREADS = 10
BODY_BYTES = 6000
IDLE_SECONDS = 20.0

Key = tuple[str, int, str | None]


class Client:
    """One thread's connections."""

    def __init__(self) -> None:
        self.open: dict[Key, ssl.SSLSocket | socket.socket] = {}
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        self.context.set_alpn_protocols(["http/1.1"])

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        """Send one request and read its answer; a connection that went stale is opened anew."""
        key = (order["address"], order["port"], order["sni"])
        reused = key in self.open and not order["fresh"]
        try:
            return self._exchange(key, order)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._drop(key)
            stale = isinstance(error, ConnectionError) and reused
            if stale:
                try:
                    return self._exchange(key, order)
                except (OSError, http.client.HTTPException, ValueError) as again:
                    self._drop(key)
                    error = again
            return {"error": f"{type(error).__name__}: {error}"[:200]}

    def forget(self) -> None:
        """Close everything."""
        for key in list(self.open):
            self._drop(key)

    def _exchange(self, key: Key, order: dict[str, Any]) -> dict[str, Any]:
        if order["fresh"]:
            self._drop(key)
        connection = self.open.get(key) or self._connect(key, order["seconds"])
        self.open[key] = connection
        connection.settimeout(order["seconds"])
        connection.sendall(base64.b64decode(order["raw"]))
        answer = http.client.HTTPResponse(connection, method=order["method"])
        answer.begin()
        found = {"status": answer.status, "headers": answer.getheaders(), "body": ""}
        if "text/event-stream" in (answer.getheader("Content-Type") or ""):
            found["body"] = answer.read1(BODY_BYTES).decode("utf-8", "replace")  # the first event
            self._drop(key)
            return found
        found["body"] = answer.read(BODY_BYTES).decode("utf-8", "replace")
        rest = answer.read(1)
        if order["all"]:
            found["more"] = self._rest(connection)
        if rest or answer.will_close or order["fresh"]:
            self._drop(key)
        return found

    def _rest(self, connection: ssl.SSLSocket | socket.socket) -> str:
        """Whatever else comes: the answer to a request that was hidden in the first one."""
        connection.settimeout(0.4)
        heard = io.BytesIO()
        with suppress(OSError):
            while heard.tell() < BODY_BYTES and (part := connection.recv(4096)):
                heard.write(part)
        return heard.getvalue().decode("utf-8", "replace")

    def _connect(self, key: Key, seconds: float) -> ssl.SSLSocket | socket.socket:
        address, port, sni = key
        plain = socket.create_connection((address, port), timeout=seconds)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sni is None:
            return plain
        # An empty name stands for a client that names nobody.
        return self.context.wrap_socket(plain, server_hostname=sni or None)

    def _drop(self, key: Key) -> None:
        connection = self.open.pop(key, None)
        if connection is not None:
            connection.close()


def main() -> None:
    """Answer orders until standard input ends."""
    orders: queue.Queue[dict[str, Any] | None] = queue.Queue()
    writing = threading.Lock()
    epoch = [0]

    def serve() -> None:
        client, known = Client(), 0
        while (order := orders.get()) is not None:
            if known != epoch[0]:
                client.forget()
                known = epoch[0]
            answer = {"n": order["n"], **client.ask(order)}
            with writing:
                sys.stdout.write(json.dumps(answer) + "\n")
                sys.stdout.flush()

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for line in sys.stdin:
        order = json.loads(line)
        if "forget" in order:
            epoch[0] += 1
        else:
            orders.put(order)
    for _ in threads:
        orders.put(None)
    for thread in threads:
        thread.join(IDLE_SECONDS)


if __name__ == "__main__":
    main()
