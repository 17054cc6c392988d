"""What a host's agent says of a rotation reaches the person, whatever its exit code."""

import pytest
from click.testing import CliRunner

from tinykit_ops.cli import secrets
from tinykit_ops.errors import Exit
from tinykit_ops.fleet import ask


@pytest.mark.parametrize(
    ("code", "out", "err"),
    [
        (Exit.OK, "tokens: everybody has to log in again\n", ""),
        (Exit.FINDINGS, "llm_key: the old one is still in file /root/notes\n", ""),
        (Exit.TRY_AGAIN, "llm_key: give the inventory a new value, deploy\n", ""),
        (Exit.TRY_AGAIN, "", "error: another run is changing this host\n"),
    ],
)
def test_every_result_of_a_rotation_is_shown(tmp_path, monkeypatch, make_settings, code, out, err):
    def ask_hosts(_inventory, words, **_):
        said = {"out": out, "err": err, "code": int(code)} if words else {"out": None}
        return [ask.Answer("web1", make_settings(), **said)]

    monkeypatch.setattr(ask, "ask_hosts", ask_hosts)
    inventory = tmp_path / "inventory.py"
    inventory.touch()
    words = ["rotate", "llm-key", "--inventory", str(inventory)]
    done = CliRunner().invoke(secrets.command, words, standalone_mode=False)
    assert done.exception is None
    assert done.return_value == code
    assert (done.stdout, done.stderr) == (out, err)
