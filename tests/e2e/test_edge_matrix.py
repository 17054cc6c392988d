"""A sample of `scripts/soak edge`: who gets where through each proxy, on a live Debian 13 host.

In the configurations every pair of choices occurs (proxy, layout, the proofs of each gate, any or
all), and in each of them every pair of a request and a proof. Requests come from an address on the
allowlist and from one that is not, over IPv4 and IPv6; what is passed on is seen on the host's
loopback.
"""

import json
import random
import time
from ipaddress import ip_address

import pytest
from edge_bench import ACCOUNT_COOKIE, BASIC_COOKIE, Bench
from edge_cases import POCKETBASE, TINYKIT, U
from edge_configs import Config, pairwise
from edge_matrix import Tally, run_matrix, uncovered
from edge_probes import ask_many, ask_once, found_on_host, make_project, open_stream, streams
from edge_trick_kinds import TARGETS
from edge_tricks import H2_TRICKS, TRICKS, run_tricks
from tests_e2e_support import Provisioner

from tinykit_ops.lab.lab import Lab

pytestmark = pytest.mark.lab

SEED = 6  # of eight configurations, four a proxy
KINDS = ("caddy", "nginx")
OTHER_DOMAIN = "other.lab.test"
#: Few enough to reach.
LIMITS = {"writes": 10, "streams": 5}
CANARIES = {
    name: f"canary-{name}-5d1f0c" for name in ("query", "token", "cookie", "bearer", "hook")
}


@pytest.fixture(scope="module")
def bench(contract_app, tmp_path_factory):
    """A host that has been asked nothing yet; the tests of this module run in their order."""
    lab = Lab.up("e2e-ed", releases=("13",), s3=False)
    made = Bench(Provisioner(lab, contract_app, tmp_path_factory.mktemp("inventories")))
    yield made
    made.close()
    lab.down()


@pytest.fixture(scope="module", params=KINDS)
def kind(request, bench) -> str:
    """One proxy after the other, with the whole deploy for each."""
    bench.prepare(request.param)
    return request.param


@pytest.fixture(scope="module")
def promises(kind, bench) -> Bench:
    """The host as somebody would run it, with limits that a test can reach."""
    config = Config(kind, False, (("account",), "all"), (("account", "allowlist"), "any"))
    more = {"domains": [bench.domain, OTHER_DOMAIN], "edge": {"limits": LIMITS}}
    bench.use(config, whole=True, more=more)
    return bench


@pytest.fixture(scope="module")
def project(promises) -> str:
    made = make_project(promises)
    # tinykit's server logs in when it is first asked for data, and its streams do not wait for it.
    answer, _ = ask_once(promises, "GET", f"/_tk/data/{made}/things")
    assert answer.status == 200
    return made


def test_every_route_of_the_table_is_asked_for():
    assert uncovered() == []


def test_who_gets_where_is_as_the_gates_say(bench, kind):
    tally = Tally()
    chosen = [config for config in pairwise(SEED, KINDS) if config.kind == kind]
    assert {config.own_builder for config in chosen} == {True, False}
    for number, config in enumerate(chosen):
        bench.use(config)
        run_matrix(bench, tally, random.Random(SEED + number))
        tally.configurations += 1
    print(tally)
    assert tally.wrong == []
    assert tally.passed > 1000 and tally.refused > 1000


def test_no_path_trick_reaches_what_is_not_for_everybody(bench, kind):
    tally = Tally()
    for own_builder in (False, True):
        gate = ((("account", "basic"), "any"), (("account", "allowlist"), "all"))
        bench.use(Config(kind, own_builder, *gate))
        run_tricks(bench, tally)
    print(f"{len(TRICKS) + len(H2_TRICKS)} tricks, {len(TARGETS)} targets: {tally.tricks} tried")
    assert tally.wrong == []
    assert tally.tricks > 5000


def test_no_path_trick_leads_a_builder_to_the_administration(bench, kind):
    tally = Tally()
    (cookie,) = [proof for proof in bench.proofs if proof.name == "account cookie"]
    bench.use(Config(kind, False, (("account",), "all"), (("allowlist",), "all")))
    run_tricks(bench, tally, cookie)
    print(f"{tally.tricks} tried")
    assert tally.wrong == []
    assert tally.tricks > 1500


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "{site}.evil.tld",
        "{site}@evil.tld",
        "{site}/",
        "{site}:443",
        "{site}:8443",
        "{site}.",
        "{site} {site}",
        "http://{domain}",
        "//{domain}",
        "{domain}",
        "https://www.{domain}",
        "https://x.{domain}",
        "https://{other}",
        "https://localhost",
        "https://127.0.0.1:8091",
        "chrome-extension://{domain}",
    ],
)
def test_writes_of_another_origin_are_refused(promises, project, origin):
    site = f"https://{promises.domain}"
    headers = []
    if origin is not None:
        filled = origin.format(site=site, domain=promises.domain, other=OTHER_DOMAIN)
        headers = [("Origin", filled)]
    answer, arrived = ask_once(promises, "DELETE", f"/_tk/data/{project}/none/x", headers=headers)
    assert (answer.status, arrived) == (403, [])


def test_writes_of_two_origins_are_refused(promises, project):
    own, foreign = ("Origin", f"https://{promises.domain}"), ("Origin", "https://evil.tld")
    for headers in ((own, foreign), (foreign, own)):
        path = f"/_tk/data/{project}/none/x"
        answer, arrived = ask_once(promises, "DELETE", path, headers=headers)
        assert answer.status in {400, 403}
        assert arrived == []


def test_writes_of_the_site_itself_and_reads_of_anybody_pass(promises, project):
    own = [("Origin", f"https://{promises.domain}")]
    answer, arrived = ask_once(promises, "DELETE", f"/_tk/data/{project}/none/x", headers=own)
    assert (answer.status, len(arrived)) == (404, 1)
    assert "Collection not found" in answer.text
    answer, arrived = ask_once(promises, "GET", f"/_tk/data/{project}/things")
    assert (answer.status, len(arrived)) == (200, 1)


@pytest.mark.parametrize("name", ["__proto__", "constructor", "prototype"])
@pytest.mark.parametrize(
    "spell",
    [
        str,
        str.upper,
        lambda name: f"%{ord(name[0]):02x}{name[1:]}",
        lambda name: "".join(f"%{ord(letter):02X}" for letter in name),
        lambda name: f"%25{ord(name[0]):02x}{name[1:]}",
        lambda name: f"{name}/",
        lambda name: f"{name}?x=1",
        lambda name: f"{name}/x1",
        lambda name: f"x/../{name}",
        lambda name: f"/{name}",
    ],
)
def test_names_that_pollute_the_process_are_refused(promises, project, name, spell):
    headers = [("Origin", f"https://{promises.domain}"), ("Content-Type", "application/json")]
    path = f"/_tk/data/{project}/{spell(name)}"
    answer, arrived = ask_once(promises, "POST", path, headers=headers, body='{"soak":1}')
    assert answer.status in {400, 403, 404}
    assert arrived == []


def test_the_servers_behind_learn_the_real_address_whatever_a_client_claims(promises):
    lies = [
        (name, "192.0.2.66")
        for name in ("X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "Fly-Client-IP")
    ]
    token = ("Authorization", f"Bearer {promises.secrets.superuser}")
    for vantage, _ in promises.vantages:
        for address in promises.addresses:
            answer, (arrival,) = ask_once(
                promises,
                "GET",
                "/_pb/api/health",
                vantage=vantage,
                address=address,
                headers=[*lies, ("Forwarded", "for=192.0.2.66"), token],
            )
            own = promises.own_address(vantage, address)
            told = ip_address(json.loads(answer.text)["data"]["realIP"])
            assert told == ip_address(own)
            assert arrival.values("x-forwarded-for") == [own]


def test_names_that_are_not_listed_get_no_certificate_and_no_answer(promises):
    for name in ("evil.test", "www.tk-1.lab.test", "lab.test", "localhost", " "):
        answer, arrived = ask_once(promises, "GET", "/", name=name, host=name.strip() or "x")
        assert (answer.status, arrived) == (0, []), name
        assert "SSL" in answer.error or "Connection" in answer.error
    for host in ("evil.test", promises.host.address4, "localhost:3000"):
        answer, arrived = ask_once(promises, "GET", "/", host=host)
        assert answer.status in {0, 400, 421}, host
        assert arrived == []
        answer, arrived = ask_once(promises, "GET", "/", name=None, host=host, port=80)
        assert (answer.status, arrived) == (0, []), host


def test_events_arrive_while_the_stream_is_open(promises, project):
    with streams(promises, project) as held:
        channel, said = open_stream(promises, project)
        assert channel is not None
        held.append(channel)
        assert said.startswith("HTTP/1.1 200")
        assert "event: connected" in said


def test_an_address_that_holds_many_streams_gets_no_more_and_others_do(promises, project):
    with streams(promises, project) as held:
        refused = ""
        for _ in range(200):
            channel, said = open_stream(promises, project)
            if channel is None or not said.startswith("HTTP/1.1 200"):
                refused = said[:60]
                break
            held.append(channel)
        assert refused
        # Caddy counts openings within a minute, and one was for the test before.
        assert LIMITS["streams"] - 1 <= len(held) <= LIMITS["streams"], refused
        # The stranger has another address.
        answer, _ = ask_once(promises, "GET", f"/_tk/realtime/{project}")
        assert answer.status == 200
        assert "event: connected" in answer.text


def test_writes_are_limited_by_address(promises, project):
    own = [("Origin", f"https://{promises.domain}")]
    path = f"/_tk/data/{project}/none/x"
    began = time.monotonic()
    busy = ask_many(promises, 60, "DELETE", path, promises.stranger, headers=own)
    assert set(busy) == {404, 429}
    # nginx lets one more through as its share of a minute passes.
    passed = LIMITS["writes"] * (time.monotonic() - began) / 60
    assert busy.count(404) <= LIMITS["writes"] + 1 + passed
    # Nobody else is concerned, nor what the same address reads.
    six = promises.host.address6
    assert ask_many(promises, 1, "DELETE", path, promises.stranger, six, own) == [404]
    assert ask_many(promises, 1, "DELETE", path, promises.allowed, headers=own) == [404]
    assert ask_many(promises, 1, "GET", path, promises.stranger) == [404]


def test_no_log_of_the_host_holds_a_secret(promises):
    canary = CANARIES
    headers = [
        ("Cookie", f"{ACCOUNT_COOKIE}={canary['cookie']}; {BASIC_COOKIE}={canary['cookie']}; a=b"),
        ("Authorization", f"Bearer {canary['bearer']}"),
        ("X-Tinykit-Ops-Token", canary["hook"]),
    ]
    query = f"?q={canary['query']}&token={canary['token']}&access_token={canary['token']}"
    paths = ("/", "/tinykit", f"/api/projects/{U}/export", "/_pb/api/health", "/api/proxy", "//x")
    for path in (*paths, f"/_tk/data/{U}/x", "/_pb/_/", "/_pb/api/files/a/b/c", "/%2e%2e/x"):
        for more in (headers, [("Referer", f"https://{promises.domain}/{query}")]):
            ask_once(promises, "GET", path + query, headers=more)
            ask_once(promises, "GET", path + query, headers=more, name=None, port=80)
    known = promises.secrets
    real = {name: getattr(known, name) for name in ("account", "superuser", "cookie", "hook")}
    assert found_on_host(promises, {**canary, **real}, ["/var/log", "/run/log"]) == []


def test_superusers_may_come_from_the_allowlist_alone_where_that_is_their_gate(promises):
    kind = promises.config.kind
    gates = ((("account",), "all"), (("allowlist",), "all"))
    promises.use(Config(kind, False, *gates), whole=True)
    token = [("Authorization", f"Bearer {promises.secrets.superuser}")]
    answer, _ = ask_once(promises, "GET", "/_pb/api/health", headers=token)
    assert answer.status == 403
    answer, arrived = ask_once(
        promises, "GET", "/_pb/api/health", headers=token, vantage=promises.allowed
    )
    assert (answer.status, [arrival.port for arrival in arrived]) == (200, [POCKETBASE])
    answer, arrived = ask_once(promises, "GET", "/", headers=token)
    assert [arrival.port for arrival in arrived] == [TINYKIT]
