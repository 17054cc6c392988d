"""A certificate is late by its days, and a short-lived one by its own life."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tinykit_ops.checks.model import CannotLook
from tinykit_ops.checks.tls import Certificate
from tinykit_ops.settings.watch import WatchSettings
from tinykit_ops.status import certificates
from tinykit_ops.status.model import Level
from tinykit_ops.watch import hostlook
from tinykit_ops.watch.hostlook import certificate_reading, missing_reading
from tinykit_ops.watch.problems import Grade

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def certificate(life: timedelta, left: timedelta, host: str = "apps.example.com") -> Certificate:
    ends = NOW + left
    return Certificate(host, "", "TLSv1.3", (host,), ends - life, ends)


@pytest.mark.parametrize(
    ("life", "left", "bad"),
    [
        (90 * DAY, 11 * DAY, False),
        (90 * DAY, 9 * DAY, True),
        (6 * DAY, 2 * DAY, False),  # renewed just about now
        (6 * DAY, 23 * HOUR, True),
        (12 * HOUR, 3 * HOUR, False),  # of Caddy's own authority
        (12 * HOUR, 1 * HOUR, True),
    ],
)
def test_a_certificate_is_late_when_its_renewal_must_have_failed(
    life: timedelta, left: timedelta, bad: bool
) -> None:
    reading = certificate_reading([certificate(life, left)], WatchSettings(), NOW)
    assert reading.bad is bad


def test_the_settings_name_other_days() -> None:
    wanted = WatchSettings(certificate_days=5)
    assert certificate_reading([certificate(90 * DAY, 6 * DAY)], wanted, NOW).bad is False
    assert certificate_reading([certificate(90 * DAY, 4 * DAY)], wanted, NOW).bad is True


def test_the_late_one_of_several_is_named_and_not_the_one_that_ends_first() -> None:
    short = certificate(6 * DAY, 4 * DAY, "short.example.com")
    late = certificate(90 * DAY, 8 * DAY, "late.example.com")
    reading = certificate_reading([short, late], WatchSettings(), NOW)
    assert reading.bad
    assert reading.text == "the certificate of late.example.com ends in 8.0 days (at least 10.0)"


@pytest.fixture
def edge(make_settings, monkeypatch):
    """edge({name: certificate}) → settings of an instance with two names that shows these."""

    def make(shown):
        def look(name):
            if name not in shown:
                raise CannotLook("TLS alert, internal error")
            return shown[name]

        monkeypatch.setattr(certificates, "_shown", look)
        return make_settings(domains=["a.example.com", "b.example.com"])

    return make


def test_a_name_without_a_certificate_hides_no_other_that_is_late(edge) -> None:
    now = datetime.now(UTC)
    late = Certificate(
        "a.example.com", "", "TLSv1.3", ("a.example.com",), now - 90 * DAY, now + DAY
    )
    settings = edge({"a.example.com": late})
    seen, unseen = hostlook.certificates(settings)
    assert certificate_reading(seen, WatchSettings(), now).bad
    missing = missing_reading(seen, unseen)
    assert missing.bad
    assert "b.example.com" in missing.text
    line = certificates.certificate_line(settings)
    assert (line.level, "a.example.com" in line.text) == (Level.WRONG, True)


def test_a_name_without_a_certificate_is_not_called_fine(edge) -> None:
    now = datetime.now(UTC)
    good = Certificate("a.example.com", "", "TLSv1.3", ("a.example.com",), now, now + 90 * DAY)
    line = certificates.certificate_line(edge({"a.example.com": good}))
    assert (line.level, line.text) == (Level.UNKNOWN, "b.example.com: none is shown")


def test_where_no_name_shows_a_certificate_the_edge_is_down_and_nothing_is_said_of_them(edge):
    settings = edge({})
    seen, unseen = hostlook.certificates(settings)
    assert missing_reading(seen, unseen).bad is None
    with pytest.raises(CannotLook, match=r"a\.example\.com, b\.example\.com"):
        certificates.certificate_line(settings)


@pytest.mark.parametrize("loaded", [True, False])
def test_a_firewall_that_is_gone_is_a_problem_at_once(
    make_settings, monkeypatch, loaded: bool
) -> None:
    monkeypatch.setattr(hostlook, "is_loaded", lambda: loaded)
    (reading,) = hostlook.firewall(make_settings())
    assert (reading.bad, reading.grade) == (not loaded, Grade.CRITICAL)
    assert list(hostlook.firewall(make_settings(firewall={"enabled": False}))) == []
