"""Files of the old install go out of the way of a deploy, and come back."""

from __future__ import annotations

import pytest

from tinykit_ops import layout
from tinykit_ops.adopt import aside
from tinykit_ops.adopt.aside import Aside
from tinykit_ops.adopt.model import Install, Piece

THEIRS, OURS = "[Service]\nExecStart=theirs\n", "# Managed by tinykit-ops.\n[Service]\n"
INSTALL = Install(
    system="debian 13",
    layout="systemd",
    pieces=(Piece(kind="unit", name="kit.service", roles=("tinykit",)),),
)


@pytest.fixture
def host(tmp_path, monkeypatch):
    """The folders of a host, and what keeps its files."""
    units, caddy = tmp_path / "systemd", tmp_path / "caddy"
    units.mkdir()
    caddy.mkdir()
    monkeypatch.setattr(aside, "UNITS", units)
    monkeypatch.setattr(layout, "CADDY_CONFIG", str(caddy / "Caddyfile"))
    monkeypatch.setattr(layout, "POCKETBASE_COMMAND", str(tmp_path / "pocketbase"))
    (units / "kit.service").write_text(THEIRS)
    (units / "pocketbase.service").write_text(THEIRS)
    (units / "pocketbase.service.d").mkdir()
    (units / "pocketbase.service.d" / "more.conf").write_text("[Service]\n")
    (caddy / "Caddyfile").write_text("example.com\n")
    (tmp_path / "pocketbase").write_text("a binary")
    return tmp_path


def put(host):
    Aside(host / "kept", INSTALL).put()


def restore(host):
    Aside(host / "kept", INSTALL).restore()


def files(host):
    return {
        str(path.relative_to(host)): path.read_text()
        for path in host.rglob("*")
        if path.is_file() and "kept" not in path.parts
    }


def deploy(host):
    """What a deploy writes."""
    (host / "systemd" / "pocketbase.service").write_text(OURS)
    (host / "systemd" / "tinykit.service").write_text(OURS)
    (host / "caddy").mkdir(exist_ok=True)
    (host / "caddy" / "Caddyfile").write_text(OURS)
    (host / "pocketbase").write_text("#!/bin/sh\n# Managed by tinykit-ops.\n")


def test_all_that_a_deploy_would_overwrite_comes_back_as_it_was(host):
    before = files(host)
    put(host)
    assert files(host) == {}
    deploy(host)
    restore(host)
    assert files(host) == before


def test_doing_it_again_takes_no_file_of_ours_for_theirs(host):
    before = files(host)
    put(host)
    deploy(host)
    put(host)
    restore(host)
    assert files(host) == before


def test_a_run_that_was_killed_half_way_is_gone_on_with(host):
    before = files(host)
    put(host)
    (host / "systemd" / "kit.service").write_text(THEIRS)  # killed before the first was removed
    put(host)
    restore(host)
    assert files(host) == before


def test_a_host_without_such_files_has_none_afterwards(host):
    for path in list(files(host)):
        (host / path).unlink()
    put(host)
    deploy(host)
    restore(host)
    assert files(host) == {}
