"""The twenty configurations, each served by nginx at an address of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from benchmarks.check.certificates import Authority
from benchmarks.check.errors import BenchmarkError
from benchmarks.check.room import Room, room
from benchmarks.check.tls_cases import Case, host_of
from tinykit_ops.checks.fingerprint import PATH
from tinykit_ops.lab.commands import run

SUBNET = IPv4Network("10.213.8.0/24")

_MAIN = """\
daemon off;
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{
    access_log off;
    # Old protocols need OpenSSL's level 0 (SSL_CTX_set_security_level(3)); level 0 also lets it
    # serve a short key.
    ssl_ciphers ALL:@SECLEVEL=0;
{servers}
}}
"""
_SERVER = """\
    server {{
        listen {address}:443 ssl;
        server_name {host};
        ssl_certificate {chain};
        ssl_certificate_key {key};
        ssl_protocols {protocols};
        {header}
        location = {picture} {{
            default_type image/svg+xml;
            return 200 "<svg xmlns='x'></svg>";
        }}
        location / {{ return 200 "a page"; }}
    }}
    server {{
        listen {address}:80;
        return 308 https://$host$request_uri;
    }}
"""


@dataclass(frozen=True)
class Edge:
    """A configuration that is served.

    Attributes:
        case: which.
        host: its name.
        address: where it is.
    """

    case: Case
    host: str
    address: str


@dataclass(frozen=True)
class Edges:
    """All of them, and whom to trust for them."""

    each: Sequence[Edge]
    ca_file: Path


@contextmanager
def served(cases: Sequence[Case], folder: Path) -> Iterator[Edges]:
    """Serve them while the block lasts.

    Args:
        folder: for certificates and nginx's own files; its worker must get into it.
    Raises: BenchmarkError when nginx does not take its configuration.
    """
    authority = Authority(folder)
    edges, servers = [], []
    for number, case in enumerate(cases, 1):
        host, address = host_of(number, case), str(SUBNET[10 + number])
        chain, key = authority.issue(case.leaf, host, with_chain=case.sends_chain)
        header = f'add_header Strict-Transport-Security "{case.hsts}" always;' if case.hsts else ""
        servers.append(
            _SERVER.format(
                address=address,
                host=host,
                chain=chain,
                key=key,
                protocols=case.protocols,
                header=header,
                picture=PATH,
            )
        )
        edges.append(Edge(case, host, address))
    config = folder / "nginx.conf"
    config.write_text(_MAIN.format(folder=folder, servers="\n".join(servers)))
    with room("tkbench-tls", SUBNET) as place, _nginx(place, config):
        yield Edges(edges, authority.ca_file)


@contextmanager
def _nginx(place: Room, config: Path) -> Iterator[None]:
    words = ["nginx", "-c", str(config), "-e", str(config.with_name("start.log"))]
    tried = run(place.command([*words, "-t"]), check=False)
    if tried.returncode != 0:
        raise BenchmarkError("nginx does not take the configurations", hint=tried.stderr[-1500:])
    with subprocess.Popen(place.command(words), stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()
