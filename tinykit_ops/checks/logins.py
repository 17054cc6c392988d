"""Giving a context its accounts: those that a person named, or those that a host knows."""

from __future__ import annotations

from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig, load_agent_config
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.credentials import ACCOUNT, SUPERUSER, Credentials, credentials
from tinykit_ops.checks.http import Client
from tinykit_ops.checks.manners import ON_HOST_REQUESTS, Manners
from tinykit_ops.checks.session import SUPERUSERS, USERS, Session
from tinykit_ops.checks.target import Target
from tinykit_ops.errors import TinykitOpsError


def add_sessions(look: Context, account_file: Path | None, superuser_file: Path | None) -> None:
    """Accounts that a person gave by file or environment; they log in through the edge.

    Raises:
        UsageError: the credentials cannot be used.
    """
    client = look.at_builder(look.web)
    if given := credentials(ACCOUNT, account_file):
        look.account = Session(client, "/_pb", USERS, given)
    if given := credentials(SUPERUSER, superuser_file):
        look.superuser = Session(client, "/_pb", SUPERUSERS, given)


def add_local_sessions(look: Context, timeout: float) -> None:
    """The accounts that the deploy made on this host; they log in at PocketBase itself."""
    try:
        config = load_agent_config()
    except TinykitOpsError:
        return
    target = Target("http", "127.0.0.1", layout.POCKETBASE_PORT, layout.POCKETBASE_PORT)
    client = Client(target, manners=Manners(timeout, ON_HOST_REQUESTS))
    email = config.settings.admin_email
    if known := _known(config, email, layout.ADMIN_PASSWORD):
        look.account = Session(client, "", USERS, known)
    if known := _known(config, config.settings.superuser, layout.SUPERUSER_PASSWORD):
        look.superuser = Session(client, "", SUPERUSERS, known)


def _known(config: AgentConfig, email: str, name: str) -> Credentials | None:
    try:
        return Credentials(email, config.secret(name))
    except TinykitOpsError:
        return None
