"""Runs are timed step by step; one that fails gives no figure; peers leave nothing out."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.provision import ansible, timed_run
from benchmarks.provision.errors import BenchmarkError
from benchmarks.provision.timed_run import Run

PLAYBOOK = ansible.PLAYBOOK.read_text()


def _play(*lines: str) -> Run:
    return Run(0.0, 1.0, tuple((0.1, line) for line in lines))


def _recap(changed: int) -> str:
    return f"tk-1 : ok=3 changed={changed} unreachable=0 failed=0 skipped=0 rescued=0 ignored=0"


def _resources(**wanted: list[str]) -> dict[str, Any]:
    kinds = ("folders", "files", "links", "absents", "units", "steps")
    return {"concerns": {"edge": {kind: wanted.get(kind, []) for kind in kinds}}}


def test_a_step_lasts_until_the_next_one_and_the_last_until_the_end() -> None:
    lines = ((0.5, "== apt"), (1.0, "noise"), (2.5, "== pip"))
    assert Run(100.0, 4.0, lines).steps("==") == [("(start)", 0.5), ("apt", 2.0), ("pip", 1.5)]


def test_what_a_command_prints_and_reads_is_kept(tmp_path: Path) -> None:
    run = timed_run.run(["cat"], cwd=tmp_path, stdin=b"one\ntwo\n")
    assert run.output == "one\ntwo"


def test_a_failed_run_ends_the_benchmark_with_its_last_words(tmp_path: Path) -> None:
    program = "import sys; print('out'); print('the disk is full', file=sys.stderr); sys.exit(3)"
    with pytest.raises(BenchmarkError, match="ended with 3") as caught:
        timed_run.run([sys.executable, "-c", program], cwd=tmp_path)
    assert "the disk is full" in caught.value.hint


def test_a_command_that_stops_reading_early_is_judged_by_its_exit_code(tmp_path: Path) -> None:
    run = timed_run.run(["true"], cwd=tmp_path, stdin=b"x" * 1_000_000)
    assert run.output == ""


def test_tasks_that_changed_something_are_named() -> None:
    heading = "TASK [Make the folders] ****"
    run = _play(heading, "ok: [tk-1] => (item=/a)", "changed: [tk-1] => (item=/b)", _recap(1))
    assert ansible.changed(run) == ["Make the folders"]


def test_a_playbook_with_nothing_to_do_changed_nothing() -> None:
    assert ansible.changed(_play("TASK [x] ****", "ok: [tk-1]", _recap(0))) == []


@pytest.mark.parametrize("lines", [(), ("TASK [x] **", "ok: [tk-1]"), (_recap(2),)])
def test_output_that_does_not_prove_it_is_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(BenchmarkError):
        ansible.changed(_play(*lines))


def test_the_playbook_covers_what_it_names() -> None:
    wanted = _resources(folders=["/etc/caddy"], units=["caddy.service"])
    assert ansible.uncovered(wanted, PLAYBOOK) == []


def test_a_deploy_that_wants_more_than_the_playbook_is_noticed() -> None:
    wanted = _resources(links=["/etc/alternatives/caddy"], steps=["acme", "reload", "x"])
    missing = ansible.uncovered(wanted, PLAYBOOK)
    assert missing == ["concerns.edge.links", "concerns.edge.steps[2]"]


def test_a_run_that_hangs_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seconds in (2.0, 20.0, 60.0):  # on a busy machine it may not have begun when it is ended
        monkeypatch.setattr(timed_run, "TIMEOUT_SECONDS", seconds)
        with pytest.raises(BenchmarkError, match="ended with -9"):
            timed_run.run(["sh", "-c", "sleep 600 & echo $! >child; wait"], cwd=tmp_path)
        if (tmp_path / "child").exists() and (tmp_path / "child").read_text().strip():
            break
    assert _ends(int((tmp_path / "child").read_text()))


def _ends(process: int) -> bool:
    """Whether it is gone within a minute: a signal works when the process next runs."""
    for _ in range(600):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z":
                time.sleep(0.1)
                continue
        return True
    return False


def test_the_recap_of_many_hosts_is_read_for_each():
    second = _recap(2).replace("tk-1", "tk-2")
    run = _play("TASK [x] ****", "ok: [tk-1]", "changed: [tk-2]", _recap(0), second)
    assert ansible.changes(run) == {"tk-1": 0, "tk-2": 2}
    with pytest.raises(BenchmarkError, match="no recap"):
        ansible.changes(_play("TASK [x] ****", "ok: [tk-1]"))
