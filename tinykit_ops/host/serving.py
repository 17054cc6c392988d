"""`ServeStep` of this very host: it waits for the builder's agents as PocketBase knows them, and
has the images that containers need."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.host.images import ImagesStep
from tinykit_ops.host.pocketbase_server import PocketBaseServer
from tinykit_ops.host.release_store import ReleaseStore
from tinykit_ops.host.serve_step import ServeStep
from tinykit_ops.host.superuser import as_superuser
from tinykit_ops.printable import printable
from tinykit_ops.upgrade.migrations import Migrations, try_on_copy

PROJECTS = "_tk_projects"
#: An agent writes twice a second while its model speaks, and thinks in between. One that has not
#: written for so long has ended with its process: tinykit leaves its mark then.
SILENT_SECONDS = 60.0


def serve_step(release: str = "") -> ServeStep:
    """The step for this host.

    Args:
        release: id of an unpacked release; empty for the current one.
    """
    config = load_agent_config()

    def projects() -> list[dict[str, Any]]:
        with as_superuser(config.settings, config.secret, wait=2) as pocketbase:
            return list(pocketbase.records(PROJECTS, "agent_chat ~ 'running'"))

    tried = partial(try_on_copy, config)
    migrate = Migrations(ReleaseStore(), PocketBaseServer(), tried).give
    if not config.settings.in_containers:
        return ServeStep(release, Agents(projects), migrate=migrate)
    images = ImagesStep.of_host(config.settings.docker)

    def prepare() -> None:
        images.build_missing(release or ReleaseStore().current())

    return ServeStep(release, Agents(projects), migrate=migrate, prepare=prepare, tidy=images.tidy)


def prune_releases(keep: int) -> list[str]:
    """Remove old releases, and their images; returns the ids of those that went."""
    settings = load_agent_config().settings
    gone = ReleaseStore().prune(keep)
    if settings.in_containers:
        ImagesStep.of_host(settings.docker).tidy()
    return gone


class Agents:
    """Names the projects whose agent is at work.

    tinykit's server runs agents in its own process and tells nobody. What it keeps is the chat,
    whose last message says `running` and grows (tinykit at 617db34, api/projects/:id/agent).

    Args:
        projects: the records that may have one.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        projects: Callable[[], Iterable[dict[str, Any]]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._projects = projects
        self._clock = clock
        self._seen: dict[str, tuple[str, float]] = {}

    def __call__(self) -> list[str]:
        """The names; none when PocketBase cannot tell."""
        try:
            running = [each for each in self._projects() if _is_marked(each.get("agent_chat"))]
        except TinykitOpsError:
            return []
        growing = [each for each in running if self._grows(each)]
        # What somebody called a project ends up on root's terminal.
        return sorted(printable(str(each.get("name") or each["id"]), keep="") for each in growing)

    def _grows(self, project: dict[str, Any]) -> bool:
        chat = hashlib.sha256(json.dumps(project["agent_chat"]).encode()).hexdigest()
        before, since = self._seen.get(project["id"], ("", 0.0))
        if chat != before:
            since = self._clock()
            self._seen[project["id"]] = (chat, since)
        return self._clock() - since < SILENT_SECONDS


def _is_marked(chat: object) -> bool:
    last = chat[-1] if isinstance(chat, list) and chat else None
    return isinstance(last, dict) and last.get("status") == "running"
