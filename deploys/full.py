"""The whole instance: every concern, in the order in which each is safe.

A host of the inventory that is a verifier becomes that.
"""

from pathlib import Path

from pyinfra import local
from pyinfra.context import host

from tinykit_ops.settings.verifier_inventory import is_verifier

HERE = Path(__file__).parent

if is_verifier(host):
    local.include(str(HERE / "verifier.py"))
else:
    local.include(str(HERE / "preflight.py"))
    local.include(str(HERE / "base.py"))
    local.include(str(HERE / "agent.py"))
    local.include(str(HERE / "programs.py"))
    local.include(str(HERE / "pocketbase.py"))
    local.include(str(HERE / "release.py"))
    local.include(str(HERE / "runtime.py"))
    local.include(str(HERE / "claim.py"))
    # Nobody can reach anything but SSH so far. First the firewall, then tinykit, which it contains,
    # and the edge.
    local.include(str(HERE / "firewall.py"))
    local.include(str(HERE / "app.py"))
    local.include(str(HERE / "backups.py"))
    local.include(str(HERE / "checks.py"))
    local.include(str(HERE / "fail2ban.py"))
    local.include(str(HERE / "edge.py"))
    local.include(str(HERE / "monitoring.py"))
