from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from checks_certificates import Authority
from checks_imitations import Mapped, client, hardened
from checks_site import Answers, Misbehave, Say, Site, say

from tinykit_ops.checks.context import Context, Stance

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
    """Puts a site with HTTPS and a redirect on the web, and looks at it as a stranger."""

    def start(
        answers: Answers | None = None,
        *,
        other: Say | Misbehave | None = None,
        stance: Stance = Stance.STRANGER,
        timeout: float = 5.0,
        silent: set[int] | None = None,
        ports: dict[int, int] | None = None,
    ) -> Context:
        site = serve(answers if answers is not None else hardened(), tls=authority.context())
        if other:
            site.other = other
        plain = serve({}, say(308, "", location="https://apps.example.test/"))
        open_ports = {443: site.port, 80: plain.port} | (ports or {})
        one = client(Mapped(open_ports, silent), timeout=timeout)
        one.ca_file = Path(authority.ca_file)
        return Context(client=one, stance=stance)

    return start
