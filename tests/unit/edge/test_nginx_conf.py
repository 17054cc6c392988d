"""How a row of the table, a text and a certificate become words of nginx."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinykit_ops.edge.nginx import nginx_conf, path_regex, quoted, row_regex
from tinykit_ops.edge.nginx_tls import pairs
from tinykit_ops.edge.paths import matches, normalise
from tinykit_ops.edge.routes import ROUTES

PATTERNS = sorted({pattern for route in ROUTES for pattern in route.paths} | {"/", "/*", "/a*"})
WORDS = sorted({word for pattern in PATTERNS for word in pattern.split("/")} - {"", "*"})
SEGMENT = st.one_of(st.sampled_from(WORDS), st.text("abz_.-$+(", min_size=1, max_size=6))
PATHS = st.lists(SEGMENT, max_size=6).map(lambda parts: "/" + "/".join(parts))


@given(st.sampled_from(PATTERNS), PATHS, st.sampled_from(["", "/"]))
def test_a_pattern_means_to_nginx_what_it_means_to_the_table(pattern, path, end):
    if path == "/" or any(part in (".", "..") for part in path.split("/")):
        end, path = "", "/"
    found = re.search(f"^{path_regex(pattern)}$", path + end, re.IGNORECASE) is not None
    assert found == matches(pattern, normalise(path))


@given(st.sampled_from(ROUTES), PATHS, st.sampled_from(["GET", "HEAD", "POST", "PATCH"]))
def test_a_row_covers_the_same_requests_in_nginx(route, path, method):
    if any(part in (".", "..") for part in path.split("/")):
        path = "/"
    found = re.search(row_regex(route), f"{method} {path}", re.IGNORECASE) is not None
    assert found == route.covers(method, normalise(path))


def test_every_row_has_a_place_of_its_own_in_both_layouts(make_settings):
    for changes in ({}, {"builder_domain": "build.example.com"}):
        text = nginx_conf(make_settings(edge={"kind": "nginx"}, **changes))
        sites = 2 if changes else 1
        for route in ROUTES:
            assert text.count(f"location = /.tinykit-ops/row/{route.name} {{") == sites


def test_no_place_of_a_row_can_be_asked_for_from_outside(make_settings):
    text = nginx_conf(make_settings(edge={"kind": "nginx"}))
    for location in re.findall(r"location = /\.tinykit-ops/[^{]*\{\s*(\S+)", text):
        assert location == "internal;"


def test_a_host_without_ipv6_listens_on_ipv4_alone(make_settings):
    settings = make_settings(edge={"kind": "nginx"})
    assert "[::]" in nginx_conf(settings)
    assert "[::]" not in nginx_conf(settings, ipv6=False)


def test_browsers_are_told_to_stay_with_tls_unless_nobody_trusts_the_authority(make_settings):
    for mode, said in (("acme", True), ("internal", False)):
        text = nginx_conf(make_settings(edge={"kind": "nginx", "tls": {"mode": mode}}))
        assert ("Strict-Transport-Security" in text) == said


def test_the_numbers_of_the_settings_are_the_limits(make_settings):
    limits = {"writes": 7, "proxied": 11, "logins": 13, "streams": 17}
    text = nginx_conf(make_settings(edge={"kind": "nginx", "limits": limits}))
    for name, number in list(limits.items())[:3]:
        assert f"zone=tinykit_{name}:4m rate={number}r/m;" in text
        assert f"zone=tinykit_{name} burst={number - 1} nodelay;" in text
    assert "limit_conn tinykit_streams 17;" in text


def test_only_with_acme_has_every_name_a_certificate_of_its_own(make_settings):
    names = {"domains": ["a.example.com", "b.example.com"], "builder_domain": "c.example.com"}
    for mode, count in (("acme", 3), ("internal", 1)):
        found = pairs(make_settings(edge={"kind": "nginx", "tls": {"mode": mode}}, **names))
        assert set(found) == {"a.example.com", "b.example.com", "c.example.com"}
        assert len(set(found.values())) == count


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", '"plain"'),
        ('a "b"', '"a \\"b\\""'),
        ("a\\b", '"a\\\\b"'),
        ("$host", '"${tinykit_dollar}host"'),
    ],
)
def test_a_text_is_quoted_so_that_nginx_reads_the_same(text, written):
    assert quoted(text) == written


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2"),
        ("2001:db8:1:2::1", "2001:db8:1:2"),
        ("2001:db8:1::5", "2001:db8:1"),
        ("2001:db8::1", "2001:db8"),
        ("::1", "::1"),
    ],
)
def test_an_address_is_counted_with_its_64(make_settings, address, counted):
    text = nginx_conf(make_settings(edge={"kind": "nginx"}))
    block = text[text.index("map $remote_addr $tinykit_client {") :].split("}")[0]
    expressions = re.findall(r'"~(\^\S+)" \$(\w+);', text[text.index(block) :])[:2]
    for expression, name in expressions:
        found = re.search(expression.replace("(?<", "(?P<"), address)
        if found:
            assert found[name] == counted
            return
    assert address == counted
