"""`/.well-known/security.txt`: what RFC 9116 wants, and an expiry that deploys renew."""

from datetime import date, datetime, timedelta

import pytest

from tinykit_ops.edge.plan import sites
from tinykit_ops.edge.security_txt import security_txt

CONTACT = {"security_txt": {"contact": ["mailto:security@example.com"]}}


@pytest.fixture
def settings(make_settings):
    return make_settings(edge=CONTACT)


def expiry(settings, today: date) -> date:
    (line,) = [
        line for line in security_txt(settings, today).splitlines() if line.startswith("Expires: ")
    ]
    return datetime.strptime(line, "Expires: %Y-%m-%dT%H:%M:%SZ").date()


def months_later(day: date, months: int) -> date:
    """The first of a month, so that lengths of months do not matter."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


EVERY_DAY = [date(2026, 1, 1) + timedelta(days=number) for number in range(4 * 366)]


def test_the_expiry_is_always_six_to_nine_months_ahead(settings):
    for today in EVERY_DAY:
        expires = expiry(settings, today)
        assert months_later(today, 7) <= expires <= months_later(today, 9), today
        assert expires - today > timedelta(days=180), today
        assert expires - today < timedelta(days=365), today  # what the RFC recommends


def test_the_expiry_is_the_same_all_quarter_long_so_that_a_second_deploy_changes_nothing(settings):
    quarters = {(day.year, (day.month - 1) // 3, expiry(settings, day)) for day in EVERY_DAY}
    days = {(day.year, (day.month - 1) // 3) for day in EVERY_DAY}
    assert len(quarters) == len(days)


def test_each_new_quarter_renews_the_expiry(settings):
    firsts = [date(year, month, 1) for year in (2026, 2027) for month in (1, 4, 7, 10)]
    expiries = [expiry(settings, first) for first in firsts]
    assert expiries == sorted(set(expiries))


@pytest.mark.parametrize(
    ("today", "expires"),
    [
        (date(2026, 1, 1), date(2026, 10, 1)),
        (date(2026, 3, 31), date(2026, 10, 1)),
        (date(2026, 4, 1), date(2027, 1, 1)),
        (date(2026, 9, 30), date(2027, 4, 1)),
        (date(2026, 12, 31), date(2027, 7, 1)),
        (date(2027, 1, 1), date(2027, 10, 1)),
        (date(2028, 2, 29), date(2028, 10, 1)),
    ],
)
def test_the_ends_of_quarters_and_years(settings, today, expires):
    assert expiry(settings, today) == expires


def test_it_names_contacts_best_first_languages_policy_and_where_it_is_valid(make_settings):
    wanted = {
        "contact": ["https://example.com/report", "mailto:security@example.com"],
        "languages": ["en", "pt-BR"],
        "policy": "https://example.com/policy",
    }
    settings = make_settings(
        domains=["apps.example.com", "shop.example.com"],
        builder_domain="build.example.com",
        edge={"security_txt": wanted},
    )
    assert security_txt(settings, date(2026, 5, 5)) == (
        "Contact: https://example.com/report\n"
        "Contact: mailto:security@example.com\n"
        "Expires: 2027-01-01T00:00:00Z\n"
        "Preferred-Languages: en, pt-BR\n"
        "Policy: https://example.com/policy\n"
        "Canonical: https://build.example.com/.well-known/security.txt\n"
        "Canonical: https://apps.example.com/.well-known/security.txt\n"
        "Canonical: https://shop.example.com/.well-known/security.txt\n"
    )


def test_without_settings_the_path_belongs_to_the_published_app(make_settings):
    settings = make_settings()
    assert security_txt(settings) == ""
    assert all(row.route.name != "security-txt" for site in sites(settings) for row in site.rows)


def test_every_site_answers_it_also_the_published_ones(make_settings):
    settings = make_settings(edge=CONTACT, builder_domain="build.example.com")
    for site in sites(settings):
        (row,) = [row for row in site.rows if row.route.name == "security-txt"]
        assert row.answer is not None
        assert row.answer.body == security_txt(settings)
        assert row.answer.content_type.startswith("text/plain")
