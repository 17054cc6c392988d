"""A client of HTTP/2 that sends any headers in any order: run as a program.

It reads a JSON object a line (`edge_h2.AskH2` says what is in it) and writes one for each. Every
request has a connection of its own: a server that dislikes one may end it.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError

THREADS = 4
SECONDS = 2.0
BODY_BYTES = 6000


def ask(order: dict[str, Any]) -> dict[str, Any]:
    """Send one request and read its answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        with (
            socket.create_connection((order["address"], 443), timeout=SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=order["sni"]) as channel,
        ):
            if channel.selected_alpn_protocol() != "h2":
                return {"error": "the server does not speak HTTP/2"}
            return _exchange(channel, order)
    except (OSError, ProtocolError) as error:
        return {"error": f"{type(error).__name__}: {error}"[:200]}


def _exchange(channel: ssl.SSLSocket, order: dict[str, Any]) -> dict[str, Any]:
    config = H2Configuration(
        header_encoding="latin-1",
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
        validate_inbound_headers=False,
    )
    connection = H2Connection(config)
    connection.initiate_connection()
    headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in order["headers"]
    ]
    connection.send_headers(1, headers, end_stream=not order["body"])
    if order["body"]:
        connection.send_data(1, order["body"].encode("latin-1"), end_stream=True)
    channel.sendall(connection.data_to_send())
    found: dict[str, Any] = {"status": 0, "headers": [], "body": ""}
    while True:
        data = channel.recv(65536)
        if not data:
            return {**found, "error": "closed"}
        for event in connection.receive_data(data):
            if isinstance(event, ResponseReceived):
                pairs = [[str(name), str(value)] for name, value in event.headers or []]
                found["status"] = int(dict(pairs).get(":status", 0))
                found["headers"] = [pair for pair in pairs if not pair[0].startswith(":")]
            elif isinstance(event, DataReceived):
                found["body"] += (event.data or b"").decode("utf-8", "replace")[:BODY_BYTES]
            elif isinstance(event, StreamEnded):
                return found
            elif isinstance(event, StreamReset | ConnectionTerminated):
                return {**found, "error": f"refused: {event.error_code}"}
        channel.sendall(connection.data_to_send())


def main() -> None:
    """Answer orders until standard input ends."""
    writing = threading.Lock()

    def serve(order: dict[str, Any]) -> None:
        try:
            answer = {"n": order["n"], **ask(order)}
        except Exception as error:  # an answer that the library cannot read is none, but is told
            answer = {"n": order["n"], "error": f"{type(error).__name__}: {error}"[:200]}
        with writing:
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()

    with ThreadPoolExecutor(THREADS) as pool:
        for line in sys.stdin:
            order = json.loads(line)
            if "forget" not in order:
                pool.submit(serve, order)


if __name__ == "__main__":
    main()
