import time
from collections.abc import Callable
from pathlib import Path

import pytest
from checks_certificates import Authority
from checks_imitations import Mapped, client
from checks_site import FAULTS, Site, never_answer, patience, say

from tinykit_ops import __version__
from tinykit_ops.checks.answer import MAX_BODY
from tinykit_ops.checks.http import CertificateProblem
from tinykit_ops.checks.model import CannotLook
from tinykit_ops.edge.probe import Seen
from tinykit_ops.edge.routes import ROUTES

Serve = Callable[..., Site]

COMPLETE = {
    "endless body",
    "endless chunks",
    "captive portal",
    "portal redirect",
    "too many requests",
    "bad gateway",
}


@pytest.mark.parametrize("path", ["//tinykit", "/x/../y", "/x\\..\\y", "/%74inykit", "/a?b=/../c"])
def test_a_path_arrives_exactly_as_it_was_given(serve: Serve, path: str) -> None:
    site = serve({path: say(200, "here")})
    answer = client(Mapped({80: site.port}), "http://apps.example.test").get(path)
    assert (answer.status, answer.text) == (200, "here")
    assert site.requests[0].path == path


def test_a_request_says_who_asks_and_for_which_name(serve: Serve) -> None:
    site = serve()
    client(Mapped({80: site.port}), "http://apps.example.test").get("/", origin="https://x.example")
    headers = site.requests[0].headers
    assert headers["user-agent"] == f"tinykit-ops/{__version__} (+check)"
    assert headers["host"] == "apps.example.test"
    assert headers["origin"] == "https://x.example"


def test_redirects_are_not_followed(serve: Serve) -> None:
    site = serve({}, say(302, "", location="/elsewhere"))
    answer = client(Mapped({80: site.port}), "http://apps.example.test").get("/")
    assert str(answer) == "GET / answered 302 to /elsewhere"
    assert len(site.requests) == 1


@pytest.mark.parametrize("fault", [name for name in FAULTS if name not in COMPLETE])
def test_a_fault_is_a_reason_in_time_and_no_traceback(serve: Serve, fault: str) -> None:
    site = serve({}, FAULTS[fault])
    one = client(Mapped({80: site.port}), "http://apps.example.test", timeout=patience(fault))
    started = time.monotonic()
    with pytest.raises(CannotLook) as reason:
        one.get("/")
    assert time.monotonic() - started < 50
    assert "GET /: " in str(reason.value)


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_no_fault_looks_like_an_open_or_a_closed_route(serve: Serve, fault: str) -> None:
    site = serve({}, FAULTS[fault])
    one = client(Mapped({80: site.port}), "http://apps.example.test", timeout=patience(fault))
    for route in [route for route in ROUTES if route.probe][:2]:
        assert route.probe
        try:
            assert route.probe.judge(one.probe(route.probe)) == Seen.UNCLEAR
        except CannotLook:
            continue


def test_an_endless_body_is_read_to_its_bound_only(serve: Serve) -> None:
    site = serve({}, FAULTS["endless body"])
    answer = client(Mapped({80: site.port}), "http://apps.example.test").get("/")
    assert len(answer.body) == MAX_BODY
    assert not answer.is_legible


def test_after_three_silent_requests_nothing_more_is_tried(serve: Serve) -> None:
    site = serve({}, never_answer)
    one = client(Mapped({80: site.port}), "http://apps.example.test", timeout=0.2)
    for _ in range(3):
        with pytest.raises(CannotLook, match="no complete answer in time"):
            one.get("/")
    with pytest.raises(CannotLook, match="gave up"):
        one.get("/")
    assert one.manners.used == 3


def test_no_more_than_the_limit_of_requests_is_sent(serve: Serve) -> None:
    site = serve()
    one = client(Mapped({80: site.port}), "http://apps.example.test")
    one.manners.limit = 2
    one.get("/")
    one.get("/")
    with pytest.raises(CannotLook, match="limit of 2"):
        one.get("/")
    assert len(site.requests) == 2


def test_a_refused_connection_is_told_from_silence() -> None:
    with pytest.raises(CannotLook, match="connection refused"):
        client(Mapped({}), "http://apps.example.test").get("/")
    with pytest.raises(CannotLook, match="in time"):
        client(Mapped({}, silent={80}), "http://apps.example.test").get("/")


def test_a_certificate_of_an_unknown_authority_is_not_accepted(
    serve: Serve, authority: Authority
) -> None:
    site = serve({}, tls=authority.context())
    with pytest.raises(CertificateProblem):
        client(Mapped({443: site.port})).get("/")
    assert site.requests == []


def test_the_ca_file_is_trusted_besides_the_systems(serve: Serve, authority: Authority) -> None:
    site = serve({}, say(200, "ok"), tls=authority.context())
    one = client(Mapped({443: site.port}))
    one.ca_file = authority.ca_file
    assert one.get("/").text == "ok"


def test_a_ca_file_that_holds_no_certificate_is_a_reason(serve: Serve, tmp_path: Path) -> None:
    site = serve()
    file = tmp_path / "ca.pem"
    file.write_text("nothing")
    one = client(Mapped({443: site.port}))
    one.ca_file = file
    with pytest.raises(CannotLook, match="CA file"):
        one.get("/")


@pytest.mark.parametrize("path", ["/a b", "/a\r\nx: y"])
def test_a_path_cannot_smuggle_headers(serve: Serve, path: str) -> None:
    site = serve()
    with pytest.raises(CannotLook):
        client(Mapped({80: site.port}), "http://apps.example.test").get(path)
    assert site.requests == []
