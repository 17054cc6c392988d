"""What is nginx's own way of doing it; what both proxies must do is asked in the other modules."""

from __future__ import annotations

import itertools
import json
import random
import subprocess

import pytest
from edge_client import DOMAIN, V6
from edge_drivers import Place
from edge_standins import ACCOUNT_COOKIE, TOKEN
from nginx_driver import NginxDriver, logged

from tinykit_ops import layout
from tinykit_ops.edge.paths import is_trick
from tinykit_ops.edge.routes import ROUTES, classify
from tinykit_ops.settings import load_settings

HERE = "127.0.0.0/8"
BUILDER = "build.example.com"
WRITE = "/_tk/data/abc/things"
OWN = f"https://{DOMAIN}"
COOKIE = {"Cookie": ACCOUNT_COOKIE}
PROOFS = ("account", "basic", "allowlist")
GATES = [
    (list(proofs), match)
    for size in (1, 2, 3)
    for proofs in itertools.combinations(PROOFS, size)
    for match in ("any", "all")
]


@pytest.fixture
def driver():
    return NginxDriver()


def settings_of(**changes):
    data = {
        "domains": [DOMAIN],
        "admin_email": "you@example.com",
        "app": {"archive": "https://example.com/t.tar.zst", "sha256": "0" * 64},
        "edge": {"kind": "nginx", "tls": {"mode": "internal"}},
    }
    return load_settings({**data, **changes}, where="test")


def place_in(folder, http_port=18080, https_port=18443):
    logs = (folder / "access.log", folder / "said.log")
    return Place(folder, http_port, https_port, 18092, 18093, 18094, *logs)


def prepare_again(folder):
    """What the unit runs before every start and reload."""
    environment = {"CREDENTIALS_DIRECTORY": str(folder / "credentials")}
    return subprocess.run(
        ["sh", folder / "prepare"], capture_output=True, text=True, check=False, env=environment
    )


@pytest.mark.parametrize("own_builder", [False, True])
@pytest.mark.parametrize(("require", "match"), GATES)
def test_nginx_takes_every_gate_in_both_layouts(driver, tmp_path, require, match, own_builder):
    gate = {"require": require, "match": match}
    changes = {
        "access": {"builder": gate, "admin": gate, "allowlist": ["192.0.2.0/24", "2001:db8::/48"]},
        "builder_domain": BUILDER if own_builder else None,
        "edge": {
            "kind": "nginx",
            "tls": {"mode": "internal"},
            "security_txt": {"contact": ["mailto:a@example.com"], "policy": "https://a.b/$x"},
        },
    }
    driver.prepare(settings_of(**changes), place_in(tmp_path))


def test_nginx_takes_a_hundred_long_names_each_with_a_certificate_of_its_own(driver, tmp_path):
    names = [f"app-{number}.{'a-long-label-' * 4}of.example.com" for number in range(100)]
    edge = {"kind": "nginx", "tls": {"mode": "acme"}}
    driver.prepare(settings_of(domains=names, edge=edge), place_in(tmp_path))
    assert len(list((tmp_path / "tls").glob("*.key"))) == 100


def test_each_name_shows_its_own_certificate_with_acme(edge):
    names = [DOMAIN, "other.example.com"]
    running = edge(domains=names, edge={"tls": {"mode": "acme"}})
    shown = [running.connect(name).getpeercert(binary_form=True) for name in names]
    assert shown[0] != shown[1]
    assert names[0].encode() in shown[0]
    assert names[1].encode() in shown[1]


def test_an_authoritys_question_is_answered_without_tls_and_nothing_else_is(edge, tmp_path):
    running = edge(edge={"tls": {"mode": "acme"}})
    folder = running.log.parent / "webroot" / ".well-known" / "acme-challenge"
    folder.mkdir(parents=True)
    (folder / "token").write_text("answer")
    assert running.ask_plainly("/.well-known/acme-challenge/token").body == "answer"
    assert running.ask_plainly("/.well-known/acme-challenge/other").status == 404
    assert running.ask_plainly("/.well-known/other").status == 308


def spellings():
    """Requests for every row of the table in every way that the paths of a row can be meant."""
    pick = random.Random(7)
    for route in ROUTES:
        for pattern in route.paths:
            path = pattern.replace("*", "x1")
            yield from (path, f"{path}/", path.upper(), f"{path}x", f"{path}/deeper/still")
            yield f"{path}?a=/_pb/api/sql&b=//"
            yield "".join(
                f"%{ord(letter):02x}" if letter.isalnum() and pick.random() < 0.3 else letter
                for letter in path
            )
    yield from ("/", "/about", "/.tinykit-ops/row/app", "/x%C3%A9", "/x%20y", "/a;b=/tinykit", "/?")


def test_every_spelling_comes_to_the_row_that_the_table_says(edge):
    running = edge(access={"builder": {"require": ["allowlist"]}, "allowlist": [HERE]})
    wanted = []
    for path in dict.fromkeys(spellings()):
        for method in ("GET", "POST"):
            running.ask(path, method, Origin=OWN)
            row = classify(method, path)
            wanted.append((method, path.split("?")[0], row.name if row else "app"))
    lines = logged(running, len(wanted))
    seen = [(line["method"], line["path"], line["route"]) for line in lines]
    different = [(w, s[2]) for w, s in zip(wanted, seen, strict=True) if w != s]
    # `.tinykit-ops` is nginx's own, and not to be had from outside.
    assert len(wanted) > 500
    assert different == []
    assert running.ask("/.tinykit-ops/row/app").status == 404
    assert running.ask("/.tinykit-ops/judge/builder").status == 404


@pytest.mark.parametrize(
    "target",
    [
        *(
            "//tinykit",
            "/x/../tinykit",
            "/x/.",
            "/..",
            "/tiny%2fkit",
            "/%2e%2e/tinykit",
            "/%5ctinykit",
        ),
        *("/x\\..\\tinykit", "/%2574inykit", "/tinykit%00", "/tinykit%0a", "/x#y", "/%7f"),
    ],
)
def test_a_trick_is_400_whoever_asks(edge, target):
    assert is_trick(target)
    running = edge()
    request = f"GET {target} HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close\r\n\r\n"
    assert running.say(request).startswith("HTTP/1.1 400 ")
    assert running.tinykit.asked == running.pocketbase.asked == []


@pytest.mark.parametrize(
    "head",
    [
        f"GET https://{DOMAIN}/tinykit HTTP/1.1\r\nHost: {DOMAIN}",
        f"GET https://{DOMAIN} HTTP/1.1\r\nHost: {DOMAIN}",
        f"GET http://evil.example/ HTTP/1.1\r\nHost: {DOMAIN}",
        f"GET / HTTP/1.1\r\nHost: {DOMAIN}\r\nHost: {DOMAIN}",
        f"GET / HTTP/1.1\r\nHost: {DOMAIN}\r\nHost: evil.example",
        f"OPTIONS * HTTP/1.1\r\nHost: {DOMAIN}",
        "GET / HTTP/1.1\r\nX: y",
        f"GET / HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
    ],
)
def test_a_request_in_another_form_never_reaches_the_app(edge, head):
    running = edge()
    said = running.say(f"{head}\r\nConnection: close\r\n\r\n")
    assert said == "" or said.startswith("HTTP/1.1 400 ")
    assert running.tinykit.asked == running.pocketbase.asked == []


@pytest.mark.parametrize(
    ("limit", "path", "method"),
    [
        ("writes", WRITE, "POST"),
        ("proxied", "/api/proxy?url=x", "GET"),
        ("logins", "/_pb/api/collections/users/auth-with-password", "POST"),
    ],
)
def test_so_many_a_minute_pass_at_once_and_the_next_is_429(edge, limit, path, method):
    running = edge(edge={"limits": {limit: 2}})  # nginx lets one more pass every 30 seconds
    got = [running.ask(path, method, Origin=OWN).status for _ in range(4)]
    assert got == [200] * 2 + [429] * 2
    assert running.ask(path, method, at=V6, Origin=OWN).status == 200, "by address"


def test_a_limit_is_asked_before_the_judge(edge):
    running = edge(
        builder_domain=BUILDER, edge={"limits": {"writes": 2}}, access={"allowlist": [HERE]}
    )
    own = {"host": BUILDER, "Origin": f"https://{BUILDER}"}
    got = [running.ask(WRITE, "POST", **own, **COOKIE).status for _ in range(4)]
    assert got == [200, 200, 429, 429]
    assert len(running.pocketbase.questions) == 2


def test_so_many_streams_are_open_at_a_time(edge):
    running = edge(edge={"limits": {"streams": 2}})
    told = json.dumps({"headers": {"Content-Type": "text/event-stream"}, "events": ["a", "b"]})
    request = f"GET /_tk/realtime/x HTTP/1.1\r\nHost: {DOMAIN}\r\nX-Answer: {told}\r\n\r\n".encode()
    streams = [running.connect(DOMAIN) for _ in range(3)]
    answers = []
    for stream in streams:
        stream.sendall(request)
        answers.append(stream.recv(65536).decode())
    assert ["200" in answer.split("\r\n")[0] for answer in answers] == [True, True, False]
    assert " 429 " in answers[2]
    for stream in streams:
        stream.close()
    running.pocketbase.go_on.set()
    running.tinykit.go_on.set()


def test_the_secret_file_holds_nothing_but_a_header(driver, tmp_path):
    place = place_in(tmp_path)
    driver.prepare(settings_of(), place)
    written = tmp_path / "run" / "judge.conf"
    assert written.read_text() == f'proxy_set_header X-Tinykit-Ops-Token "{TOKEN}";\n'
    assert written.stat().st_mode & 0o777 == 0o600
    # A secret that would be more than a word to nginx loses what makes it so.
    (tmp_path / "credentials" / layout.HOOK_TOKEN).write_text('a"; return 200 "b')
    prepare_again(tmp_path)
    assert written.read_text() == 'proxy_set_header X-Tinykit-Ops-Token "areturn200b";\n'


def test_the_list_of_a_cdn_is_told_to_nginx_and_junk_in_it_is_not(driver, tmp_path):
    place = place_in(tmp_path)
    driver.prepare(settings_of(), place)
    lines = ["# a comment", "", "192.0.2.0/24", " 2001:db8::/32 ", "evil; deny all", "198.51.100.7"]
    (tmp_path / "cdn-networks").write_text("\n".join(lines))
    prepare_again(tmp_path)
    assert (tmp_path / "run" / "cdn.conf").read_text().splitlines() == [
        "set_real_ip_from 192.0.2.0/24;",
        "set_real_ip_from 2001:db8::/32;",
        "set_real_ip_from 198.51.100.7;",
    ]


def test_a_broken_configuration_is_refused_before_nginx_is_told(driver, tmp_path):
    driver.prepare(settings_of(), place_in(tmp_path))
    (tmp_path / "nginx.conf").write_text("events {} http { server { listen nonsense; } }")
    done = prepare_again(tmp_path)
    assert done.returncode != 0
    assert "nonsense" in done.stderr
