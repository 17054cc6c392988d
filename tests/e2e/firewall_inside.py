"""Servers at addresses where tinykit's proxy must not get to, and all ways there.

What the proxy is asked for would be answered: the host itself, as root, gets every answer. Only the
firewall stands between.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

from firewall_trials import Trials

MARK = "you-are-inside"
PORT = 8077  #: of the server on the host itself
#: Assigned to nobody, or announced by nobody; routed within the lab only.
PUBLIC = ("30.30.30.30", "3000::30")
OWN_PUBLIC = ("30.30.30.31", "3000::31")
#: One address of each range that is not the Internet's.
CLOSED = (
    *("169.254.169.254", "169.254.1.1", "100.64.0.1", "100.100.100.200", "168.63.129.16"),
    *("172.20.0.1", "192.168.77.1", "10.99.0.1", "192.0.0.192", "192.0.2.80", "198.18.0.1"),
    *("198.51.100.80", "203.0.113.80", "192.88.99.1", "250.0.0.1"),
    *("fd00:ec2::254", "fd12:3456::1", "fec0::1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"),
    *("2001:db8::80", "2002:a9fe:a9fe::1", "2001::a9fe:a9fe", "3fff::80", "100::1", "5f00::1"),
)
_SERVER = f"""
import http.server, socket, sys, urllib.parse
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = urllib.parse.unquote(self.path, "latin-1")
        if path.startswith("/go/"):
            self.send_response(302); self.send_header("Location", path[4:]); self.end_headers()
            return
        body = b"{MARK}"
        self.send_response(200); self.send_header("Content-Length", str(len(body)))
        self.end_headers(); self.wfile.write(body)
    def log_message(self, *words): pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()
Server(("::", int(sys.argv[1])), Handler).serve_forever()
"""


@contextmanager
def surroundings(trials: Trials) -> Iterator[None]:
    """Servers at all these addresses, routed to from the host."""
    lab, host = trials.provisioner.lab, trials.host
    outside, networks = lab.outside, lab.networks
    gateways = {4: str(networks.client4), 6: str(networks.client6)}
    on_host = {4: str(networks.controller4), 6: str(networks.controller6)}
    routes = [(a, ip_address(a).version) for a in (*PUBLIC, *CLOSED)]
    # For what comes from the hosts of this lab alone: every lab has the same addresses, and one of
    # them may be where this machine has its own names from.
    bridge = lab.names.bridge
    table = 10_000 + int(Path("/sys/class/net", bridge, "ifindex").read_text())
    for version in (4, 6):
        _ip(f"-{version} rule add iif {bridge} lookup {table}")
    for address, version in routes:
        way = f"via {gateways[version]} dev {lab.names.outside_link} table {table}"
        _ip(f"-{version} route replace {address} {way}")
        length = 32 if version == 4 else 128
        outside.run(["ip", f"-{version}", "addr", "replace", f"{address}/{length}", "dev", "lo"])
        host.run(["ip", f"-{version}", "route", "replace", address, "via", on_host[version]])
    for address in OWN_PUBLIC:
        version = ip_address(address).version
        length = 32 if version == 4 else 128
        host.run(["ip", f"-{version}", "addr", "replace", f"{address}/{length}", "dev", "lo"])
    server = subprocess.Popen(outside.command(["python3", "-c", _SERVER, "80"]))
    unit = ["systemd-run", "--quiet", "--unit=inside", "--collect"]
    host.run([*unit, "python3", "-c", _SERVER, str(PORT)])
    try:
        knock = "(: </dev/tcp/127.0.0.1/$0) 2>/dev/null"
        see = f"for i in $(seq 600); do {knock} && exit; sleep 0.1; done; exit 1"
        outside.run(["bash", "-c", see, "80"], check=True)
        host.run(["bash", "-c", see, str(PORT)])
        yield
    finally:
        server.terminate()
        server.wait()
        host.run(["systemctl", "stop", "inside"], check=False)
        for version in (4, 6):
            _ip(f"-{version} rule del iif {bridge} lookup {table}")
            _ip(f"-{version} route flush table {table}")


def own_addresses(trials: Trials) -> list[str]:
    """Addresses of the host itself, its public ones too."""
    return [trials.host.address4, trials.host.address6, *OWN_PUBLIC, "127.0.0.1", "::1"]


def unanswered(trials: Trials, urls: list[str]) -> list[str]:
    """Which of these give no answer to root on the host itself."""
    script = (
        "import sys, time, urllib.request\n"
        "def answers(url):\n"
        "    for _ in range(300):\n"
        "        try: return urllib.request.urlopen(url, timeout=5).read().decode()\n"
        "        except OSError: time.sleep(0.2)\n"
        "for url in sys.argv[1:]: print(answers(url))"
    )
    said = trials.host.run(["python3", "-c", script, *urls]).stdout.splitlines()
    return [url for url, line in zip(urls, said, strict=True) if line != MARK]


def proxied(trials: Trials, url: str) -> str:
    """What a stranger gets who asks the app's proxy for an address."""
    asked = f"https://{trials.host.domain}/api/proxy"
    words = ["curl", "-sk", "--max-time", "90", "-w", "\n%{http_code}", "-G", asked]
    return trials.provisioner.lab.outside.run([*words, "--data-urlencode", f"url={url}"]).stdout


def tried(trials: Trials, urls: list[str]) -> dict[str, str]:
    """What the app's proxy answers for each of these."""
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(urls, pool.map(lambda url: proxied(trials, url), urls), strict=True))


def assert_nowhere(answers: dict[str, str]) -> None:
    """No server answered, and every refusal is in tinykit's own words: that far each came."""
    print(f"{len(answers)} ways in")
    assert [url for url, said in answers.items() if MARK in said] == []
    refusals = ("\n400", "\n403", "\n502")
    assert {url: said for url, said in answers.items() if not said.endswith(refusals)} == {}


def plain(addresses: Iterable[str], port: int = 80) -> list[str]:
    """The servers at these addresses."""
    return [f"http://{_host(address)}:{port}/" for address in addresses]


def ways_in(trials: Trials) -> list[str]:
    """Every address where a server answers, in every notation that may slip through."""
    closed = plain(CLOSED)
    own = plain(own_addresses(trials), PORT)
    mapped = [
        f"http://[::ffff:{address}]{port}/"
        for address, port in [
            *((a, "") for a in CLOSED if ":" not in a),
            *((a, f":{PORT}") for a in own_addresses(trials) if ":" not in a),
        ]
    ]
    number = int(ip_address("169.254.169.254"))
    tricks = [
        *(f"http://{number}/", f"http://0x{number:x}/", f"http://0{number:o}/"),
        *("http://169.254.43518/", "http://0xa9.0xfe.0xa9.0xfe/", "http://0251.0376.0251.0376/"),
        *(f"http://localhost.:{PORT}/", f"http://LOCALHOST.:{PORT}/", f"http://[::]:{PORT}/"),
        *(f"http://2130706433:{PORT}/", f"http://127.1:{PORT}/", f"http://0:{PORT}/"),
        *(f"http://{trials.host.domain}:{PORT}/", f"http://{trials.host.name}:{PORT}/"),
        *("http://[::169.254.169.254]/", "http://[0:0:0:0:0:ffff:a9fe:a9fe]/"),
        *("http://user@169.254.169.254/", "http://169.254.169.254.:80/"),
        "http://①⑥⑨.②⑤④.①⑥⑨.②⑤④/",
    ]
    direct = [*closed, *own, *mapped, *tricks]
    return [*direct, *(f"http://{_host(PUBLIC[0])}/go/{url}" for url in direct)]


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True)
