"""What goes to a host for either proxy, and which certificates of the inventory's are taken."""

import pytest

from tinykit_ops import layout
from tinykit_ops.deploy.edge import caddy_entries, nginx_configuration, nginx_surroundings
from tinykit_ops.host import authority
from tinykit_ops.ops.tree import Absent, File
from tinykit_ops.settings.pyinfra_error import RunStoppedError


@pytest.fixture
def with_files(tmp_path, make_settings):
    """Settings of the mode `files`, with this certificate and key."""

    def make(kind, certificate=None, key=None):
        pair = authority.make_leaf(["apps.example.com"], authority.make_root())
        certificate = pair.pem if certificate is None else certificate
        (tmp_path / "c.pem").write_text(certificate)
        (tmp_path / "k.pem").write_text(pair.key_pem if key is None else key)
        files = {"certificate": str(tmp_path / "c.pem"), "key": str(tmp_path / "k.pem")}
        return make_settings(edge={"kind": kind, "tls": {"mode": "files", **files}})

    return make


ENTRIES = {"caddy": caddy_entries, "nginx": nginx_surroundings}


@pytest.mark.parametrize("kind", ENTRIES)
def test_a_key_of_the_inventory_is_for_root_and_the_proxy_alone(with_files, kind):
    keys = [
        entry
        for entry in ENTRIES[kind](with_files(kind))
        if isinstance(entry, File) and "PRIVATE KEY" in str(entry.content)
    ]
    user = layout.NGINX_USER if kind == "nginx" else layout.CADDY_USER
    assert [(entry.mode, entry.user, entry.group) for entry in keys] == [("640", "root", user)]


@pytest.mark.parametrize("kind", ENTRIES)
@pytest.mark.parametrize(
    "wrong",
    [
        {"key": authority.make_root().key_pem},  # of another certificate
        {"key": ""},
        {"certificate": "junk"},
        {"certificate": ""},
    ],
)
def test_a_certificate_without_its_key_stops_the_run_with_what_to_do(with_files, kind, wrong):
    with pytest.raises(RunStoppedError, match="a server cannot use this certificate and key"):
        list(ENTRIES[kind](with_files(kind, **wrong)))


def test_no_secret_is_in_what_everybody_may_read(make_settings):
    settings = make_settings(edge={"kind": "nginx"})
    entries = [*nginx_surroundings(settings), nginx_configuration(settings, ipv6=True)]
    open_to_all = [e for e in entries if isinstance(e, File) and e.mode[-1] != "0"]
    assert len(open_to_all) >= 4
    assert not any("PRIVATE KEY" in str(e.content) for e in open_to_all)


def test_renewal_is_scheduled_only_where_the_host_makes_certificates(make_settings):
    for mode, wanted in (("internal", File), ("acme", Absent)):
        settings = make_settings(edge={"kind": "nginx", "tls": {"mode": mode}})
        found = [e for e in nginx_surroundings(settings) if e.path == layout.EDGE_CRON_FILE]
        assert [type(entry) for entry in found] == [wanted]


def test_nginx_reads_its_configuration_before_it_replaces_the_old_one(make_settings):
    entry = nginx_configuration(make_settings(edge={"kind": "nginx"}), ipv6=True)
    assert f"{layout.NGINX_BINARY} -t" in entry.check
    assert f"--reuid={layout.NGINX_USER}" in entry.check
