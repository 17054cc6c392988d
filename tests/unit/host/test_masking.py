"""Known secrets are taken out of what is shown."""

import json
from urllib.parse import quote

import pytest

from tinykit_ops.host.masking import Masker, known_secrets

SECRETS = {
    "llm-api-key": 'sk-"quoted"/ä-0123',
    "hook-token": 'sk-"quo',
    "long": 'sk-"quoted"/ä-0123-more',
}
VALUE = SECRETS["llm-api-key"]


@pytest.mark.parametrize(
    "spelled", [VALUE, json.dumps(VALUE), json.dumps([VALUE], ensure_ascii=False), quote(VALUE)]
)
def test_a_secret_is_replaced_by_its_name_however_it_is_spelled(spelled):
    shown = Masker(SECRETS)(f"key={spelled} end")
    assert "***llm-api-key***" in shown
    assert "quoted" not in shown
    assert shown.endswith("end")


def test_the_longest_secret_is_taken_first():
    assert Masker(SECRETS)(f"a {SECRETS['long']} b") == "a ***long*** b"


def test_logins_and_private_keys_are_replaced_without_being_known():
    login = "eyJhbGciOiJIUzI1NiJ9.eyJpZCI6IjEyMyJ9.c2lnbmF0dXJlMTIz"
    key = "AGE-SECRET-KEY-1" + "Q" * 58
    assert Masker({})(f"{login} and {key}") == "***token*** and ***token***"


def test_a_text_without_secrets_stays_as_it_is():
    assert Masker(SECRETS)("nothing here: eyJ.a.b") == "nothing here: eyJ.a.b"


def test_secrets_are_read_from_their_files_and_too_short_ones_left_out(tmp_path):
    (tmp_path / "one").write_text("first-value\n")
    (tmp_path / "keys").write_text("key-number-1\nkey-number-2\n")
    (tmp_path / "short").write_text("abc")
    assert set(known_secrets(tmp_path).values()) == {"first-value", "key-number-1", "key-number-2"}


def test_without_secrets_to_read_there_is_no_masker(tmp_path):
    with pytest.raises(OSError, match="missing"):
        known_secrets(tmp_path / "missing")
