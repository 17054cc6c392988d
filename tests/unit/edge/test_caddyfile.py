"""Caddy itself takes what is rendered, for every way of certificates and every gate."""

import itertools
import json
import re
import subprocess

import pytest

from tinykit_ops import layout
from tinykit_ops.artifacts import local_binary
from tinykit_ops.deploy.templates import render
from tinykit_ops.edge.caddy import caddyfile, quoted
from tinykit_ops.edge.routes import ROUTES
from tinykit_ops.settings import load_settings

TLS = [
    {"mode": "acme"},
    {"mode": "acme", "email": "ops@example.com", "directory": "https://acme.example.com/dir"},
    {"mode": "acme", "directory": "https://acme.example.com/dir", "directory_ca": "ca.pem"},
    {"mode": "internal"},
    {"mode": "files", "certificate": "c.pem", "key": "k.pem"},
    {"mode": "acme", "on_demand": True},
]
PROOFS = [["account"], ["basic"], ["allowlist"], ["account", "basic", "allowlist"]]
LAYOUTS = [{}, {"builder_domain": "build.example.com"}]
NETWORKS = ["203.0.113.7", "2001:db8::/48"]


def rendered(**changes):
    data = {
        "domains": ["apps.example.com", "other.example.com"],
        "admin_email": "you@example.com",
        "app": {"archive": "https://example.com/t.tar.zst", "sha256": "0" * 64},
    }
    return caddyfile(load_settings({**data, **changes}, where="test"))


def adapt(text):
    words = [str(local_binary("caddy")), "adapt", "--adapter", "caddyfile", "--config", "-"]
    return subprocess.run(words, input=text, capture_output=True, text=True, check=False)


def adapted(text):
    done = adapt(text)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def hosts_of(adapted_config):
    """Every host name that some site of it answers for."""
    servers = adapted_config["apps"]["http"]["servers"].values()
    matchers = [
        match
        for server in servers
        for route in server["routes"]
        for match in route.get("match", [])
    ]
    return {host for match in matchers for host in match.get("host", [])}


@pytest.mark.parametrize("apart", LAYOUTS, ids=["one site", "builder apart"])
@pytest.mark.parametrize("tls", TLS, ids=lambda tls: " ".join(map(str, tls.values())))
def test_caddy_takes_every_way_of_certificates(tls, apart):
    apps = adapted(rendered(edge={"tls": tls}, **apart))["apps"]
    assert {"http", "tls"} <= set(apps) or tls == {"mode": "acme"}
    for server in apps["http"]["servers"].values():
        for policy in server.get("tls_connection_policies", []):
            if policy:
                assert policy["protocol_min"] == "tls1.2"


@pytest.mark.parametrize(
    ("builder", "admin"), list(itertools.product(PROOFS, PROOFS)), ids="+".join
)
@pytest.mark.parametrize("match", ["any", "all"])
@pytest.mark.parametrize("apart", LAYOUTS, ids=["one site", "builder apart"])
def test_caddy_takes_every_gate(builder, admin, match, apart):
    access = {
        "allowlist": NETWORKS,
        "builder": {"require": builder, "match": match},
        "admin": {"require": admin, "match": match},
    }
    adapted(rendered(access=access, **apart))


def test_every_row_of_the_table_is_rendered_in_its_order():
    text = rendered()
    places = [text.index(f"handle @{route.name} {{") for route in ROUTES]
    assert places == sorted(places)


@pytest.mark.parametrize("apart", LAYOUTS, ids=["one site", "builder apart"])
def test_only_the_listed_names_have_a_site(apart):
    names = {"apps.example.com", "other.example.com", *apart.values()}
    assert hosts_of(adapted(rendered(**apart))) == names


def test_only_names_on_demand_open_a_site_for_others_and_the_question_is_asked_on_loopback():
    text = rendered(edge={"tls": {"mode": "acme", "on_demand": True}})
    ask = f"http://127.0.0.1:{layout.CADDY_ASK_PORT}"
    assert "on_demand" not in rendered()
    assert f"ask {ask}{layout.TLS_ASK_ROUTE}" in text
    servers = adapted(text)["apps"]["http"]["servers"].values()
    listening = [server["listen"] for server in servers]
    assert [f"127.0.0.1:{layout.CADDY_ASK_PORT}"] in listening


def test_hsts_is_promised_unless_the_authority_is_the_edges_own():
    assert "Strict-Transport-Security" in rendered(edge={"tls": {"mode": "acme"}})
    assert "Strict-Transport-Security" not in rendered(edge={"tls": {"mode": "internal"}})


def test_a_broken_configuration_is_refused():
    done = adapt(rendered().replace("\troute {", "\troot {", 1))
    assert done.returncode != 0
    assert "root" in done.stderr


def test_a_text_that_caddy_could_misread_is_refused_here():
    assert quoted('{"a":1}') == '"{\\"a\\":1}"'
    with pytest.raises(ValueError, match="backslash"):
        quoted("a\\b")


def test_the_unit_writes_the_networks_of_a_cdn_for_caddy(tmp_path):
    networks, line = tmp_path / "networks", tmp_path / "cdn.caddyfile"
    unit = render("systemd/caddy.service.j2")
    (prepare,) = re.findall(r"^ExecStartPre=\+/bin/sh -c '(.*)'$", unit, re.MULTILINE)
    assert f"ExecReload=+/bin/sh -c '{prepare}'" in unit
    # Root writes it, and Caddy's user could plant a link in a folder of its own.
    assert not layout.CADDY_CDN.startswith(("/run/caddy", layout.CADDY_STATE, layout.CADDY_LOGS))
    script = prepare.replace("$$", "$").replace(layout.CDN_NETWORKS, str(networks))
    script = script.replace(layout.CADDY_CDN, str(line))
    networks.write_text("203.0.113.0/24\n2001:db8::/32\n")
    subprocess.run(["sh", "-c", script], check=True)
    assert line.read_text() == "trusted_proxies static 203.0.113.0/24 2001:db8::/32\n"
    networks.write_text("")
    subprocess.run(["sh", "-c", script], check=True)
    assert not line.exists()


def test_the_hooks_secret_is_read_from_a_file_and_not_written_down():
    assert "{file./run/credentials/caddy.service/hook-token}" in rendered()


def test_an_upload_over_the_limit_ends_at_the_edge():
    assert "max_size 10000000" in rendered(edge={"max_body": "10MB"})
