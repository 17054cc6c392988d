"""Which names the edge answers for, and with which certificates."""

import contextlib
import ssl

import pytest
from edge_client import DOMAIN, V4, V6

BUILDER = "build.example.com"


@pytest.mark.parametrize("at", [V4, V6])
@pytest.mark.parametrize("name", ["evil.example", f"www.{DOMAIN}", f"x.{DOMAIN}", None])
def test_a_name_that_is_not_ours_gets_no_certificate(edge, name, at):
    running = edge()
    with pytest.raises((ssl.SSLError, ConnectionError)):
        running.connect(name, at)


@pytest.mark.parametrize("at", [V4, V6])
def test_a_foreign_host_on_our_certificate_gets_no_answer_of_the_app(edge, at):
    running = edge()
    for host in ("evil.example", f"www.{DOMAIN}", f"{DOMAIN}.evil.example"):
        request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        said = running.say(request, host=DOMAIN, at=at)
        assert said == "" or said.split()[1] == "421"
    assert running.tinykit.asked == []


@pytest.mark.parametrize("at", [V4, V6])
def test_plain_http_leads_to_https_and_other_names_are_hung_up_on(edge, at):
    running = edge(builder_domain=BUILDER)
    for name in (DOMAIN, BUILDER):
        answer = running.ask_plainly("/x?y=1", host=name, at=at)
        assert (answer.status, answer.headers["location"]) == (308, f"https://{name}/x?y=1")
    for name in ("evil.example", f"x.{DOMAIN}", "127.0.0.1"):
        with pytest.raises(ConnectionError):
            running.ask_plainly("/", host=name, at=at)
    assert running.tinykit.asked == []


@pytest.mark.parametrize(
    ("version", "passes"),
    [
        (ssl.TLSVersion.TLSv1, False),
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ],
)
def test_only_tls_1_2_and_later_is_spoken(edge, version, passes):
    running = edge()
    refused = contextlib.nullcontext() if passes else pytest.raises((ssl.SSLError, OSError))
    with refused:
        running.connect(DOMAIN, newest=version).close()


def test_an_authority_of_the_edges_own_asks_no_browser_to_remember(edge):
    # A browser that once saw HSTS with a certificate that it cannot check would be locked out.
    assert "strict-transport-security" not in edge().ask("/").headers
