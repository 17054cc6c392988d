"""Whatever an inventory says, it is settings or one clear error, and secrets stay unseen."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from settings_bad import AGE, GONE, apply

from tinykit_ops.settings import Settings, SettingsError, load_settings
from tinykit_ops.settings.fields import all_fields

CANARY = "canary-4f1d-never-to-be-seen"
KEYS = sorted({part for doc in all_fields() for part in doc.key.split(".")})

words = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["a.example.com", "you@example.com", "0 3 * * *", "10.0.0.0/8", "none", AGE]),
    st.sampled_from(["s3", "directory", "acme", "files", "custom", "allowlist", "account", "64MB"]),
)
plain = st.none() | st.booleans() | st.integers() | st.floats() | words | st.binary(max_size=4)
anything = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner),
        st.dictionaries(st.sampled_from(KEYS) | words | st.integers(), inner, max_size=4),
    ),
    max_leaves=20,
)
top = [doc.key for doc in all_fields() if "." not in doc.key]
mappings = st.dictionaries(st.sampled_from(top) | words, anything, max_size=8)


def read(data: Any, defaults: Any = None) -> Settings | SettingsError:
    """What these become; nothing else may come out."""
    try:
        return load_settings(data, where="web1", defaults=defaults)
    except SettingsError as error:
        return error


@given(anything)
@settings(deadline=None)
def test_anything_is_settings_or_one_error(data: Any) -> None:
    assert isinstance(read(data), Settings | SettingsError)


@given(mappings, mappings)
@settings(deadline=None)
def test_any_two_mappings_are_settings_or_one_error_with_reasons(data: Any, defaults: Any) -> None:
    outcome = read(data, defaults)
    if isinstance(outcome, SettingsError):
        assert outcome.problems
        assert all(problem.reason for problem in outcome.problems)


@given(mappings)
@settings(deadline=None)
def test_reading_and_the_model_agree_on_what_is_right(change: dict[str, Any]) -> None:
    data = apply(
        {"domains": ["a.example.com"], "admin_email": "a@example.com", "app": {"archive": "a"}},
        change,
    )
    outcome = read(data)
    try:
        model = Settings.model_validate(data)
    except ValueError:
        assert isinstance(outcome, SettingsError)
    else:
        assert outcome == model


def put(data: Any, path: list[str], value: Any) -> dict[str, Any]:
    """`data` with a value at a path, whatever was on the way."""
    first, *rest = path
    below = data.get(first) if isinstance(data, dict) else None
    return {
        **(data if isinstance(data, dict) else {}),
        first: put(below, rest, value) if rest else value,
    }


SECRET_KEYS = [doc.key for doc in all_fields(inside_secrets=False) if doc.type == "secret"]


@given(mappings, st.sampled_from([key for key in SECRET_KEYS if "targets" not in key]), st.data())
@settings(deadline=None)
def test_a_plain_secret_is_seen_in_no_outcome(change: Any, key: str, data: st.DataObject) -> None:
    form = data.draw(st.sampled_from([CANARY, {"value": CANARY}, [CANARY], {"env": CANARY}]))
    outcome = read(put(change, key.split("."), form))
    assert CANARY not in f"{outcome} {outcome!r}"


def test_there_are_secrets_to_look_for() -> None:
    assert {"admin_password", "llm.api_key"} < set(SECRET_KEYS)


# The schema ------------------------------------------------------------------------------------


@pytest.mark.parametrize("doc", [doc for doc in all_fields() if doc.examples], ids=lambda d: d.key)
def test_every_key_explains_itself_with_an_example_that_the_schema_takes(doc: Any) -> None:
    assert doc.description.endswith(".")
    schema = Settings.model_json_schema()
    node = schema
    for part in doc.key.split("."):
        node = _below(schema, node, part)
    for example in doc.examples:
        jsonschema.validate(eval(example), {**node, "$defs": schema["$defs"]})


def test_every_key_has_a_description_and_an_example() -> None:
    assert [doc.key for doc in all_fields() if not (doc.description and doc.examples)] == []


def _below(schema: dict[str, Any], node: dict[str, Any], part: str) -> dict[str, Any]:
    """The schema of a key below another."""
    options = [_resolved(schema, option) for option in [node, *node.get("anyOf", [])]]
    options += [inner for option in options for inner in option.get("anyOf", [])]
    for option in options:
        target = _resolved(schema, option)
        if part in target.get("properties", {}):
            return dict(target["properties"][part])
        mapping = target.get("items", {}).get("discriminator", {}).get("mapping", {})
        if part in mapping:
            return {"$ref": mapping[part]}
    raise AssertionError(f"no {part} in the schema")


def _resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return dict(schema["$defs"][node["$ref"].rsplit("/", 1)[-1]])
    return node


def test_the_schema_refuses_what_the_model_refuses_by_form() -> None:
    schema = Settings.model_json_schema()
    good = {"domains": ["a.example.com"], "admin_email": "a@b.co", "app": {"archive": "a"}}
    jsonschema.validate(good, schema)
    for change in (
        {"domains": []},
        {"domain": "x"},
        {"app": GONE},
        {"firewall": {"ssh_port": 0}},
        {"admin_password": {"env": "A", "file": "b"}},
        {"admin_password": {}},
        {"backup": {"targets": [{"kind": "directory"}]}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(apply(good, change), schema)
