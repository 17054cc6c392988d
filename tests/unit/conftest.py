import pytest
from hypothesis import HealthCheck, settings

from tinykit_ops.settings import load_settings

# On a busy machine an example may take a second. And the examples are the same in every run: look
# for others with --hypothesis-profile=default.
settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")

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
