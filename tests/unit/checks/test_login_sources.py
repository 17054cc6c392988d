"""Whom the checks log in as, from here and on a host; and how both looks become one."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from checks_imitations import Mapped, client
from checks_pocketbase import FakePocketBase, known_to, settings

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.checks import logins
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.credentials import Credentials
from tinykit_ops.checks.http import Client
from tinykit_ops.checks.logins import add_local_sessions, add_sessions
from tinykit_ops.checks.manners import MAX_REQUESTS, ON_HOST_REQUESTS, Manners
from tinykit_ops.checks.model import (
    CannotLook,
    Outcome,
    Vantage,
    Verdict,
    failed,
    passed,
    unknown,
)
from tinykit_ops.checks.registry import all_checks, check_named
from tinykit_ops.checks.runner import InstanceReport, Result, run
from tinykit_ops.checks.session import Session
from tinykit_ops.errors import UsageError


@pytest.fixture
def host_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of secrets of a provisioned host, which this machine plays."""
    config = AgentConfig(settings(), tmp_path)
    monkeypatch.setattr(logins, "own_config", lambda: config)
    return tmp_path


def put(folder: Path, name: str, mode: int = 0o600) -> None:
    (folder / name).write_text("canary-secret\n")
    (folder / name).chmod(mode)


def test_a_host_logs_in_with_what_the_deploy_left_and_beside_the_edge(host_secrets: Path) -> None:
    put(host_secrets, layout.ADMIN_PASSWORD)
    put(host_secrets, layout.SUPERUSER_PASSWORD)
    look = Context()
    add_local_sessions(look, 5.0)
    assert look.account and look.superuser
    assert look.account.is_local
    assert look.account.client.target.url == layout.POCKETBASE_URL
    assert look.account.client.manners is look.superuser.client.manners
    assert look.account.client.manners.limit == ON_HOST_REQUESTS < MAX_REQUESTS
    assert "canary" not in repr(look)


def test_a_secret_that_is_missing_or_shared_leaves_that_account_out(host_secrets: Path) -> None:
    put(host_secrets, layout.SUPERUSER_PASSWORD, mode=0o644)
    look = Context()
    add_local_sessions(look, 5.0)
    assert (look.account, look.superuser) == (None, None)


def test_a_host_without_a_configuration_has_no_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> AgentConfig:
        raise UsageError("This host has no tinykit-ops configuration")

    monkeypatch.setattr(logins, "own_config", missing)
    look = Context()
    add_local_sessions(look, 5.0)
    assert (look.account, look.superuser) == (None, None)


def test_a_person_logs_in_through_the_edge_at_the_builders_domain() -> None:
    you = Credentials("you@example.com", "canary-secret")
    look = Context(client=client(Mapped({})))
    look.settings = settings(
        domains=["apps.example.test"],
        builder_domain="build.example.test",
        edge={"tls": {"mode": "internal"}},
    )
    add_sessions(look, you, you)
    assert look.account and look.superuser
    assert look.account.client.target.host == "build.example.test"
    assert not look.account.is_local
    assert look.superuser.collection == "_superusers"


def test_what_is_asked_once_is_told_again_also_when_it_could_not_be_seen() -> None:
    look, times = Context(), []

    def blind() -> str:
        times.append(1)
        raise CannotLook("no answer")

    for _ in range(3):
        with pytest.raises(CannotLook, match="no answer"):
            look.once("x", blind)
    assert len(times) == 1


GOOD, BAD, BLIND = passed("seen"), failed("seen"), unknown("not seen")


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        (BLIND, GOOD, Outcome.PASS),
        (BLIND, BAD, Outcome.FAIL),
        (GOOD, BLIND, Outcome.PASS),
        (BAD, BLIND, Outcome.FAIL),
        (GOOD, BAD, Outcome.FAIL),
        (BAD, GOOD, Outcome.FAIL),
        (BLIND, BLIND, Outcome.UNKNOWN),
    ],
)
def test_of_two_looks_with_a_login_the_finding_counts_and_never_the_blind_one(
    mine: Verdict, theirs: Verdict, expected: Outcome
) -> None:
    check = check_named("database.batch-off")
    here = InstanceReport("x", (Result(check, mine),), requests=70)
    there = InstanceReport("host", (Result(check, theirs),), requests=14)
    merged = here.with_host(there)
    assert [each.verdict.outcome for each in merged.results] == [expected]
    assert merged.requests == 84


@pytest.mark.parametrize(("prefix", "told"), [("", "127.0.0.1"), ("/_pb", None)])
def test_only_on_the_host_itself_a_session_says_that_it_is_on_loopback(
    prefix: str, told: str | None
) -> None:
    """Docker shows the host's loopback from another address, which superusers may not come from."""
    seen: list[str | None] = []

    class Listens:
        def send(self, *_: object, headers: dict[str, str], **__: object) -> None:
            seen.append(headers.get("X-Forwarded-For"))
            raise CannotLook("nobody answers here")

    session = Session(
        cast(Client, Listens()), prefix, "_superusers", Credentials("a@b.co", "canary-secret")
    )
    with pytest.raises(CannotLook):
        session.login()
    with pytest.raises(CannotLook):
        session.ask("GET", "/api/settings", token="another")
    assert seen == [told, told]


def test_all_that_the_host_asks_of_its_own_pocketbase_is_within_its_budget() -> None:
    server = FakePocketBase(manners=Manners(limit=ON_HOST_REQUESTS))
    chosen = [
        each for each in all_checks() if each.looks_from in {Vantage.ACCOUNT, Vantage.SUPERUSER}
    ]
    report = run(chosen, known_to(server), "the host")
    strange = [each.check.id for each in report.results if each.verdict.outcome != Outcome.PASS]
    assert strange == ["proxy.forwarded-for"]  # reads the proxy's configuration, which is not here
    assert report.requests < ON_HOST_REQUESTS
