"""The certificates that a host makes for nginx: when, for whom, and who may read the keys."""

import os
import ssl
import stat
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from tinykit_ops.host import authority
from tinykit_ops.host.certificate_step import CertificateStep

NAMES = {"domains": ["a.example.com", "b.example.com"], "builder_domain": "c.example.com"}


@pytest.fixture
def step(tmp_path, make_settings):
    (tmp_path / "tls").mkdir()

    def make(*, mode="internal", kind="nginx", days=0, **changes):
        settings = make_settings(edge={"kind": kind, "tls": {"mode": mode}}, **changes)
        now = datetime.now(UTC) + timedelta(days=days)
        return CertificateStep(settings, tmp_path / "tls", tmp_path / "ca", now)

    return make


def bits(path):
    return stat.S_IMODE(path.stat().st_mode)


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_certificate_for_all_names_is_made_once(step, tmp_path):
    assert step(**NAMES).pending() == ["authority", "certificate"]
    step(**NAMES).apply()
    made = content(tmp_path / "tls") | content(tmp_path / "ca")
    assert step(**NAMES).pending() == []
    step(**NAMES).apply()
    assert made == content(tmp_path / "tls") | content(tmp_path / "ca")
    leaf = authority.load(tmp_path / "tls" / "instance.pem", tmp_path / "tls" / "instance.key")
    assert leaf.names == {"a.example.com", "b.example.com", "c.example.com"}


def test_a_browser_that_trusts_the_authority_trusts_the_certificate(step, tmp_path):
    step(**NAMES).apply()
    said = subprocess.run(
        [
            *("openssl", "verify", "-x509_strict", "-purpose", "sslserver"),
            *("-verify_hostname", "b.example.com"),
            *("-CAfile", tmp_path / "ca" / "root.pem", tmp_path / "tls" / "instance.pem"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls" / "instance.pem", tmp_path / "tls" / "instance.key")


def test_keys_are_for_root_and_for_nginx_whatever_the_mask(step, tmp_path):
    before = os.umask(0)
    try:
        step().apply()
    finally:
        os.umask(before)
    assert bits(tmp_path / "ca" / "root.key") == 0o600
    assert bits(tmp_path / "tls" / "instance.key") == 0o640


@pytest.mark.parametrize(("days", "pending"), [(59, []), (62, ["certificate"])])
def test_a_certificate_is_renewed_with_a_third_of_its_time_left(step, days, pending, tmp_path):
    step().apply()
    root = (tmp_path / "ca" / "root.pem").read_text()
    assert step(days=days).pending() == pending
    step(days=days).apply()
    assert step(days=days).pending() == []
    assert (tmp_path / "ca" / "root.pem").read_text() == root


def test_an_authority_that_is_about_to_end_is_made_anew_with_what_it_signed(step):
    step().apply()
    later = 365 * 7
    assert step(days=later).pending() == ["authority", "certificate"]
    step(days=later).apply()
    assert step(days=later).pending() == []


def test_another_name_needs_another_certificate(step):
    step().apply()
    assert step(**NAMES).pending() == ["certificate"]


@pytest.mark.parametrize("broken", ["", "junk", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
@pytest.mark.parametrize(
    ("file", "pending"),
    [
        ("tls/instance.pem", ["certificate"]),
        ("tls/instance.key", ["certificate"]),
        ("ca/root.pem", ["authority", "certificate"]),
        ("ca/root.key", ["authority", "certificate"]),
    ],
)
def test_what_is_broken_is_made_anew(step, tmp_path, file, pending, broken):
    step().apply()
    (tmp_path / file).write_text(broken)
    assert step().pending() == pending
    step().apply()
    assert step().pending() == []


def test_a_key_without_its_certificate_is_noticed(step, tmp_path):
    step().apply()
    certificate = (tmp_path / "tls" / "instance.pem").read_bytes()
    (tmp_path / "tls" / "instance.key").unlink()
    step().apply()  # as if it had ended between the two files
    (tmp_path / "tls" / "instance.pem").write_bytes(certificate)
    assert step().pending() == ["certificate"]


def test_a_foreign_certificate_is_replaced(step, tmp_path):
    step().apply()
    foreign = authority.make_leaf(["apps.example.com"], authority.make_root())
    files = (tmp_path / "tls" / "instance.pem", tmp_path / "tls" / "instance.key")
    authority.save(foreign, *files, mode=0o640)
    assert step().pending() == ["certificate"]


def test_acme_gets_placeholders_once_and_never_over_a_real_certificate(step, tmp_path):
    (tmp_path / "tls" / "a.example.com.pem").write_text("from certbot")
    (tmp_path / "tls" / "a.example.com.key").write_text("from certbot")
    acme = {"mode": "acme", **NAMES}
    assert step(**acme).pending() == [
        "placeholder for c.example.com",
        "placeholder for b.example.com",
    ]
    step(**acme).apply()
    assert step(**acme).pending() == []
    assert (tmp_path / "tls" / "a.example.com.pem").read_text() == "from certbot"
    assert not (tmp_path / "ca").exists()


@pytest.mark.parametrize(("kind", "mode"), [("caddy", "internal"), ("caddy", "acme")])
def test_caddys_certificates_are_its_own_business(step, tmp_path, kind, mode):
    assert step(kind=kind, mode=mode).pending() == []
    step(kind=kind, mode=mode).apply()
    assert list((tmp_path / "tls").iterdir()) == []
