"""The comparison itself: it finds nothing between equals, and every kind of difference."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from contract_kit import App

from tinykit_ops.errors import UsageError
from tinykit_ops.lab.contract_cases import CLAIMED, PROVISIONED, UNCLAIMED
from tinykit_ops.lab.contract_diff import Seen, compare, load, save

SCRIPT = Path(__file__).parents[3] / "scripts" / "contract-diff"


def _diff(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SCRIPT), *words], capture_output=True, text=True, check=False, timeout=900
    )


def test_the_list_covers_every_route_of_the_app() -> None:
    asked = " ".join(case.path for case in [*UNCLAIMED, *CLAIMED, *PROVISIONED])
    source = Path(__file__).parents[3] / "tinykit_ops/lab/contract_app/src/routes.js"
    routes = re.findall(r"\['(/[^']*)'", source.read_text())
    assert len(routes) > 30
    for route in routes:
        pattern = re.sub(r"[:*]\w+", r"[^ ]+", route)
        assert re.search(rf"(^| ){pattern}([?/ ]|$)", asked), route


def test_two_servers_of_the_same_app_do_not_differ(start: Callable[..., App]) -> None:
    one, two = start(), start()
    done = _diff(one.instance.url, two.instance.url)
    count = len(UNCLAIMED) + len(CLAIMED)
    assert (done.stdout.splitlines()[-1], done.returncode) == (
        f"{count} requests, 0 differences",
        0,
    )


def test_an_app_that_closed_a_hole_is_found_out(built: Path, tmp_path: Path) -> None:
    repaired = tmp_path / "repaired"
    shutil.copytree(built, repaired, symlinks=True)
    access = repaired / "build/data/access.js"
    access.write_text(access.read_text().replace("origin.startsWith(start)", "origin === start"))
    done = _diff("apps", str(built), str(repaired))
    assert done.returncode == 1
    assert "contract.test.evil.example" in done.stdout
    assert "status: 201 | 500" in done.stdout


def test_recordings_can_be_kept_and_compared_later(tmp_path: Path) -> None:
    one = Seen("GET /", 200, {"content-type": "text/html"}, {"title": "x"})
    two = Seen("GET /", 404, {"allow": "GET"}, {"title": "y"})
    save([one, one], tmp_path / "one.json")
    save([one, two, one], tmp_path / "two.json")
    assert load(tmp_path / "one.json") == [one, one]
    found = "\n".join(compare(load(tmp_path / "one.json"), load(tmp_path / "two.json")))
    for line in ("status: 200 | 404", "allow: None | GET", "only the second was asked"):
        assert line in found
    done = _diff("compare", str(tmp_path / "one.json"), str(tmp_path / "two.json"))
    assert done.returncode == 1


def test_a_file_that_is_no_recording_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("{}x")
    with pytest.raises(UsageError, match="not a recording"):
        load(tmp_path / "x")


def test_a_server_that_does_not_answer_is_told() -> None:
    done = _diff("http://127.0.0.1:1", "http://127.0.0.1:1")
    assert done.returncode == 69
    assert "did not answer" in done.stderr
