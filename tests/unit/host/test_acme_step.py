"""Certificates for nginx by certbot, with a certbot that only keeps files."""

from datetime import UTC, datetime, timedelta

import pytest

from tinykit_ops.errors import UnavailableError
from tinykit_ops.host import authority
from tinykit_ops.host.acme_step import AcmeStep
from tinykit_ops.host.certbot import reason

DIRECTORY = "https://ca.example.com/dir"
FAILURE = """Saving debug log to /var/log/letsencrypt/letsencrypt.log

Certbot failed to authenticate some domains (authenticator: webroot).
  Domain: b.example.com
  Type:   dns
  Detail: DNS problem: NXDOMAIN looking up A for b.example.com

Some challenges have failed.
Ask for help or search for solutions at https://community.letsencrypt.org.
"""


class Certbot:
    """Makes lineages as certbot does; `fails` are names that the authority refuses."""

    def __init__(self, home):
        self.home = home
        self.fails = set()
        self.said = []
        self.environments = []

    def __call__(self, words, env):
        self.said.append(list(words))
        self.environments.append(dict(env))
        lineage = words[words.index("--cert-name") + 1]
        if words[1] == "delete":
            (self.home / "renewal" / f"{lineage}.conf").unlink()
            return 0, ""
        name = words[words.index("--domain") + 1]
        if name in self.fails:
            return 1, FAILURE
        self.issue(lineage, name, words[words.index("--server") + 1])
        return 0, "Successfully received certificate."

    def issue(self, lineage, name, server, now=None):
        live = self.home / "live" / lineage
        for folder in (live, self.home / "renewal"):
            folder.mkdir(parents=True, exist_ok=True)
        leaf = authority.make_leaf([name], None, now)
        authority.save(leaf, live / "fullchain.pem", live / "privkey.pem", mode=0o600)
        conf = f"[renewalparams]\nserver = {server}\nkey_type = ecdsa\n"
        (self.home / "renewal" / f"{lineage}.conf").write_text(conf)


@pytest.fixture
def certbot(tmp_path):
    (tmp_path / "tls").mkdir()
    return Certbot(tmp_path / "letsencrypt")


@pytest.fixture
def make_step(tmp_path, make_settings, certbot):
    reloads = []

    def make(*domains, kind="nginx", mode="acme", server=DIRECTORY):
        tls = {"mode": mode, **({"directory": server} if mode == "acme" else {})}
        settings = make_settings(domains=list(domains), edge={"kind": kind, "tls": tls})
        step = AcmeStep(
            settings,
            run=certbot,
            home=certbot.home,
            tls=tmp_path / "tls",
            directory_ca=tmp_path / "ca.pem",
            bundle=tmp_path / "bundle.pem",
            reload=lambda: reloads.append(1),
        )
        step.reloads = reloads
        return step

    return make


def shown(tmp_path, name):
    return (tmp_path / "tls" / f"{name}.pem").read_text()


def test_each_name_gets_a_certificate_of_its_own_and_then_nothing_is_left(
    make_step, certbot, tmp_path
):
    step = make_step("a.example.com", "b.example.com")
    assert step.pending() == ["certificate for a.example.com", "certificate for b.example.com"]
    step.apply()
    assert step.pending() == []
    assert [words.count("--domain") for words in certbot.said] == [1, 1]
    assert step.reloads == [1]
    assert (tmp_path / "tls" / "a.example.com.key").stat().st_mode & 0o777 == 0o640


def test_a_name_that_is_refused_takes_nothing_from_the_others_and_the_run_says_why(
    make_step, certbot, tmp_path
):
    certbot.fails = {"b.example.com"}
    step = make_step("a.example.com", "b.example.com", "c.example.com")
    with pytest.raises(UnavailableError) as failure:
        step.apply()
    assert "1 of 3 names got no certificate" in str(failure.value)
    assert "b.example.com: DNS problem: NXDOMAIN looking up A" in str(failure.value)
    assert shown(tmp_path, "a.example.com") and shown(tmp_path, "c.example.com")
    assert step.pending() == ["certificate for b.example.com"]


def test_what_certbot_renewed_is_installed_once(make_step, certbot, tmp_path):
    step = make_step("a.example.com")
    step.apply()
    before = shown(tmp_path, "a.example.com")
    certbot.issue("tinykit-a.example.com", "a.example.com", DIRECTORY)
    assert step.pending() == ["install the certificate for a.example.com"]
    step.install()
    step.install()
    assert shown(tmp_path, "a.example.com") != before
    assert step.reloads == [1, 1]
    assert step.pending() == []


def test_another_authority_means_new_certificates_although_the_old_have_time_left(
    make_step, certbot
):
    make_step("a.example.com").apply()
    step = make_step("a.example.com", server="https://other.example.com/dir")
    assert step.pending() == ["certificate for a.example.com"]
    step.apply()
    assert "--force-renewal" in certbot.said[-1]
    assert step.pending() == []


def test_a_certificate_that_is_over_is_asked_for_again(make_step, certbot):
    make_step("a.example.com").apply()
    long_ago = datetime.now(UTC) - timedelta(days=authority.LEAF_DAYS + 1)
    certbot.issue("tinykit-a.example.com", "a.example.com", DIRECTORY, now=long_ago)
    assert "certificate for a.example.com" in make_step("a.example.com").pending()


@pytest.mark.parametrize("change", [{"kind": "caddy"}, {"mode": "internal"}])
def test_without_nginx_or_acme_certbot_forgets_what_it_would_try_to_renew(
    make_step, certbot, change
):
    make_step("a.example.com").apply()
    step = make_step("a.example.com", **change)
    assert step.pending()[0] == "forget a.example.com"
    step.apply()
    assert step.pending() == []
    assert not list((certbot.home / "renewal").iterdir())


@pytest.mark.parametrize(
    ("edge", "kept"),
    [
        ({"kind": "nginx"}, ["a.example.com.key", "a.example.com.pem", "README"]),
        (
            {"kind": "nginx", "tls": {"mode": "internal"}},
            ["README", "instance.key", "instance.pem"],
        ),
    ],
)
def test_keys_of_names_and_modes_that_were_given_up_go(make_settings, tmp_path, edge, kept):
    tls = tmp_path / "tls"
    tls.mkdir()
    for name in ("a.example.com", "old.example.com", "instance"):
        for ending in ("pem", "key"):
            (tls / f"{name}.{ending}").write_text("x")
    (tls / "README").write_text("x")
    settings = make_settings(domains=["a.example.com"], edge=edge)
    step = AcmeStep(
        settings,
        run=Certbot(tmp_path / "none"),
        home=tmp_path / "none",
        tls=tls,
        directory_ca=tmp_path / "ca",
        bundle=tmp_path / "bundle",
        reload=lambda: None,
    )
    assert f"remove {tls / 'old.example.com.key'}" in step.pending()
    step.apply()
    assert {path.name for path in tls.iterdir()} == set(kept)
    assert step.pending() == []


def test_certificates_of_somebody_else_are_left_alone(make_step, certbot):
    certbot.issue("a.example.com", "a.example.com", DIRECTORY)
    step = make_step("b.example.com")
    step.apply()
    assert step.pending() == []
    assert (certbot.home / "renewal" / "a.example.com.conf").exists()


def test_a_private_directory_is_trusted_beside_the_systems_authorities(
    make_step, certbot, tmp_path
):
    (tmp_path / "ca.pem").write_text("-- private authority --\n")
    step = make_step("a.example.com")
    step.apply()
    bundle = tmp_path / "bundle.pem"
    assert certbot.environments == [{"REQUESTS_CA_BUNDLE": str(bundle)}]
    assert bundle.read_text().startswith("-- private authority --\n")
    (tmp_path / "ca.pem").unlink()
    assert step.pending() == ["authorities of the ACME directory"]
    step.apply()
    assert not bundle.exists()


def test_the_reason_is_the_authoritys_own_or_the_last_that_certbot_said():
    assert reason(FAILURE) == "DNS problem: NXDOMAIN looking up A for b.example.com"
    unreachable = "Saving debug log to x\nAn unexpected error occurred:\nConnection refused\n"
    assert reason(unreachable) == "An unexpected error occurred: Connection refused"
    assert reason("") == "it said nothing"
