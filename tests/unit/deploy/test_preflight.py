"""What a host must be before anything is changed on it, and how its facts are read."""

import subprocess

import pytest

from tinykit_ops.deploy.preflight import problem_of
from tinykit_ops.deploy.templates import render
from tinykit_ops.errors import UnavailableError, UsageError
from tinykit_ops.ops.host_facts import OURS, HostFacts, SshConnection

GOOD = {"user": "root", "os": "debian", "version": "13", "machine": "x86_64", "init": "systemd"}
GOOD |= {"free_mb": "9000", "clock": "", "people": ""}


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"version": "12", "machine": "aarch64"},
        {"port_80": "caddy", "port_443": "caddy", "port_3000": "MainThread", "units": "ours"},
        {"port_80": "nginx", "port_443": "nginx", "nginx": "ours"},
        {
            "free_mb": "300",
            "port_8091": "pocketbase",
            "units": "ours",
        },  # it has its programs already
        {"port_3000": "docker-proxy", "port_8091": "docker-proxy", "network": "ours"},
        {"pocketbase": "0.23.4"},
        {"pocketbase": "0.40.6"},
    ],
)
def test_a_fit_host_is_taken(make_settings, facts):
    assert problem_of({**GOOD, **facts}, make_settings()) is None


@pytest.mark.parametrize(
    ("facts", "error", "words"),
    [
        ({"user": "admin"}, UsageError, ["as admin", "_sudo"]),
        ({"init": "sh"}, UnavailableError, ["systemd"]),
        ({"os": "ubuntu", "version": "24.04"}, UsageError, ["ubuntu 24.04", "unsupported_os_ok"]),
        ({"version": "11"}, UsageError, ["debian 11"]),
        ({"machine": "riscv64"}, UnavailableError, ["riscv64"]),
        ({"free_mb": "1000"}, UnavailableError, ["1000 MB"]),
        ({"port_3000": "docker-proxy"}, UnavailableError, ["port 3000", "docker-proxy"]),
        ({"port_80": "nginx"}, UnavailableError, ["port 80", "nginx", "disable nginx"]),
        ({"port_443": "apache2"}, UnavailableError, ["port 443", "apache2"]),
        ({"port_3000": "grafana"}, UnavailableError, ["port 3000"]),
        ({"port_3000": "MainThread"}, UnavailableError, ["port 3000", "tinykit-ops adopt"]),
        ({"port_8091": "pocketbase"}, UnavailableError, ["port 8091", "tinykit-ops adopt"]),
        ({"port_443": "caddy"}, UnavailableError, ["port 443", "tinykit-ops adopt"]),
        (
            {"foreign": "pocketbase.service", "units": "ours"},
            UsageError,
            ["/etc/systemd/system/pocketbase.service", "tinykit-ops adopt", "move its file away"],
        ),
        ({"people": "tinykit "}, UsageError, ["logs in here as tinykit"]),
        ({"moved": "web2"}, UsageError, ["to web2", "tinykit-ops migrate web2"]),
        ({"pocketbase": "0.41.0"}, UsageError, ["0.41.0", "is older", "pocketbase-rollback"]),
    ],
)
def test_an_unfit_host_is_refused_with_what_to_do(make_settings, facts, error, words):
    problem = problem_of({**GOOD, **facts}, make_settings())
    assert isinstance(problem, error)
    assert all(word in str(problem) for word in words), str(problem)


def test_another_system_is_taken_when_the_settings_say_so(make_settings):
    facts = {**GOOD, "os": "ubuntu", "version": "24.04"}
    assert problem_of(facts, make_settings(unsupported_os_ok=True)) is None


def test_the_versions_of_pocketbase_are_compared_as_numbers(make_settings):
    facts = {**GOOD, "pocketbase": "0.9.10"}
    assert problem_of(facts, make_settings()) is None


def test_the_facts_of_a_real_system_are_read_by_a_real_shell():
    done = subprocess.run(
        ["sh", "-c", HostFacts().command()], capture_output=True, text=True, check=True
    )
    facts = HostFacts().process(done.stdout.splitlines())
    assert facts["machine"]
    assert int(facts["free_mb"]) > 0
    assert {"os", "version", "init", "user", "clock", "people"} <= set(facts)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# Managed by tinykit-ops.\n[Unit]\n", {"units": "ours"}),
        (
            "[Service]\nExecStart=/srv/tinykit/bin/pocketbase serve\n",
            {"foreign": "tinykit.service"},
        ),
        ("", {}),  # as where it is masked
    ],
)
def test_whose_a_unit_is_its_file_says(tmp_path, text, told):
    (tmp_path / "tinykit.service").write_text(text)
    script = HostFacts().command().replace("/etc/systemd/system", str(tmp_path))
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    facts = HostFacts().process(done.stdout.splitlines())
    assert {name: facts[name] for name in ("units", "foreign") if name in facts} == told


def test_every_unit_of_ours_says_that_it_is(make_settings):
    settings = make_settings()
    more = {"standby": False, "directories": "", "credentials": [], "settings": settings}
    for name in ("pocketbase", "tinykit", "caddy"):
        assert OURS in render(f"systemd/{name}.service.j2", **more)


def test_an_ssh_connection_is_one_line_or_nothing():
    assert SshConnection().process(["203.0.113.7 1 192.0.2.1 22"]).startswith("203")
    assert SshConnection().process([]) == ""
