"""PocketBase starts once instead of twice, but never with a login that it does not know yet."""

from types import SimpleNamespace

import pytest

from tinykit_ops import layout
from tinykit_ops.errors import UnavailableError
from tinykit_ops.host import pocketbase_server


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Starts it: (whether its login changed since the last start) → was it told to be known."""
    known = tmp_path / "known"
    monkeypatch.setattr(layout, "POCKETBASE_SUPERUSER_KNOWN", str(known))
    seen = []

    def make(changed, systemctl=lambda: None):
        def called(*words, **_):
            if words[0] == "restart":
                seen.append(known.exists())
                systemctl()

        monkeypatch.setattr(pocketbase_server, "systemctl", called)
        server = pocketbase_server.PocketBaseServer()
        monkeypatch.setattr(server, "_login", SimpleNamespace(is_stale=lambda: changed))
        monkeypatch.setattr(server, "last_lines", lambda: "its last words")
        try:
            server.start()
        finally:
            assert not known.exists()  # or a later start would not make the superuser
        return seen.pop()

    return make


def test_a_login_from_the_last_start_is_not_made_anew(start):
    assert start(changed=False) is True


def test_a_changed_login_is_made(start):
    assert start(changed=True) is False


def test_a_start_that_fails_is_told_with_its_last_words(start):
    def fails():
        raise UnavailableError("systemctl restart failed")

    with pytest.raises(UnavailableError, match="its last words"):
        start(changed=False, systemctl=fails)
