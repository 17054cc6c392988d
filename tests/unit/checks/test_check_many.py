"""Several addresses in one run: bounded, each told when it was seen, none in another's way."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from checks_certificates import Authority
from checks_imitations import SHELL, hardened
from checks_site import Answers, Site
from jsonschema import Draft202012Validator

from tinykit_ops.checks import many
from tinykit_ops.checks.many import look_at_each, without_evidence
from tinykit_ops.checks.model import Outcome, failed, passed
from tinykit_ops.checks.plan import Plan
from tinykit_ops.checks.registry import check_named
from tinykit_ops.checks.runner import InstanceReport, Report, Result
from tinykit_ops.cli import run
from tinykit_ops.errors import Exit
from tinykit_ops.report import json_format

Capture = pytest.CaptureFixture[str]
Serve = Callable[..., Site]
ONE = "builder.setup-closed"
OPEN = {**hardened(), "/setup": SHELL}


@pytest.fixture
def start(serve: Serve, authority: Authority) -> Callable[..., list[str]]:
    """Puts instances on the web, and gives the command line for all of them."""

    def words(*answers: Answers, only: str = ONE) -> list[str]:
        names = [f"apps{number}.example.test" for number in range(len(answers))]
        sites = [serve(each, tls=authority.context(*names)) for each in answers]
        places = list(zip(names, sites, strict=True))
        return [
            "check",
            *(f"https://{name}:{site.port}" for name, site in places),
            *(f"--resolve={name}:{site.port}:127.0.0.1" for name, site in places),
            f"--ca-file={authority.ca_file}",
            f"--only={only}",
        ]

    return words


def test_every_instance_is_told_and_the_worst_counts(
    start: Callable[..., list[str]], capsys: Capture
) -> None:
    assert run(start(hardened(), OPEN)) == Exit.FINDINGS
    out = capsys.readouterr().out
    assert "GET /setup answered 200" in out
    first, second = sorted(line for line in out.splitlines() if ": " in line and "https" in line)
    assert first.startswith("https://apps0.") and first.endswith(": All passed")
    assert second.startswith("https://apps1.") and second.endswith(": 1 finding to mend")
    assert "1 passed, 1 failed, 0 unknown" in out


def test_an_instance_that_does_not_answer_is_unknown_and_the_others_are_seen(
    start: Callable[..., list[str]], capsys: Capture
) -> None:
    words = [*start(hardened()), "https://nobody.invalid", "--format=json"]
    assert run(words) == Exit.COULD_NOT_SEE
    seen = {each["target"]: each for each in json.loads(capsys.readouterr().out)["instances"]}
    assert seen["https://nobody.invalid"]["results"][0]["outcome"] == "unknown"
    assert "does not answer" in seen["https://nobody.invalid"]["results"][0]["evidence"][0]
    assert sorted(each["summary"]["pass"] for each in seen.values()) == [0, 1]


def test_a_line_an_instance_follows_the_schema(
    start: Callable[..., list[str]], capsys: Capture
) -> None:
    assert run([*start(hardened(), OPEN), "--format=jsonl"]) == Exit.FINDINGS
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    schema = Draft202012Validator(json.loads(json_format.SCHEMA.read_text()))
    for line in lines:
        schema.validate(line)
    assert sorted(line["exit_code"] for line in lines) == [Exit.OK, Exit.FINDINGS]


def test_a_file_holds_all_of_them_by_name(
    start: Callable[..., list[str]], tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "all.json"
    run([*start(OPEN, hardened()), "--format=json", f"--output={file}"])
    targets = [each["target"] for each in json.loads(file.read_text())["instances"]]
    assert len(targets) == 2
    assert targets == sorted(targets)
    assert capsys.readouterr().out == ""


def test_a_baseline_knows_each_of_them(
    start: Callable[..., list[str]], tmp_path: Path, capsys: Capture
) -> None:
    words, before = start(OPEN, hardened()), tmp_path / "before.json"
    run([*words, f"--save={before}"])
    capsys.readouterr()
    assert run([*words, f"--baseline={before}"]) == Exit.OK
    assert "0 new findings, 0 fixed" in capsys.readouterr().out


def test_nobodys_password_is_shown_to_several_servers(
    start: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("TINYKIT_OPS_CHECK_ACCOUNT_EMAIL", "you@example.com")
    monkeypatch.setenv("TINYKIT_OPS_CHECK_ACCOUNT_PASSWORD", "canary-password")
    assert run(start(hardened(), hardened())) == Exit.USAGE
    error = capsys.readouterr().err
    assert "One account is not tried on several instances" in error
    assert "canary" not in error


def report(url: str) -> Report:
    return Report((InstanceReport(url, (Result(check_named(ONE), passed("seen")),)),))


def test_an_instance_is_told_while_a_slower_one_is_still_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = threading.Event()

    def examine_one(plan: Plan, *_: object) -> InstanceReport:
        if "slow" in plan.url:
            assert told.wait(60)
        return report(plan.url).instances[0]

    monkeypatch.setattr(many, "examine_one", examine_one)
    looks = look_at_each(Plan(only=[ONE]), ["https://slow.test", "https://fast.test"], 2)
    assert next(looks).target == "https://fast.test"
    told.set()
    assert [each.target for each in looks] == ["https://slow.test"]


def test_no_more_than_that_many_are_looked_at_side_by_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together = threading.Barrier(3)
    running, most, lock = [0], [0], threading.Lock()

    def examine_one(plan: Plan, *_: object) -> InstanceReport:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        together.wait(60)  # passes only when three are there
        with lock:
            running[0] -= 1
        return report(plan.url).instances[0]

    monkeypatch.setattr(many, "examine_one", examine_one)
    urls = [f"https://apps{number}.test" for number in range(9)]
    looks = list(look_at_each(Plan(only=[ONE]), [*urls, *urls], 3))
    assert sorted(each.target for each in looks) == urls
    assert most == [3]


def test_what_was_told_counts_the_same_without_its_evidence() -> None:
    results = (
        Result(check_named(ONE), failed("a finding"), bug="Traceback"),
        Result(check_named("https.hsts"), passed("a header")),
    )
    whole = InstanceReport("https://a.test", results, remarks=("a remark",))
    bare = without_evidence(whole)
    for outcome in Outcome:
        assert len(bare.having(outcome)) == len(whole.having(outcome))
    assert Report((bare,)).exit_code == Report((whole,)).exit_code
    assert "a finding" not in repr(bare)
    assert without_evidence(replace(whole, target="https://b.test")).results[0] is bare.results[0]
