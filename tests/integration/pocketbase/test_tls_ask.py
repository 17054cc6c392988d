"""Which names the edge may get certificates for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pocketbase_kit import NAMES_A_DAY, Server

ASK = "/api/tinykit-ops/tls-ask"
PROJECTS = {
    "name": "_tk_projects",
    "type": "base",
    "fields": [
        {"name": "domain", "type": "text"},
        {"name": "published_html", "type": "file", "maxSelect": 1, "maxSize": 1_000_000},
    ],
}


@pytest.fixture
def projects(version: str, template: Path, tmp_path: Path) -> Iterator[Server]:
    """A server of its own: what was granted today counts."""
    one = Server(tmp_path, version, template)
    try:
        one.start().pb.call("POST", "/api/collections", json=PROJECTS)
        yield one
    finally:
        one.kill()


def publish(server: Server, *domains: str) -> None:
    page = {"published_html": ("index.html", b"<p>hello")}
    for domain in domains:
        server.pb.create_record("_tk_projects", {"domain": domain}, page)


def asked(server: Server, name: str, **extra: str) -> int:
    answer = server.ask("GET", ASK, params={"domain": name}, **extra)
    assert answer.content == b""
    return int(answer.status_code)


def granted(server: Server) -> list[str]:
    return list(json.loads(server.names_file.read_text())) if server.names_file.exists() else []


def test_the_domain_of_a_published_project_and_its_www_are_granted(projects: Server) -> None:
    publish(projects, "shop.example.com")
    names = ["shop.example.com", "www.shop.example.com", "SHOP.example.com."]
    assert [asked(projects, name) for name in names] == [200, 200, 200]
    assert granted(projects) == ["shop.example.com", "www.shop.example.com"]
    assert projects.names_file.stat().st_mode & 0o777 == 0o600


def test_no_other_name_is_granted(projects: Server) -> None:
    publish(projects, "shop.example.com", "localhost", "127.0.0.1", "a_b.example.com", "")
    projects.pb.create_record("_tk_projects", {"domain": "draft.example.com"})
    for name in (
        "draft.example.com",
        "other.example.com",
        "x.shop.example.com",
        "www.www.shop.example.com",
        "shop.example.com..",
        "shop.example.com:443",
        " shop.example.com",
        "shop.example.com\n",
        "localhost",
        "127.0.0.1",
        "a_b.example.com",
        "%",
        "",
        "x" * 300 + ".example.com",
    ):
        assert asked(projects, name) == 404, name
    assert projects.ask("GET", ASK).status_code == 404
    assert granted(projects) == []


@pytest.mark.parametrize(
    "name",
    [
        "' OR 1=1 --",
        'x" || domain != "',
        "x' UNION SELECT id FROM _tk_projects --",
        "{:name}",
        "shop.example.com' --",
        "shop.example.com\x00",
    ],
)
def test_a_name_is_never_read_as_a_query(projects: Server, name: str) -> None:
    publish(projects, "shop.example.com", name)
    assert asked(projects, name) == 404
    assert asked(projects, "shop.example.com") == 200


def test_only_so_many_new_names_a_day_and_old_ones_are_free(projects: Server) -> None:
    names = [f"n{number}.example.com" for number in range(NAMES_A_DAY + 2)]
    publish(projects, *names)
    assert [asked(projects, name) for name in names] == [200] * NAMES_A_DAY + [429, 429]
    projects.stop()
    projects.start()
    assert [asked(projects, name) for name in names] == [200] * NAMES_A_DAY + [429, 429]
    yesterday = dict.fromkeys(names[:NAMES_A_DAY], "2000-01-01")
    projects.names_file.write_text(json.dumps(yesterday))
    assert [asked(projects, name) for name in names] == [200] * len(names)


def test_a_name_whose_project_is_gone_is_refused_though_it_was_granted(projects: Server) -> None:
    publish(projects, "shop.example.com")
    assert asked(projects, "shop.example.com") == 200
    (project,) = projects.pb.records("_tk_projects")
    projects.pb.update_record("_tk_projects", project["id"], {"published_html": None})
    assert asked(projects, "shop.example.com") == 404


def test_names_asked_for_at_the_same_time_do_not_pass_the_cap(projects: Server) -> None:
    names = [f"n{number}.example.com" for number in range(20)]
    publish(projects, *names)
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda name=name: answers.append(asked(projects, name)))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(200) == NAMES_A_DAY
    assert len(granted(projects)) == NAMES_A_DAY


@pytest.mark.parametrize("broken", ["", "{", "null", "[]", "[1]", '"x"'])
def test_a_broken_file_is_begun_anew(projects: Server, broken: str) -> None:
    publish(projects, "shop.example.com")
    projects.names_file.write_text(broken)
    assert asked(projects, "shop.example.com") == 200
    assert granted(projects) == ["shop.example.com"]


def test_a_name_that_cannot_be_remembered_is_not_granted(projects: Server) -> None:
    publish(projects, "shop.example.com")
    projects.names_file.mkdir()
    assert asked(projects, "shop.example.com") == 429
    assert "cannot remember a name" in projects.log_text()
    projects.names_file.rmdir()
    assert asked(projects, "shop.example.com") == 200


def test_without_the_secret_header_nothing_is_told_or_granted(projects: Server) -> None:
    publish(projects, "shop.example.com")
    assert asked(projects, "shop.example.com", token="wrong") == 403
    assert asked(projects, "unknown.example.com", token="wrong") == 403
    assert granted(projects) == []


def test_without_projects_or_where_it_is_not_in_use_nothing_is_granted(server: Server) -> None:
    assert asked(server, "shop.example.com") == 404
