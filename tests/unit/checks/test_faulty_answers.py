"""Answers that look like refusals or like PocketBase's, and prove nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from checks_imitations import Mapped, client, verdict
from checks_pocketbase import FakePocketBase, known_to
from checks_site import FAULTS, Site

from tinykit_ops.checks.model import CannotLook, Outcome
from tinykit_ops.checks.tls import old_protocol


def test_a_login_that_has_ended_does_not_prove_that_the_key_is_unreadable() -> None:
    refused = (401, {"data": {}})
    server = FakePocketBase(answers={"GET /api/collections/users/records/u1": refused})
    assert verdict("secrets.llm-key-unreadable", known_to(server)).outcome == Outcome.UNKNOWN
    server = FakePocketBase(answers={"GET /api/settings": refused})
    assert verdict("secrets.key-not-in-database", known_to(server)).outcome == Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("rateLimits", {"enabled": True, "rules": None}),
        ("rateLimits", {"enabled": True, "rules": [7]}),
        ("rateLimits", []),
        ("trustedProxy", {"headers": [None]}),
        ("superuserIPs", "127.0.0.1"),
    ],
)
def test_settings_of_other_types_are_unknown_and_no_bug(section: str, value: Any) -> None:
    server = FakePocketBase()
    server.settings[section] = value
    seen = verdict("authentication.login-limited", known_to(server))
    assert seen.outcome == Outcome.UNKNOWN


@pytest.mark.parametrize("change", [{"fields": None}, {"fields": [7]}, {"otp": "on"}])
def test_collections_of_other_types_are_unknown_and_no_bug(change: dict[str, Any]) -> None:
    server = FakePocketBase()
    server.collections["users"] |= change
    for check in ("authentication.password-length", "authentication.only-passwords"):
        assert verdict(check, known_to(server)).outcome == Outcome.UNKNOWN


def test_a_server_that_only_hangs_up_has_not_refused_an_old_protocol(
    serve: Callable[..., Site],
) -> None:
    site = serve({}, FAULTS["resets"])
    with pytest.raises(CannotLook):
        old_protocol(client(Mapped({443: site.port}), timeout=1), "TLSv1")
