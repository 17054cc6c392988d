"""Everything that can be there before an install made by hand is stopped: `tinykit-ops adopt`.

Nothing that serves is touched. The host must be fit for all of it, but for ports and units, which
the old install has.
"""

from pathlib import Path

from pyinfra import local
from pyinfra.context import host

from tinykit_ops.deploy import instance
from tinykit_ops.deploy.firewall import another_firewall, lock_out
from tinykit_ops.deploy.preflight import problem_of
from tinykit_ops.ops.firewall import FirewallFacts
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.host_facts import HostFacts, SshConnection
from tinykit_ops.ops.refuse import refuse

HERE = Path(__file__).parent

settings = instance.settings()
instance.secrets()
instance.release()
facts = {
    name: fact
    for name, fact in host.get_fact(HostFacts).items()
    if name != "foreign" and not name.startswith("port_")
}
refuse(
    name="See that this host can become an instance",
    problem=problem_of(facts, settings),
)
if settings.firewall.enabled:
    refuse(
        name="See that the firewall would not shut out this very connection",
        problem=lock_out(settings, host.get_fact(SshConnection, _sudo=False))
        or another_firewall(settings, host.get_fact(FirewallFacts)),
    )
hold_host()
local.include(str(HERE / "base.py"))
local.include(str(HERE / "agent.py"))
local.include(str(HERE / "programs.py"))
local.include(str(HERE / "release.py"))
# It watches logins from its start on, and takes a while to install.
local.include(str(HERE / "fail2ban.py"))
