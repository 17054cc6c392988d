"""Commands beside pyinfra's own, over the same connection."""

from __future__ import annotations

from typing import Any

from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS
from pyinfra.api.host import Host


def connector_arguments(host: Host, op_hash: str | None = None) -> dict[str, Any]:
    """How an operation becomes root (`_sudo` and the like); without a hash, the running one."""
    wanted = op_hash or host.nested_executing_op_hash or host.executing_op_hash
    if wanted is None:
        return {}
    known: Any = host.state.get_op_data_for_host(host, wanted).global_arguments
    return {key: known[key] for key in CONNECTOR_ARGUMENT_KEYS if key in known}
