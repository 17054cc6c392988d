"""What the model knows is what people are told: explain, schema, reference page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinykit_ops.cli import run
from tinykit_ops.errors import UsageError
from tinykit_ops.settings.explain import explain
from tinykit_ops.settings.fields import all_fields
from tinykit_ops.settings.reference import reference

ROOT = Path(__file__).parents[3]


def test_a_key_is_explained_with_type_bounds_default_and_example() -> None:
    text = explain("firewall.ssh_port")
    for words in ("sshd", "whole number, 1 to 65535", "default: 22", "example: 22"):
        assert words in text


def test_a_required_key_says_so() -> None:
    assert "required" in explain("domains")
    assert "default" not in explain("domains")


def test_choices_are_listed() -> None:
    assert 'one of "acme", "internal", "files"' in explain("edge.tls.mode")


def test_a_section_lists_what_is_directly_below_it() -> None:
    text = explain("edge")
    assert "edge.tls:" in text and "edge.max_body:" in text
    assert "edge.tls.mode" not in text


def test_without_a_key_the_top_is_listed() -> None:
    lines = explain("").splitlines()
    assert lines[0].startswith("domains (required)")
    assert len(lines) == len([doc for doc in all_fields() if "." not in doc.key])


@pytest.mark.parametrize(
    "asked",
    ["backup.targets.s3.bucket", "backup.targets[0].bucket", "tinykit.backup.targets[].bucket"],
)
def test_a_member_of_a_list_is_found_as_people_write_it(asked: str) -> None:
    assert "backup.targets.s3.bucket" in explain(asked)


def test_a_key_of_several_kinds_is_explained_for_each() -> None:
    text = explain("backup.targets[0].encryption")
    assert "backup.targets.s3.encryption" in text
    assert "backup.targets.directory.encryption" in text


def test_the_sources_of_a_secret_are_listed_below_it() -> None:
    assert "llm.api_key.env" in explain("llm.api_key")


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("firewal.ssh_port", '"firewall.ssh_port"'),
        ("max_body", '"edge.max_body"'),
        ("backups", '"backup"'),
        ("something else", "settings reference"),
    ],
)
def test_an_unknown_key_gets_the_nearest_one(asked: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        explain(asked)
    assert meant in caught.value.hint


def test_an_unknown_key_ends_with_64(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["settings", "explain", "nothing.like.this"]) == 64
    assert capsys.readouterr().err.startswith("error: there is no setting")


def test_the_schema_is_json_and_names_every_top_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["settings", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert {doc.key for doc in all_fields() if "." not in doc.key} == set(schema["properties"])


def test_the_reference_page_names_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["settings", "reference"]) == 0
    page = capsys.readouterr().out
    assert page == reference()
    missing = [doc.key for doc in all_fields(inside_secrets=False) if f"`{doc.key}`" not in page]
    assert missing == []


def test_the_committed_reference_page_is_what_the_model_says() -> None:
    committed = (ROOT / "docs" / "settings.md").read_text()
    assert committed == reference(), "run: tinykit-ops settings reference > docs/settings.md"
