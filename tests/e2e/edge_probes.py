"""Single questions to a configured edge, for promises that no gate is about."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from edge_bench import Bench
from edge_matrix import is_question
from edge_vantage import Answer, Arrival, Ask, Vantage, request

from tinykit_ops import layout

COLLECTION = "things"
STREAM_SECONDS = 90

_PROJECT = """
import json, sys, urllib.request
told = json.load(sys.stdin)
body = json.dumps({"name": "soak", "kit": "soak", "domain": told["domain"],
    "data": {"things": {"schema": [], "records": []}}}).encode()
ask = urllib.request.Request(told["url"] + "/api/collections/_tk_projects/records", body,
    {"Content-Type": "application/json", "Authorization": told["token"]})
print(json.load(urllib.request.urlopen(ask))["id"])
"""


def make_project(bench: Bench) -> str:
    """A project with one empty collection, made behind the edge; its id."""
    told = {
        "domain": bench.domain,
        "url": layout.POCKETBASE_URL,
        "token": bench.secrets.superuser,
    }
    # The program has no secret in it, so it may be an argument; the token goes over the pipe.
    said = bench.host.ssh(["python3", "-c", _PROJECT], input_text=json.dumps(told))
    return said.stdout.strip()


def ask_once(
    bench: Bench,
    method: str,
    target: str,
    *,
    vantage: Vantage | None = None,
    headers: Sequence[tuple[str, str]] = (),
    body: str = "",
    host: str = "",
    name: str | None = "",
    address: str = "",
    port: int = 443,
) -> tuple[Answer, list[Arrival]]:
    """One request on a connection of its own, from outside unless told.

    Args:
        host: in the request; the site's when empty.
        name: in TLS; the site's when empty, None for plain HTTP, " " for a client that says none.
    Returns: the answer, and what arrived behind the edge because of it.
    """
    number = next(bench.numbers)
    raw = request(method, target, host or bench.domain, number, headers, body)
    sni = None if name is None else (name or bench.domain).strip()
    where = address or bench.host.address4
    ask = Ask(number, where, sni, raw, method, port=port, fresh=True)
    answers, arrivals = bench.ask(vantage or bench.stranger, [ask])
    arrived = [arrival for arrival in arrivals.get(number, []) if not is_question(arrival)]
    return answers[number], arrived


def ask_many(
    bench: Bench,
    count: int,
    method: str,
    target: str,
    vantage: Vantage,
    address: str = "",
    headers: Sequence[tuple[str, str]] = (),
) -> list[int]:
    """The statuses of equal requests that follow each other closely."""
    asks = []
    for _ in range(count):
        number = next(bench.numbers)
        raw = request(method, target, bench.domain, number, headers)
        asks.append(Ask(number, address or bench.host.address4, bench.domain, raw, method))
    answers, _ = bench.ask(vantage, asks)
    return [answers[ask.number].status for ask in asks]


@contextmanager
def streams(bench: Bench, project: str) -> Iterator[list[ssl.SSLSocket]]:
    """Event streams that the test holds open, from the controller; see `open_stream`."""
    held: list[ssl.SSLSocket] = []
    try:
        yield held
    finally:
        for channel in held:
            channel.close()


def open_stream(bench: Bench, project: str) -> tuple[ssl.SSLSocket | None, str]:
    """Ask for a project's events; the open connection and the first that it says.

    Returns None with the reason when there is no connection, which is how a firewall refuses.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        plain = socket.create_connection((bench.host.address4, 443), timeout=STREAM_SECONDS)
        channel = context.wrap_socket(plain, server_hostname=bench.domain)
        number = next(bench.numbers)
        channel.sendall(request("GET", f"/_tk/realtime/{project}", bench.domain, number))
        said = b""
        while b"\n\n" not in said.partition(b"\r\n\r\n")[2]:
            part = channel.recv(4096)
            if not part:
                break
            said += part
            if not said.startswith(b"HTTP/1.1 200"):
                break
    except OSError as error:
        return None, f"{type(error).__name__}: {error}"
    return channel, said.decode("utf-8", "replace")


def found_on_host(bench: Bench, needles: dict[str, str], places: Sequence[str]) -> list[str]:
    """Which of the needles (name → text) are in files of these folders, or in the journal.

    The needles go over a pipe: they are secrets.
    """
    script = """
import json, os, subprocess, sys
told = json.load(sys.stdin)
journal = subprocess.run(["journalctl", "--no-pager", "-o", "json"], capture_output=True).stdout
texts = {"journal": journal}
for place in told["places"]:
    for folder, _, names in os.walk(place):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                texts[path] = open(path, "rb").read()
for name, needle in told["needles"].items():
    for path, text in texts.items():
        if needle.encode() in text:
            print(f"{name} in {path}")
"""
    told = json.dumps({"needles": needles, "places": list(places)})
    said = bench.host.ssh(["python3", "-c", script], input_text=told)
    return said.stdout.splitlines()
