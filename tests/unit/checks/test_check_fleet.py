"""Whole inventories: every instance is looked at, whatever the others do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from checks_certificates import NAME, Authority
from checks_imitations import hardened
from checks_site import Site, say

from tinykit_ops.checks import plan
from tinykit_ops.checks.fleet import HostLook
from tinykit_ops.checks.model import passed
from tinykit_ops.checks.registry import all_checks
from tinykit_ops.checks.runner import ON_HOST, InstanceReport, Result
from tinykit_ops.checks.target import Target, parse_target
from tinykit_ops.cli import run
from tinykit_ops.errors import Exit
from tinykit_ops.settings.model import Settings

Serve = Callable[..., Site]
ONLY = ("--only=builder.setup-closed", "--only=versions.agent")


def settings(domain: str) -> Settings:
    return Settings.model_validate(
        {
            "domains": [domain],
            "admin_email": "you@example.com",
            "app": {"git": "https://git.example.com/tinykit", "commit": "0" * 40},
            "edge": {"tls": {"mode": "internal"}},
        }
    )


def seen_by_agent(host: str) -> InstanceReport:
    on_host = [each for each in all_checks() if each.looks_from in ON_HOST]
    good = (Result(each, passed("seen")) for each in on_host if each.id == "versions.agent")
    return InstanceReport(host, tuple(good))


@pytest.fixture
def fleet(
    serve: Serve, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """The words for an inventory of seven: one is tinykit, one is not, the others are down."""
    names = [NAME, *(f"apps-{number}.example.test" for number in range(2, 8))]
    looks = [HostLook(f"tk-{name}", settings(name), seen_by_agent(name)) for name in names]
    site = serve(hardened(), tls=authority.context())
    other = serve({}, say(200, "another program"), tls=authority.context(names[1]))
    ports = {NAME: site.port, names[1]: other.port}

    def aim(url: str, **_: object) -> Target:
        target = parse_target(url)
        port = ports.get(target.host, 1)
        return replace(target, port=port, overrides={(target.host, port): ("127.0.0.1",)})

    monkeypatch.setattr(plan, "look_at_hosts", lambda *_, **__: looks)
    monkeypatch.setattr(plan, "parse_target", aim)
    (tmp_path / "inventory.py").write_text("hosts = []\n")
    return [
        "check",
        f"--inventory={tmp_path}/inventory.py",
        f"--ca-file={authority.ca_file}",
        *ONLY,
    ]


def test_an_instance_that_is_down_does_not_hide_the_others_nor_its_own_host(
    fleet: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*fleet, "--format=json"]) == Exit.COULD_NOT_SEE
    told = json.loads(capsys.readouterr().out)["instances"]
    seen = [{each["id"]: each["outcome"] for each in one["results"]} for one in told]
    assert [each["versions.agent"] for each in seen] == ["pass"] * 7
    assert [each["builder.setup-closed"] for each in seen] == ["pass", *["unknown"] * 6]
    assert [one["target"] for one in told][:2] == [f"https://{NAME}", "https://apps-2.example.test"]


def test_why_an_instance_was_not_seen_is_said(
    fleet: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run(fleet)
    said = capsys.readouterr().out
    assert "This does not look like tinykit, so nothing more was asked" in said
    assert said.count("- The instance does not answer") == 5


def test_an_instance_that_was_asked_for_by_its_address_must_answer(
    fleet: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*fleet, "https://apps-7.example.test"]) == Exit.UNAVAILABLE
    assert "does not answer" in capsys.readouterr().err
