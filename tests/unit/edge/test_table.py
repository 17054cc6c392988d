"""What `tinykit-ops edge routes` prints."""

import json
from pathlib import Path

import pytest

from tinykit_ops import cli
from tinykit_ops.edge.routes import ROUTES
from tinykit_ops.edge.table import plain_table, tables_of
from tinykit_ops.edge.table_page import as_json, as_markdown, as_text

ROOT = Path(__file__).parents[3]
INVENTORY = """
hosts = [("203.0.113.10", {"tinykit": {
    "domains": ["apps.example.com"],
    "builder_domain": "build.example.com",
    "admin_email": "you@example.com",
    "app": {"archive": "https://example.com/a.tar.zst", "sha256": "0" * 64},
    "access": {"allowlist": ["198.51.100.7"]},
    "edge": {"limits": {"writes": 77}},
}})]
"""


def line(table, name):
    return next(line for line in table.lines if line.name == name)


def test_the_page_of_all_routes_is_up_to_date():
    page = (ROOT / "docs/edge-routes.md").read_text()
    assert page == as_markdown([plain_table()]), (
        "run: tinykit-ops edge routes --format markdown > docs/edge-routes.md"
    )


def test_every_row_is_in_every_format_and_in_order():
    table = plain_table()
    assert [line.name for line in table.lines[:-1]] == [route.name for route in ROUTES]
    text, page, data = as_text([table]), as_markdown([table]), as_json([table])
    for route in ROUTES:
        assert f"{route.name}  [{route.classification}]" in text
        assert f"\n| {route.name} | " in page
    assert [row["name"] for row in data[0]["routes"]] == [each.name for each in table.lines]
    assert {"paths", "methods", "class", "answered_by", "limit", "headers", "note"} <= set(
        data[0]["routes"][0]
    )


def test_every_line_of_the_page_has_the_same_columns():
    rows = [row for row in as_markdown([plain_table()]).splitlines() if row.startswith("|")]
    assert len({row.replace(r"\|", "").count("|") for row in rows}) == 1


def test_what_the_edge_says_itself_is_told():
    table = plain_table()
    assert line(table, "setup-status").answered_by == '200 {"needs_setup":false}'
    assert line(table, "setup-claim").answered_by == "404"


def test_with_settings_a_gate_says_who_passes(make_settings):
    gate = {"require": ["account", "allowlist"], "match": "any"}
    access = {"builder": gate, "allowlist": ["198.51.100.7", "2001:db8::/48"]}
    (table,) = tables_of("h", make_settings(access=access))
    passes = "account or address in 198.51.100.7/32, 2001:db8::/48"
    assert line(table, "builder-pages").gate == passes
    assert line(table, "dashboard").gate == "address in 198.51.100.7/32, 2001:db8::/48"
    assert line(table, "login-page").gate == ""  # a way in


def test_a_gate_that_nobody_can_pass_says_so(make_settings):
    (table,) = tables_of("h", make_settings())
    assert line(table, "dashboard").gate == "nobody"


@pytest.mark.parametrize(
    ("kind", "streams"),
    [("nginx", "5 open at a time"), ("caddy", "5 opened a minute, 125 open by all")],
)
def test_limits_are_those_of_the_settings_as_the_proxy_can_keep_them(make_settings, kind, streams):
    limits = {"writes": 77, "streams": 5}
    (table,) = tables_of("h", make_settings(edge={"kind": kind, "limits": limits}))
    assert line(table, "data-write").limit == "77 a minute"
    assert line(table, "realtime").limit == streams


def test_with_a_builder_domain_there_is_a_table_for_each_site(make_settings):
    builder, published = tables_of("h", make_settings(builder_domain="build.example.com"))
    assert builder.names == ("build.example.com",)
    assert published.names == ("apps.example.com",)
    assert line(published, "builder-pages").answered_by == "404"
    assert line(builder, "builder-pages").answered_by == "tinykit"


def test_the_command_reads_an_inventory(tmp_path, capsys):
    inventory = tmp_path / "inventory.py"
    inventory.write_text(INVENTORY)
    assert cli.run(["edge", "routes", "--inventory", str(inventory), "--format", "json"]) == 0
    tables = json.loads(capsys.readouterr().out)
    assert [(table["host"], table["role"]) for table in tables] == [
        ("203.0.113.10", "builder"),
        ("203.0.113.10", "published"),
    ]
    writes = next(row for row in tables[1]["routes"] if row["name"] == "data-write")
    assert writes["limit"] == "77 a minute"


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_the_page_of_an_inventory_names_its_hosts(tmp_path, capsys, form):
    inventory = tmp_path / "inventory.py"
    inventory.write_text(INVENTORY)
    assert cli.run(["edge", "routes", "--inventory", str(inventory), "--format", form]) == 0
    printed = capsys.readouterr().out
    assert "203.0.113.10: build.example.com (builder)" in printed
    assert "203.0.113.10: apps.example.com (published)" in printed


def test_a_wrong_inventory_is_refused_as_everywhere(tmp_path, capsys):
    assert cli.run(["edge", "routes", "--inventory", str(tmp_path / "none.py")]) == 64
    assert "there is no inventory file" in capsys.readouterr().err
