"""The words of the command line about reports, with a real site behind."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from checks_imitations import SHELL, hardened
from checks_site import Site

from tinykit_ops.checks.registry import all_checks
from tinykit_ops.checks.waivers import CHECK
from tinykit_ops.cli import run
from tinykit_ops.errors import Exit
from tinykit_ops.report import formats

Serve = Callable[..., Site]
Capture = pytest.CaptureFixture[str]
WAIVER = """
[[waiver]]
id = "builder.setup-closed"
scope = "127.0.0.1"
reason = "Set up by hand next week"
until = 2999-12-31
"""


@pytest.fixture
def words(serve: Serve) -> Callable[..., list[str]]:
    """The command line for a site, hardened or with an open set-up page."""

    def start(*more: str, is_open: bool = True) -> list[str]:
        answers = {**hardened(), "/setup": SHELL} if is_open else hardened()
        only = "--only=builder.setup-closed"
        return ["check", f"http://127.0.0.1:{serve(answers).port}", only, "--force", *more]

    return start


def same_target(before: Path, line: list[str]) -> None:
    """Ports differ between the sites of a test; a real instance keeps its address."""
    data = json.loads(before.read_text())
    data["instances"][0]["target"] = line[1]
    before.write_text(json.dumps(data))


def test_a_report_goes_into_a_file_for_its_owner_alone(
    words: Callable[..., list[str]], tmp_path: Path, capsys: Capture
) -> None:
    for form in formats():
        path = tmp_path / form
        assert run(words(f"--format={form}", f"--output={path}")) == Exit.FINDINGS
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "1 finding to mend" in captured.err
        assert "setup-closed" in path.read_text()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_costs_no_request(serve: Serve, tmp_path: Path) -> None:
    site = serve(hardened())
    for option in ("--output", "--save"):
        line = ["check", f"http://127.0.0.1:{site.port}", f"{option}={tmp_path}/none/x"]
        assert run(line) == Exit.CANNOT_CREATE
    assert site.requests == []


def test_the_second_night_tells_only_what_is_new(
    words: Callable[..., list[str]], tmp_path: Path, capsys: Capture
) -> None:
    last = tmp_path / "last.json"
    assert run(words(f"--save={last}")) == Exit.FINDINGS
    line = words(f"--baseline={last}", f"--save={last}")
    same_target(last, line)
    capsys.readouterr()
    assert run(line) == Exit.OK
    out = capsys.readouterr().out
    assert "0 new findings, 0 fixed, compared with last.json" in out
    assert "FAIL" not in out
    line = words(f"--baseline={last}", is_open=False)
    same_target(last, line)
    assert run(line) == Exit.OK
    out = capsys.readouterr().out
    assert "0 new findings, 1 fixed" in out
    assert "\nfixed\n" in out


def test_saving_keeps_everything_although_differences_are_shown(
    words: Callable[..., list[str]], tmp_path: Path
) -> None:
    last = tmp_path / "last.json"
    run(words(f"--save={last}"))
    line = words(f"--baseline={last}", f"--save={last}")
    same_target(last, line)
    run(line)
    assert json.loads(last.read_text())["summary"]["fail"] == 1


def test_metrics_of_differences_are_refused(
    words: Callable[..., list[str]], tmp_path: Path
) -> None:
    last = tmp_path / "last.json"
    run(words(f"--save={last}"))
    assert run(words(f"--baseline={last}", "--format=prometheus")) == Exit.USAGE


def test_a_waived_finding_is_exit_0_and_shown_as_waived(
    words: Callable[..., list[str]], tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text(WAIVER)
    assert run(words(f"--waivers={path}")) == Exit.OK
    out = capsys.readouterr().out
    assert "waived   Nobody can claim the server" in out
    assert "waived until 2999-12-31: Set up by hand next week" in out
    assert "1 passed, 0 failed, 0 unknown, 1 waived" in out


def test_an_expired_waiver_is_exit_1(
    words: Callable[..., list[str]], tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text(WAIVER.replace("2999", "1999"))
    assert run(words(f"--waivers={path}", is_open=False)) == Exit.FINDINGS
    assert "ended on 1999-12-31" in capsys.readouterr().out


def test_fail_on_a_severity_leaves_milder_findings_out_of_the_exit_code(
    words: Callable[..., list[str]], tmp_path: Path
) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text(WAIVER.replace("2999", "1999"))
    line = [f"--waivers={path}", "--fail-on=high"]
    assert run(words(*line, is_open=False)) == Exit.OK
    assert run(words(*line)) == Exit.FINDINGS


@pytest.mark.parametrize("option", ["--waivers", "--baseline"])
def test_files_that_are_wrong_cost_no_request(serve: Serve, tmp_path: Path, option: str) -> None:
    site = serve(hardened())
    path = tmp_path / "wrong"
    path.write_text("][")
    for name in (path, tmp_path / "none"):
        assert run(["check", f"http://127.0.0.1:{site.port}", f"{option}={name}"]) == Exit.USAGE
    assert site.requests == []


def test_list_and_explain_know_the_check_of_the_waivers(capsys: Capture) -> None:
    assert run(["check", "list"]) == Exit.OK
    assert CHECK.id in capsys.readouterr().out
    assert run(["check", "explain", CHECK.id]) == Exit.OK
    assert CHECK.title in capsys.readouterr().out


def test_explain_names_what_was_meant(capsys: Capture) -> None:
    wanted = all_checks()[0].id
    assert run(["check", "explain", wanted + "d"]) == Exit.USAGE
    assert f"{wanted} is near" in capsys.readouterr().err


def test_the_schema_is_printed(capsys: Capture) -> None:
    assert run(["check", "schema"]) == Exit.OK
    assert json.loads(capsys.readouterr().out)["title"] == "Report of `tinykit-ops check`"
