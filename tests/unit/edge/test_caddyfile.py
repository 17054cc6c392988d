"""Caddy itself takes what is rendered, for every way of certificates and every gate."""

import itertools
import json
import subprocess

import pytest

from tinykit_ops.artifacts import local_binary
from tinykit_ops.edge.caddy import caddyfile
from tinykit_ops.edge.routes import ROUTES
from tinykit_ops.settings import load_settings

TLS = [
    {"mode": "acme"},
    {"mode": "acme", "email": "ops@example.com", "directory": "https://acme.example.com/dir"},
    {"mode": "acme", "directory": "https://acme.example.com/dir", "directory_ca": "ca.pem"},
    {"mode": "internal"},
    {"mode": "files", "certificate": "c.pem", "key": "k.pem"},
]
PROOFS = [["account"], ["allowlist"], ["account", "allowlist"]]
NETWORKS = ["203.0.113.7", "2001:db8::/48"]


def rendered(**changes):
    data = {
        "domains": ["apps.example.com", "other.example.com"],
        "admin_email": "you@example.com",
        "app": {"archive": "https://example.com/t.tar.zst", "sha256": "0" * 64},
    }
    return caddyfile(load_settings({**data, **changes}, where="test"))


def adapted(text):
    words = [str(local_binary("caddy")), "adapt", "--adapter", "caddyfile", "--config", "-"]
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("tls", TLS, ids=" ".join)
def test_caddy_takes_every_way_of_certificates(tls):
    apps = adapted(rendered(edge={"tls": tls}))["apps"]
    assert {"http", "tls"} <= set(apps) or tls == {"mode": "acme"}


@pytest.mark.parametrize(
    ("builder", "admin"), list(itertools.product(PROOFS, PROOFS)), ids="+".join
)
@pytest.mark.parametrize("match", ["any", "all"])
def test_caddy_takes_every_gate(builder, admin, match):
    access = {
        "allowlist": NETWORKS,
        "builder": {"require": builder, "match": match},
        "admin": {"require": admin, "match": match},
    }
    adapted(rendered(access=access))


def test_every_row_of_the_table_is_rendered_in_its_order():
    text = rendered()
    places = [text.index(f"handle @{route.name} {{") for route in ROUTES]
    assert places == sorted(places)


def test_only_the_listed_names_have_a_site():
    servers = adapted(rendered())["apps"]["http"]["servers"].values()
    hosts = [
        host
        for server in servers
        for route in server["routes"]
        for match in route.get("match", [])
        for host in match.get("host", [])
    ]
    assert set(hosts) == {"apps.example.com", "other.example.com"}


def test_the_hooks_secret_is_read_from_a_file_and_not_written_down():
    assert "{file./run/credentials/caddy.service/hook-token}" in rendered()


def test_an_upload_over_the_limit_ends_at_the_edge():
    assert "max_size 10000000" in rendered(edge={"max_body": "10MB"})
