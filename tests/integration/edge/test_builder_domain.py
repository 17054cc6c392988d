"""The two layouts: the builder on an origin of its own, or everything on one."""

import itertools

import pytest
from edge_client import DOMAIN, V4, V6
from edge_standins import ACCOUNT_COOKIE

from tinykit_ops.edge.routes import ROUTES, RouteClass, classify

BUILDER = "build.example.com"
ACCOUNT = {"Cookie": ACCOUNT_COOKIE}
OPEN = {
    "builder": {"require": ["allowlist"]},
    "admin": {"require": ["allowlist"]},
    "allowlist": ["127.0.0.0/8", "::1"],
}


def sample(route):
    """The method and path of a request that belongs to this row and to none before it."""
    paths = [pattern.replace("*", "zzz") for pattern in route.paths]
    asked = itertools.product(route.methods or ("GET", "PUT"), paths)
    return next(one for one in asked if classify(*one) is route)


@pytest.mark.parametrize("at", [V4, V6])
def test_a_published_site_has_nothing_of_the_builder_even_for_who_may_pass_its_gates(edge, at):
    running = edge(builder_domain=BUILDER, access=OPEN)
    for route in ROUTES:
        method, path = sample(route)
        answer = running.ask(path, method, at=at, Origin=f"https://{DOMAIN}", **ACCOUNT)
        expected = 200 if route.classification is RouteClass.PUBLISHED else 404
        assert answer.status == expected, (route.name, method, path)
    assert running.pocketbase.asked == []
    assert running.ask("/").body == "tinykit"
    assert running.ask("/about/us").body == "tinykit"


def test_the_builders_site_has_everything_behind_the_gate(edge):
    running = edge(builder_domain=BUILDER)
    for route in ROUTES:
        method, path = sample(route)
        answer = running.ask(path, method, host=BUILDER, Origin=f"https://{BUILDER}")
        if route.classification is RouteClass.NEVER:
            assert answer.status == 404, route.name
        elif route.door or route.classification is RouteClass.ANSWERED:
            assert answer.status == 200, route.name
        else:
            assert answer.status in {302, 401, 403}, route.name
    doors = {request.path for request in (*running.tinykit.asked, *running.pocketbase.asked)}
    assert all(path.startswith(("/login", "/api/collections/users/auth-")) for path in doors)


def test_the_builders_site_begins_in_the_builder(edge):
    answer = edge(builder_domain=BUILDER).ask("/", host=BUILDER)
    assert (answer.status, answer.headers["location"]) == (302, "/tinykit")


@pytest.mark.parametrize("path", ["/login/x", "/LOGIN", "/tinykit/a/b", "/api/x", "/logo-x.svg"])
def test_an_app_that_claims_the_builders_name_runs_nothing_there(edge, path):
    running = edge(builder_domain=BUILDER)
    html = {"Content-Type": "text/html; charset=utf-8"}
    stray = running.ask(path, host=BUILDER, told={"headers": html, "body": "<p>"}, **ACCOUNT)
    assert (stray.status, stray.body) == (200, "<p>")
    assert stray.headers["content-security-policy"] == "sandbox"
    page = {**html, "X-Sveltekit-Page": "true"}
    for host, headers in ((BUILDER, page), (DOMAIN, html)):
        where = path if host == BUILDER else "/about"
        answer = running.ask(where, host=host, told={"headers": headers, "body": "<p>"}, **ACCOUNT)
        assert (answer.status, answer.body) == (200, "<p>")
        assert "content-security-policy" not in answer.headers


def test_a_preview_may_write_on_the_builders_site_where_tinykit_knows_no_such_origin(edge):
    running = edge(builder_domain=BUILDER)
    own = {"Origin": f"https://{BUILDER}"}
    path = "/_tk/data/x/posts"
    assert running.ask(path, "POST", host=BUILDER, body="{}", **own, **ACCOUNT).status == 200
    assert "origin" not in running.tinykit.asked[-1].headers
    foreign = {"Origin": f"https://{DOMAIN}"}
    assert running.ask(path, "POST", host=BUILDER, body="{}", **foreign, **ACCOUNT).status == 403
    assert running.ask(path, "POST", host=BUILDER, body="{}", **own).status == 401


def test_one_origin_does_not_answer_for_the_other(edge):
    running = edge(builder_domain=BUILDER, access=OPEN)
    for sni, host in ((DOMAIN, BUILDER), (BUILDER, DOMAIN)):
        assert running.ask("/tinykit", host=host, sni=sni).status == 421
    assert running.tinykit.asked == []
