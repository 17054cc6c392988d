"""The edge: Caddy or nginx, rendered from the route table, checked by itself before it is used.

When the other one serves here, everything is ready and checked before the ports change hands.
"""

from pyinfra.context import host

from tinykit_ops import layout
from tinykit_ops.deploy import edge, instance
from tinykit_ops.deploy.acme import acme_entries
from tinykit_ops.deploy.packages import CERTBOT
from tinykit_ops.ops.agent import agent_step
from tinykit_ops.ops.hand_over import hand_over
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.host_facts import HostFacts
from tinykit_ops.ops.system import packages
from tinykit_ops.ops.tree import tree
from tinykit_ops.ops.units import unit

settings = instance.settings()
hold_host()

if settings.edge.kind == "caddy":
    written = tree(
        name="Write Caddy's folders, configuration and unit",
        entries=list(edge.caddy_entries(settings)),
    )
    hand_over(
        name="Let Caddy take over from nginx",
        old=layout.NGINX_UNIT,
        new=layout.CADDY_UNIT,
        ports=edge.PORTS,
        leftovers=edge.NGINX_LEFTOVERS,
        mask=True,
    )
    unit(
        name="Restart Caddy when the program or its unit changed",
        unit=layout.CADDY_UNIT,
        files=edge.CADDY_RESTARTS,
        after=[written],
    )
    unit(
        name="Reload Caddy when its configuration changed",
        unit=layout.CADDY_UNIT,
        files=edge.CADDY_RELOADS,
        reload=True,
        after=[written],
    )
else:
    surroundings = tree(
        name="Write nginx's folders, certificates and unit",
        entries=list(edge.nginx_surroundings(settings)),
    )
    certificates = agent_step(
        name="Make the certificates that nobody else brings",
        step=["certificate"],
        after=[surroundings],
        on_bare_host="work",
    )
    written = tree(
        name="Write nginx's configuration",
        entries=[
            edge.nginx_configuration(settings, ipv6=host.get_fact(HostFacts).get("ipv6") != "no")
        ],
    )
    hand_over(
        name="Let nginx take over from Caddy",
        old=layout.CADDY_UNIT,
        new=layout.NGINX_UNIT,
        ports=edge.PORTS,
        leftovers=edge.CADDY_LEFTOVERS,
    )
    unit(
        name="Restart nginx when its unit changed",
        unit=layout.NGINX_UNIT,
        files=edge.NGINX_RESTARTS,
        after=[surroundings],
    )
    unit(
        name="Reload nginx when its configuration or a certificate changed",
        unit=layout.NGINX_UNIT,
        files=edge.NGINX_RELOADS,
        reload=True,
        after=[surroundings, certificates, written],
    )
    if settings.edge.tls.mode == "acme":
        # nginx serves by now, so it can answer the authority's question.
        tree(name="Tell certbot of a private authority", entries=list(acme_entries(settings)))
        packages(name="Install certbot", names=CERTBOT)
        unit(name="Renew certificates twice a day", unit="certbot.timer", files=[])

agent_step(
    name="Get certificates for nginx, and forget those not wanted any more",
    step=["acme"],
    on_bare_host="ask" if settings.edge.kind == "nginx" else "nothing",
)
