"""Signing out: the login page's first question takes the cookie away that the judge has set."""

import re
from pathlib import Path

import pytest

from tinykit_ops.edge.caddy import caddyfile
from tinykit_ops.edge.routes import ROUTES, route_named
from tinykit_ops.edge.tinykit_routes import LOGIN_COOKIE
from tinykit_ops.settings import Settings

HOOKS = Path(__file__).parents[3] / "templates" / "pocketbase" / "hooks"


@pytest.fixture
def blocks() -> dict[str, str]:
    """What the Caddyfile does for each row."""
    settings = Settings.model_validate(
        {
            "domains": ["apps.example.com"],
            "admin_email": "you@example.com",
            "app": {"archive": "tinykit.tar.zst", "sha256": "0" * 64},
        }
    )
    handles = re.findall(r"handle @([\w-]+) \{(.*?)\n\t\t\}", caddyfile(settings), re.DOTALL)
    return dict(handles)


def test_the_judge_and_the_edge_speak_of_the_same_cookie() -> None:
    account = (HOOKS / "tinykit_ops" / "account.js").read_text()
    assert f'const COOKIE = "{LOGIN_COOKIE}"' in account


def test_the_login_pages_question_makes_the_browser_drop_the_cookie(blocks) -> None:
    (line,) = [line for line in blocks["setup-status"].splitlines() if "Set-Cookie" in line]
    name, *attributes = re.findall(r'"(.*)"', line)[0].split("; ")
    assert name == f"{LOGIN_COOKIE}="
    # A __Host- cookie is dropped by one with the same marks only; and with SameSite=Lax no other
    # site can sign anybody out with an image.
    assert set(attributes) == {"Path=/", "Max-Age=0", "Secure", "HttpOnly", "SameSite=Lax"}


def test_no_other_answer_touches_cookies(blocks) -> None:
    assert [name for name, text in blocks.items() if "Set-Cookie" in text] == ["setup-status"]
    forgetting = [route for route in ROUTES if route.answer and route.answer.forgets]
    assert forgetting == [route_named("setup-status")]
