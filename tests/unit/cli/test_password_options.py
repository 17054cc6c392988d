"""Where a new password comes from, and where it goes."""

import pytest
from click.testing import CliRunner

from tinykit_ops.cli import _password
from tinykit_ops.errors import UsageError


def test_a_password_is_read_from_the_first_line_of_a_file(tmp_path):
    (tmp_path / "p").write_text("päss word\nmore\n")
    assert _password.new_password(str(tmp_path / "p"), False, None).value == "päss word"


def test_a_file_that_is_no_text_is_told(tmp_path):
    (tmp_path / "p").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not text in UTF-8"):
        _password.new_password(str(tmp_path / "p"), False, None)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("file", True, None), "not clear"),
        ((None, False, "save"), "not clear"),
        ((None, True, None), "no terminal"),
        ((None, False, None), "no terminal to ask"),
    ],
)
def test_options_that_contradict_each_other_and_missing_terminals_are_told(tmp_path, words, told):
    password_file, generate, save = words
    with CliRunner().isolation(), pytest.raises(UsageError, match=told):
        _password.new_password(password_file, generate, tmp_path / save if save else None)


def test_a_made_password_goes_to_a_file_for_its_owner_alone_and_is_not_shown(tmp_path, capsys):
    made = _password.new_password(None, True, tmp_path / "p")
    assert not (tmp_path / "p").exists()
    made.deliver("ann@example.com")
    assert (tmp_path / "p").read_text() == made.value + "\n"
    assert (tmp_path / "p").stat().st_mode & 0o777 == 0o600
    assert made.value not in "".join(capsys.readouterr())


def test_two_made_passwords_differ_and_are_long(tmp_path):
    made = {_password.new_password(None, True, tmp_path / "p").value for _ in range(5)}
    assert len(made) == 5
    assert min(map(len, made)) >= 24


def test_a_password_that_a_person_gave_is_not_repeated(tmp_path, capsys):
    (tmp_path / "p").write_text("a-good-password\n")
    _password.new_password(str(tmp_path / "p"), False, None).deliver("ann@example.com")
    assert capsys.readouterr().out == ""
