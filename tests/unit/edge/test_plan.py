"""The plan: sites, rows and gates that the settings make of the route table."""

import pytest

from tinykit_ops.edge.plan import Role, gates_of, sites
from tinykit_ops.edge.route import RouteClass
from tinykit_ops.settings import load_settings

NETWORKS = ["203.0.113.7", "2001:db8::/48"]
BUILDER = "build.example.com"


def planned(**changes):
    data = {
        "domains": ["apps.example.com", "other.example.com"],
        "admin_email": "you@example.com",
        "app": {"archive": "https://example.com/t.tar.zst", "sha256": "0" * 64},
    }
    return sites(load_settings({**data, **changes}, where="test"))


def row(site, name):
    (found,) = [row for row in site.rows if row.route.name == name]
    return found


def gate_of(name, require, match="all", allowlist=NETWORKS):
    gate = {"require": require, "match": match}
    (site,) = planned(access={"builder": gate, "admin": gate, "allowlist": allowlist})
    return row(site, name).gate


def test_without_a_builder_domain_everything_is_on_one_site():
    (site,) = planned()
    assert (site.role, site.names) == (Role.WHOLE, ("apps.example.com", "other.example.com"))


def test_with_one_the_builder_has_its_own_and_comes_first():
    builder, published = planned(builder_domain=BUILDER)
    assert (builder.role, builder.names) == (Role.BUILDER, (BUILDER,))
    assert (published.role, len(published.names)) == (Role.PUBLISHED, 2)


def test_on_a_published_site_whatever_is_not_published_is_nobodys():
    _, site = planned(builder_domain=BUILDER)
    for line in site.rows:
        published = line.route.classification is RouteClass.PUBLISHED
        assert line.never != published, line.route.name
        assert line.gate is None
        assert line.answer is None


def test_on_the_builders_site_nothing_but_its_doors_is_without_a_gate():
    site, _ = planned(builder_domain=BUILDER)
    for line in site.rows:
        files = line.route.name == "builder-files"  # of tinykit's own build
        free = line.never or line.answer or line.route.door or files
        assert (line.gate is None) == bool(free), line.route.name


def test_the_builders_site_begins_in_the_builder_and_the_others_in_the_app():
    builder, published = planned(builder_domain=BUILDER)
    assert row(builder, "builder-home").answer.location == "/tinykit"
    assert "builder-home" not in {line.route.name for line in published.rows}


def test_only_the_builders_site_drops_the_origin_that_it_has_compared():
    builder, published = planned(builder_domain=BUILDER)
    (whole,) = planned()
    dropping = [line.route.name for line in builder.rows if line.drops_origin]
    assert dropping == ["data-write"]
    assert not any(line.drops_origin for line in (*published.rows, *whole.rows))


@pytest.mark.parametrize("layout", [{}, {"builder_domain": BUILDER}])
def test_security_txt_is_on_every_site_and_before_every_other_row(layout):
    settings = {"edge": {"security_txt": {"contact": ["mailto:a@example.com"]}}, **layout}
    for site in planned(**settings):
        names = [line.route.name for line in site.rows if line.route.name != "builder-home"]
        assert names[0] == "security-txt"
        assert "Contact: mailto:a@example.com" in row(site, "security-txt").answer.body


@pytest.mark.parametrize("layout", [{}, {"builder_domain": BUILDER}])
def test_a_name_of_a_row_or_gate_stands_for_one_thing(layout):
    gate = {"require": ["account", "basic", "allowlist"]}
    access = {"builder": gate, "admin": gate, "allowlist": NETWORKS}
    found = planned(access=access, **layout)
    for site in found:
        rows = [line.route.name for line in site.rows]
        assert len(set(rows)) == len(rows)
    gates = {gate for site in found for gate in gates_of(site)}
    assert len({gate.name for gate in gates}) == len(gates)


@pytest.mark.parametrize(
    ("require", "match", "networks", "judge"),
    [
        (["account"], "all", 0, ("account",)),
        (["basic"], "any", 0, ("basic",)),
        (["allowlist"], "all", 2, ()),
        (["account", "allowlist"], "any", 2, ("account",)),
        (["account", "basic", "allowlist"], "all", 2, ("account", "basic")),
    ],
)
def test_a_gate_asks_for_addresses_itself_and_the_judge_for_the_rest(
    require, match, networks, judge
):
    gate = gate_of("builder-api", require, match)
    assert (len(gate.networks), gate.judge, gate.match) == (networks, judge, match)
    assert not gate.closed


def test_the_judge_is_told_what_to_look_for():
    assert gate_of("builder-api", ["account", "basic"], "any").judge_uri == (
        "/api/tinykit-ops/judge?need=account+basic&match=any"
    )
    assert gate_of("builder-pages", ["account"]).judge_uri == (
        "/api/tinykit-ops/judge?need=account&match=all&page=1"
    )


def test_a_gate_that_wants_an_address_of_nobodys_is_closed():
    (site,) = planned()
    assert row(site, "dashboard").gate.closed
    assert not row(site, "builder-api").gate.closed


@pytest.mark.parametrize("door", ["login-page", "auth-with-password"])
def test_a_door_never_asks_for_the_account_and_keeps_every_other_proof(door):
    assert gate_of(door, ["account"]) is None
    assert gate_of(door, ["account", "allowlist"], "any") is None
    assert gate_of(door, ["account", "basic"], "any") is None
    assert len(gate_of(door, ["account", "allowlist"]).networks) == 2
    assert gate_of(door, ["account", "basic"]).judge == ("basic",)
    assert gate_of(door, ["basic"]).judge == ("basic",)


def test_pages_and_only_pages_lead_a_person_somewhere():
    (site,) = planned()
    pages = {line.route.name for line in site.rows if line.gate and line.gate.page}
    assert pages == {line.route.name for line in site.rows if line.route.page and line.gate}
    assert {"builder-pages", "preview", "dashboard"} <= pages
    assert not {"builder-api", "export", "records", "builder-data"} & pages


def test_the_builders_site_serves_no_published_app():
    # tinykit would: a project may be given any domain, the builder's too.
    site, published = planned(builder_domain=BUILDER)
    assert site.rows[-1].never
    assert site.rows[-1].route.paths == ("/*",)
    assert published.rows[-1].upstream
    assert not published.rows[-1].never
