"""Before anything is changed: settings, release and secrets here, then each host itself."""

from pyinfra.context import host

from tinykit_ops.deploy import instance
from tinykit_ops.deploy.firewall import lock_out
from tinykit_ops.deploy.preflight import problem_of
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.host_facts import HostFacts, SshConnection
from tinykit_ops.ops.refuse import refuse

settings = instance.settings()
instance.secrets()
instance.release()

refuse(
    name="See that this host can become an instance",
    problem=problem_of(host.get_fact(HostFacts), settings),
)
refuse(
    name="See that the firewall would not shut out this very connection",
    problem=lock_out(settings, host.get_fact(SshConnection, _sudo=False)),
)
# Only now: it writes on the host, if no more than who is at it.
hold_host()
