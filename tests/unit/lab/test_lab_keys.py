import stat
import subprocess
from pathlib import Path

import pyrage

from tinykit_ops.lab import keys


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_openssh_accepts_the_key_and_agrees_on_its_public_half(tmp_path: Path) -> None:
    line = keys.ensure_ssh_key(tmp_path / "id", "a-comment")
    said = subprocess.run(
        ["ssh-keygen", "-y", "-f", str(tmp_path / "id")], capture_output=True, text=True, check=True
    )
    assert said.stdout.split()[:2] == line.split()[:2]
    assert line.endswith(" a-comment")
    assert mode(tmp_path / "id") == 0o600


def test_a_key_is_made_once_and_its_public_half_comes_back(tmp_path: Path) -> None:
    first = keys.ensure_ssh_key(tmp_path / "id", "x")
    (tmp_path / "id.pub").unlink()
    assert keys.ensure_ssh_key(tmp_path / "id", "x") == first
    assert (tmp_path / "id.pub").read_text() == f"{first}\n"


def test_known_hosts_pins_every_name_and_address(tmp_path: Path) -> None:
    line = keys.ensure_ssh_key(tmp_path / "host", "root@tk-1")
    keys.write_known_hosts(tmp_path / "known", [(("tk-1", "10.0.0.11", "fd00::b"), line)])
    for name in ("tk-1", "10.0.0.11", "fd00::b"):
        found = subprocess.run(
            ["ssh-keygen", "-F", name, "-f", str(tmp_path / "known")],
            capture_output=True,
            text=True,
            check=True,
        )
        assert line.split()[1] in found.stdout


def test_passwords_are_long_private_and_stay(tmp_path: Path) -> None:
    keys.ensure_password(tmp_path / "a")
    keys.ensure_password(tmp_path / "b")
    first = (tmp_path / "a").read_text()
    keys.ensure_password(tmp_path / "a")
    assert (tmp_path / "a").read_text() == first != (tmp_path / "b").read_text()
    assert len(first.strip()) >= 24
    assert mode(tmp_path / "a") == 0o600


def test_what_is_sealed_to_the_recipient_opens_with_the_key(tmp_path: Path) -> None:
    recipient = keys.ensure_age_key(tmp_path / "age")
    assert keys.ensure_age_key(tmp_path / "age") == recipient
    sealed = pyrage.encrypt(b"data", [pyrage.x25519.Recipient.from_str(recipient)])
    identity = pyrage.x25519.Identity.from_str((tmp_path / "age").read_text().strip())
    assert pyrage.decrypt(sealed, [identity]) == b"data"
    assert mode(tmp_path / "age") == 0o600
