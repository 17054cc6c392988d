import pytest

from tinykit_ops.settings import load_settings

MINIMAL = {
    "domains": ["apps.example.com"],
    "admin_email": "admin@example.com",
    "app": {"archive": "https://example.com/tinykit.tar.zst", "sha256": "0" * 64},
}


@pytest.fixture
def make_settings():
    def make(**changes):
        return load_settings({**MINIMAL, **changes}, where="test")

    return make
