"""Certificates by ACME on a real host, with Caddy and then with nginx: issued, kept, renewed.

The tests follow one host through its life, so they run in this order.
"""

from __future__ import annotations

import pytest
from acme_support import age
from tests_e2e_support import until

pytestmark = pytest.mark.lab

CAP = 2
RENEWED = 0.6  #: of its life, from when on Caddy may renew a certificate as it starts


@pytest.fixture(scope="module")
def names(instance) -> list[str]:
    return [instance.host.domain, f"www.{instance.host.domain}"]


@pytest.fixture(scope="module")
def caddy(instance, names):
    run = instance.deploy("caddy", names, on_demand=True, new_names_a_day=CAP)
    assert run.code == 0, run.text
    return instance


@pytest.fixture(scope="module")
def nginx(instance, names):
    run = instance.deploy("nginx", names)
    assert run.code == 0, run.text
    return instance


def test_caddy_has_a_certificate_for_each_name_after_the_deploy(caddy, names, roots):
    for name in names:
        assert until(lambda name=name: caddy.trusted(name, roots, late=True)), name


def test_a_restart_of_caddy_keeps_the_certificate(caddy, names, roots):
    # An old one is renewed then; on a slow machine, the first may be old by now.
    for _ in range(3):
        before = caddy.certificate(names[0])
        caddy.host.ssh(["systemctl", "restart", "caddy"])
        was_young = age(before) < RENEWED
        assert caddy.wait_trusted(names[0], roots)
        if was_young:
            break
    assert caddy.serial(names[0]) == before.serial_number


def test_a_name_that_nobody_publishes_gets_no_certificate(caddy):
    assert caddy.certificate(f"app9.{caddy.host.domain}") is None
    assert caddy.certificate("elsewhere.example.com") is None


def test_published_names_get_a_certificate_when_asked_for_up_to_the_daily_cap(
    caddy, roots, tmp_path
):
    token = caddy.token()
    published = [f"app{number}.{caddy.host.domain}" for number in range(1, CAP + 2)]
    for name in published:
        caddy.publish(name, token, tmp_path / "page.html")
    assert [caddy.wait_trusted(name, roots) for name in published[:CAP]] == [True] * CAP
    assert not caddy.wait_trusted(published[-1], roots, seconds=10)
    assert caddy.certificate(published[-1]) is None


def test_caddy_renews_what_has_a_third_of_its_life_left(caddy, names, roots):
    before = caddy.serial(names[0])
    caddy.wait_for_age(names[0], 0.67)
    # It looks every ten minutes, and when it starts.
    caddy.host.ssh(["systemctl", "restart", "caddy"])
    assert until(lambda: caddy.serial(names[0]) not in {None, before})
    assert caddy.wait_trusted(names[0], roots)


def test_nginx_has_a_certificate_for_each_name_after_the_deploy(nginx, names, roots):
    assert [nginx.trusted(name, roots, late=True) for name in names] == [True, True]
    assert len({nginx.serial(name) for name in names}) == 2


def test_a_second_deploy_changes_nothing(nginx, names):
    # A run gets new certificates where one is over, which may be here on a slow machine.
    for _ in range(3):
        before = [nginx.certificate(name) for name in names]
        run = nginx.deploy("nginx", names)
        assert run.code == 0, run.text
        if all(age(one) < 1 for one in before):
            break
    assert run.changed(nginx.host.name) == []
    assert nginx.serial(names[0]) == before[0].serial_number


def test_certbots_own_service_renews_and_nginx_shows_it(nginx, names, roots):
    assert nginx.host.ssh(["systemctl", "is-active", "certbot.timer"]).stdout.strip() == "active"
    before = nginx.serial(names[0])
    nginx.wait_for_age(names[0], 0.6)
    nginx.host.ssh(["systemctl", "start", "certbot.service"])
    assert nginx.serial(names[0]) != before
    assert nginx.trusted(names[0], roots, late=True)
    assert age(nginx.certificate(names[0])) < 1


def test_a_name_without_dns_gets_none_and_takes_nothing_from_the_others(nginx, names, roots):
    run = nginx.deploy("nginx", [*names, "nowhere.lab.test"])
    assert run.code != 0
    assert "nowhere.lab.test: " in run.text
    assert "could not resolve" in run.text
    assert nginx.trusted(names[0], roots, late=True)
    assert not nginx.trusted("nowhere.lab.test", roots)


def test_an_authority_that_is_down_leaves_the_old_certificate_and_the_run_says_why(nginx, names):
    before = nginx.serial(names[0])
    nginx.lab.acme.stop(nginx.lab.names)
    run = nginx.deploy("nginx", [*names, f"build.{nginx.host.domain}"])
    assert run.code != 0
    assert "got no certificate" in run.text
    assert nginx.lab.acme.directory in run.text
    assert nginx.serial(names[0]) == before
