"""A made-up access log, a line a request as Caddy writes it on a host."""

from __future__ import annotations

import json
import random
from pathlib import Path

RATE = 50.0  #: requests a second of the log's own time
BEGINS = 1_795_000_000.0
_BLOCK = 5000  #: lines that are made for real; later blocks have other times
_PATHS = ("/", "/tinykit", "/api/projects", "/_tk/data/shop/orders", "/_tk/assets/a1b2.js")
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
)


def write_log(path: Path, size: int) -> int:
    """Write a log of at least `size` bytes. Returns the number of lines."""
    chance = random.Random(1)
    parts = [_line(chance).split("TIME") for _ in range(_BLOCK)]
    written = lines = 0
    with path.open("w", buffering=1 << 20) as file:
        while written < size:
            text = "".join(
                f"{before}{BEGINS + (lines + number) / RATE:.6f}{after}"
                for number, (before, after) in enumerate(parts)
            )
            written += file.write(text)
            lines += _BLOCK
    return lines


def _line(chance: random.Random) -> str:
    status = chance.choices([200, 304, 404, 502], [90, 5, 4, 1])[0]
    address = f"203.0.113.{chance.randrange(256)}"
    entry = {
        "level": "info",
        "ts": "TIME",
        "logger": "http.log.access.log0",
        "msg": "handled request",
        "request": {
            "remote_ip": address,
            "remote_port": str(chance.randrange(1024, 65536)),
            "client_ip": address,
            "proto": "HTTP/2.0",
            "method": "GET",
            "host": "apps.example.com",
            "uri": chance.choice(_PATHS),
            "tls": {
                "resumed": False,
                "version": 772,
                "cipher_suite": 4865,
                "proto": "h2",
                "server_name": "apps.example.com",
                "ech": False,
            },
        },
        "bytes_read": 0,
        "user_id": "",
        "duration": round(chance.lognormvariate(-3, 1), 9),
        "size": chance.randrange(200, 50_000),
        "status": status,
        "user_agent": chance.choice(_AGENTS),
    }
    return json.dumps(entry, separators=(",", ":")).replace('"TIME"', "TIME") + "\n"
