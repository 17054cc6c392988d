"""The command as a person runs it: words in, text and exit code out, real sockets between."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from checks_certificates import NAME, Authority
from checks_imitations import PICTURE, SHELL, hardened, raw
from checks_site import FAULTS, Site, patience, say
from jsonschema import Draft202012Validator

from tinykit_ops import layout
from tinykit_ops.checks import dial, plan
from tinykit_ops.checks.fleet import HostLook
from tinykit_ops.checks.model import Outcome, passed
from tinykit_ops.checks.registry import all_checks, check_named, select
from tinykit_ops.checks.runner import ON_HOST, InstanceReport, Result
from tinykit_ops.checks.waivers import reported_checks
from tinykit_ops.cli import run
from tinykit_ops.errors import Exit
from tinykit_ops.report import json_format
from tinykit_ops.settings.model import Settings

Serve = Callable[..., Site]
Capture = pytest.CaptureFixture[str]
#: Needs another place to look from, or to be let in.
ELSEWHERE = ("preview", "builder.not-framed", "proxy.same-origin-works", "origin.builder-apart")
WEB = [
    "--only=outside",
    "--only=outsider",
    "--skip=network",
    *(f"--skip={each}" for each in ELSEWHERE),
]
WEB_CHECKS = len(select(["outside", "outsider"], ["network", *ELSEWHERE]))
NOT_HERE = [f"--skip={each}" for each in ("network", *ELSEWHERE)]


@pytest.fixture
def words(serve: Serve, authority: Authority) -> Callable[..., list[str]]:
    """The command line for a site, and the site."""

    def start(answers: object = None, *more: str) -> list[str]:
        site = serve(hardened() if answers is None else answers, tls=authority.context())
        plain = serve({}, say(308, "", location=f"https://{NAME}/"))
        return [
            "check",
            f"https://{NAME}:{site.port}",
            f"--resolve={NAME}:{site.port}:127.0.0.1",
            f"--http-port={plain.port}",
            f"--ca-file={authority.ca_file}",
            *more,
        ]

    return start


def test_all_passed_is_exit_0(words: Callable[..., list[str]], capsys: Capture) -> None:
    assert run(words(None, *WEB)) == Exit.OK
    out = capsys.readouterr().out
    assert f"{WEB_CHECKS} passed, 0 failed, 0 unknown" in out
    assert "\x1b" not in out


def test_a_finding_is_exit_1_with_evidence_and_remedy(
    words: Callable[..., list[str]], capsys: Capture
) -> None:
    answers = {**hardened(), "/setup": SHELL}
    assert run(words(answers, *WEB)) == Exit.FINDINGS
    out = capsys.readouterr().out
    assert "FAIL     Nobody can claim the server through the setup page" in out
    assert "GET /setup answered 200" in out
    assert "remedy (nginx):" in out
    assert f"{WEB_CHECKS - 1} passed, 1 failed, 0 unknown" in out


def test_what_was_not_seen_is_listed_and_exit_2(
    words: Callable[..., list[str]], capsys: Capture
) -> None:
    assert run(words(None, "--skip=origin.builder-apart")) == Exit.COULD_NOT_SEE
    out = capsys.readouterr().out
    for check in select(skip=["origin.builder-apart"]):
        assert check.id in out
    assert "needs to look on the host" in out


def test_a_finding_counts_more_than_what_was_not_seen(words: Callable[..., list[str]]) -> None:
    assert run(words(raw())) == Exit.FINDINGS


def test_json_follows_the_published_schema(
    words: Callable[..., list[str]], capsys: Capture
) -> None:
    code = run(words({**hardened(), "/setup": SHELL}, "--format=json", *NOT_HERE))
    data = json.loads(capsys.readouterr().out)
    schema = json.loads(json_format.SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(data)
    assert data["exit_code"] == code == Exit.FINDINGS
    assert data["summary"]["fail"] == 1
    failing = [each for each in data["instances"][0]["results"] if each["outcome"] == "fail"]
    assert failing[0]["id"] == "builder.setup-closed"
    assert set(failing[0]["remedy"]) == {"by hand", "Caddy", "nginx"}


def test_what_is_not_tinykit_gets_one_request_only(serve: Serve, capsys: Capture) -> None:
    site = serve({}, say(200, "<html>another program</html>"))
    assert run(["check", f"http://127.0.0.1:{site.port}"]) == Exit.UNAVAILABLE
    assert len(site.requests) == 1
    error = capsys.readouterr().err
    assert "does not look like tinykit" in error
    assert "--force" in error


def test_force_goes_on_whatever_answers(serve: Serve, capsys: Capture) -> None:
    site = serve({}, say(200, "<html>another program</html>"))
    code = run(["check", f"http://127.0.0.1:{site.port}", "--force", "--only=builder"])
    assert code == Exit.COULD_NOT_SEE
    assert "note: It does not look like tinykit" in capsys.readouterr().out


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_no_fault_passes_as_tinykit_or_shows_a_traceback(
    serve: Serve, capsys: Capture, fault: str
) -> None:
    site = serve({}, FAULTS[fault])
    code = run(["check", f"http://127.0.0.1:{site.port}", f"--timeout={patience(fault)}"])
    captured = capsys.readouterr()
    assert code == Exit.UNAVAILABLE
    assert "Traceback" not in captured.err
    assert len(site.requests) == 1


def test_nobody_there_is_said_plainly(capsys: Capture) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as one:
        port = one.getsockname()[1]
    assert run(["check", f"https://127.0.0.1:{port}"]) == Exit.UNAVAILABLE
    assert "connection refused" in capsys.readouterr().err


def test_with_a_bad_certificate_the_rest_is_still_looked_at(
    serve: Serve, authority: Authority, capsys: Capture
) -> None:
    site = serve(raw(), tls=authority.context("other.example.test"))
    words = [
        "check",
        f"https://{NAME}:{site.port}",
        f"--resolve={NAME}:{site.port}:127.0.0.1",
        f"--ca-file={authority.ca_file}",
        "--skip=https.redirect",
    ]
    assert run(words) == Exit.FINDINGS
    out = capsys.readouterr().out
    assert "note: The certificate is not valid" in out
    assert re.search(r"FAIL .*https\.certificate", out)
    assert re.search(r"FAIL .*builder\.gated", out)


@pytest.mark.parametrize(
    "bad",
    [
        ["check"],
        ["check", "ftp://x"],
        ["check", "https://x.invalid", "https://y.invalid", "--host"],
        ["check", "https://x.invalid", "https://y.invalid/path"],
        ["check", "https://x.invalid", "https://y.invalid", "--at-once=0"],
        ["check", "https://x.invalid", "--only=nosuch"],
        ["check", "https://x.invalid", "--timeout=0"],
        ["check", "https://x.invalid", "--format=word"],
        ["check", "https://x.invalid", "--ca-file=/nonexistent"],
        ["check", "https://x.invalid", "--resolve=x"],
        ["check", "https://x.invalid", "--inventory=/nonexistent.py"],
        ["check", "--host", "--only=outside"],
        ["check", "explain"],
        ["check", "explain", "nosuch"],
    ],
)
def test_wrong_words_are_exit_64(bad: list[str], capsys: Capture) -> None:
    assert run(bad) == Exit.USAGE
    assert capsys.readouterr().err.strip()


def test_a_ca_file_without_certificates_is_the_users_mistake(
    tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nothing")
    assert run(["check", "https://x.invalid", f"--ca-file={file}"]) == Exit.USAGE
    assert "--ca-file" in capsys.readouterr().err


def test_a_namespace_that_does_not_exist_is_said_plainly(
    words: Callable[..., list[str]], capsys: Capture
) -> None:
    assert run(words(None, "--from-netns=tinykit-ops-none")) == Exit.USAGE
    assert "ip netns list" in capsys.readouterr().err


def test_list_and_explain_need_no_instance(capsys: Capture) -> None:
    assert run(["check", "list"]) == Exit.OK
    assert len(capsys.readouterr().out.splitlines()) == len(reported_checks())
    assert run(["check", "explain", "https.redirect"]) == Exit.OK
    assert "Plain HTTP leads to HTTPS" in capsys.readouterr().out
    assert run(["check", "--help"]) == Exit.OK
    out = capsys.readouterr().out
    assert "--resolve" in out
    assert "explain" in out


def test_on_a_machine_that_is_no_host_nothing_passes_by_accident(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This machine has no /etc/tinykit-ops, so its host checks see nothing good of tinykit."""
    # Somebody may have tried an agent's command here, which leaves the folder for its locks.
    monkeypatch.setattr(layout, "LOCK_DIR", str(tmp_path / "locks"))
    code = run(["check", "--host", "--format=json", "--only=secrets", "--only=backups"])
    data = json.loads(capsys.readouterr().out)
    assert code in (Exit.FINDINGS, Exit.COULD_NOT_SEE)
    assert data["summary"]["pass"] == 0
    assert data["instances"][0]["requests"] == 0


# An inventory.


def settings() -> Settings:
    return Settings.model_validate(
        {
            "domains": [NAME],
            "admin_email": "you@example.com",
            "app": {"git": "https://git.example.com/tinykit", "commit": "0" * 40},
            "edge": {"tls": {"mode": "internal"}},
        }
    )


def agent_report() -> InstanceReport:
    on_host = [check for check in all_checks() if check.looks_from in ON_HOST]
    return InstanceReport("host", tuple(Result(each, passed("seen there")) for each in on_host))


@pytest.fixture
def inventory(tmp_path: Path) -> str:
    file = tmp_path / "lab.py"
    file.write_text("hosts = []\n")
    return f"--inventory={file}"


def test_outside_and_host_become_one_report(
    words: Callable[..., list[str]],
    inventory: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    looks = [HostLook("tk-1", settings(), agent_report())]
    monkeypatch.setattr(plan, "look_at_hosts", lambda *_, **__: looks)
    code = run(words(None, inventory, *NOT_HERE, "--format=json"))
    data = json.loads(capsys.readouterr().out)
    assert code == Exit.OK
    on_host = {each.check for each in agent_report().results}
    assert data["summary"] == {
        "pass": len({*select(skip=["network", *ELSEWHERE]), *on_host}),
        "fail": 0,
        "unknown": 0,
        "waived": 0,
    }


def test_a_host_that_cannot_be_asked_stays_unknown_and_the_reason_is_shown(
    words: Callable[..., list[str]],
    inventory: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    looks = [HostLook("tk-1", settings(), None, "no connection to tk-1: refused")]
    monkeypatch.setattr(plan, "look_at_hosts", lambda *_, **__: looks)
    assert run(words(None, inventory, *NOT_HERE)) == Exit.COULD_NOT_SEE
    out = capsys.readouterr().out
    assert "note: no connection to tk-1: refused" in out
    assert "- no connection to tk-1: refused" in out


def test_an_address_that_no_host_serves_is_refused(
    words: Callable[..., list[str]], inventory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = [HostLook(name, settings(), agent_report()) for name in ("tk-1", "tk-2")]
    monkeypatch.setattr(plan, "look_at_hosts", lambda *_, **__: looks)
    assert run(words(None, inventory)) == Exit.USAGE


def test_host_and_inventory_exclude_each_other(inventory: str) -> None:
    assert run(["check", "--host", inventory]) == Exit.USAGE


def test_a_wrong_inventory_is_said_plainly(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "wrong.py"
    file.write_text('hosts = [("@local", {"tinykit": {"domain": "x"}})]\n')
    assert run(["check", f"--inventory={file}"]) == Exit.USAGE
    error = capsys.readouterr().err
    assert "domain" in error
    assert "Traceback" not in error


def test_an_agent_that_is_not_there_is_unknown(
    words: Callable[..., list[str]], tmp_path: Path, capsys: Capture
) -> None:
    """pyinfra's own @local connector, and this machine, which has no agent."""
    data = json.dumps(settings().model_dump(mode="json", exclude_none=True))
    file = tmp_path / "local.py"
    file.write_text(f"import json\nhosts = [('@local', {{'tinykit': json.loads({data!r})}})]\n")
    code = run(words(None, f"--inventory={file}", *NOT_HERE))
    captured = capsys.readouterr()
    assert code == Exit.COULD_NOT_SEE, captured.err
    assert "note: the agent on @local said:" in captured.out
    code = run(words(None, f"--inventory={file}", "--only=builder.gated"))
    captured = capsys.readouterr()
    assert code == Exit.OK, captured.err
    assert "agent" not in captured.out
    assert "1 passed, 0 failed, 0 unknown" in captured.out


# Merging.


def test_a_host_cannot_overrule_what_was_seen_from_outside() -> None:
    redirect = check_named("https.redirect")
    mine = InstanceReport("x", (Result(redirect, failed_redirect()),))
    theirs = InstanceReport("host", (Result(redirect, passed("trust me")),))
    merged = mine.with_host(theirs)
    assert [each.verdict.outcome for each in merged.results] == [Outcome.FAIL]


def failed_redirect() -> object:
    from tinykit_ops.checks.model import failed

    return failed("it served a page")


# Another network namespace.


@pytest.fixture
def namespace() -> object:
    """A network namespace of this test's own, with loopback up."""
    name = f"tkops-test-{socket.gethostname()[:8]}-{os.getpid()}-{id(object())}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.fail(f"this test needs root and iproute2: {made.stderr}")
    subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
    yield name
    subprocess.run(["ip", "netns", "del", name], check=True)


def test_sockets_of_a_namespace_live_there_and_the_process_stays_here(namespace: str) -> None:
    there = dial.Namespace(namespace)
    with socket.create_server(("127.0.0.1", 0)) as here:
        address = here.getsockname()
        with pytest.raises(ConnectionRefusedError):
            there.dial(*address, timeout=60)
        dial.Here().dial(*address, timeout=60).close()


def test_what_a_stranger_in_a_namespace_sees_decides(
    words: Callable[..., list[str]], namespace: str, capsys: Capture
) -> None:
    """Nothing listens in there, so what is open here is not seen from there."""
    line = words(None, f"--from-netns={namespace}", "--only=builder.gated")
    assert run(line) == Exit.COULD_NOT_SEE
    assert "connection refused" in capsys.readouterr().out


def test_a_placeholder_alone_is_recognised(serve: Serve) -> None:
    site = serve({"/_tk/assets/placeholder.jpg": PICTURE})
    assert (
        run(["check", f"http://127.0.0.1:{site.port}", "--only=builder.no-way-around"]) == Exit.OK
    )
