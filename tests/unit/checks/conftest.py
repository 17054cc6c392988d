from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from checks_certificates import Authority
from checks_imitations import BUILDER, NAME, Mapped, client, hardened, inside
from checks_site import Answers, Misbehave, Say, Site, say

from tinykit_ops.checks.context import Context, Stance
from tinykit_ops.checks.http import Client
from tinykit_ops.settings.model import Settings

Look = Callable[..., Context]


@pytest.fixture
def serve() -> Iterator[Callable[..., Site]]:
    """Starts sites that end with the test."""
    with ExitStack() as stack:
        yield lambda *words, **more: stack.enter_context(Site(*words, **more))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def look_at(serve: Callable[..., Site], authority: Authority) -> Look:
    """Puts an instance on the web, and looks at it as a stranger (`answers`) and from an address on
    the allowlist (`within`). With another stance there is only one place to look from."""

    def start(
        answers: Answers | None = None,
        *,
        other: Say | Misbehave | None = None,
        stance: Stance = Stance.STRANGER,
        timeout: float = 60.0,
        silent: set[int] | None = None,
        ports: dict[int, int] | None = None,
        within: Answers | None = None,
    ) -> Context:
        plain = serve({}, say(308, "", location="https://apps.example.test/"))

        def aim(said: Answers) -> Client:
            site = serve(said, tls=authority.context())
            if other:
                site.other = other
            open_ports = {443: site.port, 80: plain.port} | (ports or {})
            one = client(Mapped(open_ports, silent, f"place {site.port}"))
            one.ca_file = Path(authority.ca_file)
            one.manners.timeout = timeout
            return one

        if stance != Stance.STRANGER:
            return Context(client=aim(hardened() if answers is None else answers), stance=stance)
        look = Context(client=aim(within if within is not None else {} if other else inside()))
        look.outsider = aim(hardened() if answers is None else answers)
        look.outsider.manners = look.web.manners
        look.settings = settings()
        return look

    return start


def settings() -> Settings:
    """Of the instance that the sites play."""
    return Settings.model_validate(
        {
            "domains": [NAME],
            "builder_domain": BUILDER,
            "admin_email": "you@example.com",
            "app": {"git": "https://git.example.com/tinykit", "commit": "0" * 40},
            "access": {"allowlist": ["203.0.113.7"]},
            "edge": {"tls": {"mode": "files", "certificate": "c.pem", "key": "k.pem"}},
            "firewall": {"ssh_from": ["203.0.113.7"]},
        }
    )
