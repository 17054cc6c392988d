"""A provisioned lab host, a configuration at a time, and the proofs that callers can bring."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any

from edge_configs import PROOFS, Config
from edge_oracle import BUILDER, PUBLISHED, WHOLE, Caller
from edge_vantage import Answer, Arrival, Headers, Order, Vantage, Witness
from tests_e2e_support import Provisioner, Run, certificate, until, wait_for_one_edge

from tinykit_ops import layout
from tinykit_ops.settings.load import merge

ACCOUNT_COOKIE = "__Host-tinykit_ops"
BASIC_COOKIE = "__Host-tinykit_ops_basic"

# Reads the host's own secrets and logs in at PocketBase, all on the host; prints to our pipe only.
_LOG_IN = f"""
import json, urllib.request
def secret(name):
    return open("{layout.SECRETS_DIR}/" + name).read().rstrip("\\r\\n")
def token(collection, password):
    body = json.dumps({{"identity": "admin@lab.test", "password": password}}).encode()
    ask = urllib.request.Request("{layout.POCKETBASE_URL}/api/collections/" + collection
        + "/auth-with-password", body, {{"Content-Type": "application/json"}})
    return json.load(urllib.request.urlopen(ask))["token"]
print(json.dumps({{
    "account": token("users", secret("{layout.ADMIN_PASSWORD}")),
    "superuser": token("_superusers", secret("{layout.SUPERUSER_PASSWORD}")),
    "password": secret("{layout.BASIC_PASSWORD}"),
    "cookie": secret("{layout.BASIC_COOKIE}"),
    "hook": secret("{layout.HOOK_TOKEN}"),
}}))
"""


@dataclass(frozen=True)
class Secrets:
    """What opens gates on the host."""

    account: str
    superuser: str
    password: str
    cookie: str
    hook: str

    def __repr__(self) -> str:
        return "Secrets(…)"


@dataclass(frozen=True)
class Proof:
    """Credentials that a request carries, and what they prove."""

    name: str
    headers: Headers = ()
    account: bool = False
    basic: bool = False
    header: bool = False

    def caller(self, allowed: bool) -> Caller:
        """The oracle's view of somebody who brings this."""
        return Caller(allowed, self.account, self.basic, self.header)


def proofs(known: Secrets) -> tuple[Proof, ...]:
    """Every way to bring a proof, two of them, and wrong ones."""

    def cookies(**values: str) -> tuple[str, str]:
        names = {"account": ACCOUNT_COOKIE, "basic": BASIC_COOKIE}
        pairs = [f"{names[name]}={value}" for name, value in values.items()]
        return ("Cookie", "; ".join(["theme=dark", *pairs]))

    bearer = ("Authorization", f"Bearer {known.account}")
    right = ("Authorization", f"Basic {_basic('builder', known.password)}")
    stale = known.account[:-4] + ("AAAA" if known.account[-4:] != "AAAA" else "BBBB")
    return (
        Proof("nothing"),
        Proof("bearer", (bearer,), account=True),
        Proof("token as it is", (("Authorization", known.account),), account=True),
        Proof("account cookie", (cookies(account=known.account),), account=True),
        Proof("superuser", (("Authorization", f"Bearer {known.superuser}"),), account=True),
        Proof("superuser cookie", (cookies(account=known.superuser),), account=True),
        Proof("basic header", (right,), basic=True, header=True),
        Proof("basic cookie", (cookies(basic=known.cookie),), basic=True),
        Proof("both cookies", (cookies(account=known.account, basic=known.cookie),), True, True),
        Proof("bearer, basic cookie", (bearer, cookies(basic=known.cookie)), True, True),
        Proof(
            "basic header, account cookie",
            (right, cookies(account=known.account)),
            True,
            True,
            True,
        ),
        Proof("forged token", (("Authorization", f"Bearer {stale}"), cookies(account=stale))),
        Proof("wrong password", (("Authorization", f"Basic {_basic('builder', 'wrong')}"),)),
        Proof("swapped cookies", (cookies(account=known.cookie, basic=known.account),)),
        Proof("empty", (("Authorization", "Basic Og=="), cookies(account="", basic=""))),
    )


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


class Bench:
    """One lab host under test, asked from the controller (allowed) and from outside (not)."""

    def __init__(self, provisioner: Provisioner) -> None:
        self.provisioner = provisioner
        self.lab = provisioner.lab
        self.host = provisioner.host
        self.domain = self.host.domain
        self.builder_domain = f"build.{self.domain}"
        self.numbers = count(1)
        self.config: Config | None = None
        self.allowed = Vantage("the controller")
        self.stranger = Vantage("outside", self.lab.outside.command([]))
        self.stranger_h2 = Vantage(
            "outside, HTTP/2", self.lab.outside.command([]), "edge_h2_worker.py"
        )
        self.witness = Witness(self.host)

    @property
    def vantages(self) -> tuple[tuple[Vantage, bool], ...]:
        """Who asks, and whether the allowlist has their address."""
        return (self.allowed, True), (self.stranger, False)

    @property
    def sites(self) -> tuple[tuple[str, str], ...]:
        """The roles of the sites of the present configuration, with their names."""
        if self.config is None or not self.config.own_builder:
            return ((WHOLE, self.domain),)
        return ((BUILDER, self.builder_domain), (PUBLISHED, self.domain))

    @property
    def addresses(self) -> tuple[str, str]:
        """The host's, IPv4 and IPv6."""
        return self.host.address4, self.host.address6

    def own_address(self, vantage: Vantage, address: str) -> str:
        """The client's address as the host sees it, when it asks at this address of the host."""
        networks, outside = self.lab.networks, self.lab.outside
        if vantage is self.allowed:
            return str(networks.controller6 if ":" in address else networks.controller4)
        return outside.address6 if ":" in address else outside.address4

    @cached_property
    def secrets(self) -> Secrets:
        """Of the host, as it is provisioned now."""
        said = self.host.ssh(["python3", "-"], input_text=_LOG_IN)
        return Secrets(**json.loads(said.stdout))

    @cached_property
    def proofs(self) -> tuple[Proof, ...]:
        """All proofs that a caller can bring."""
        return proofs(self.secrets)

    def prepare(self, kind: str) -> None:
        """Run the whole deploy, with a proxy and a gate that need everything a host can have.

        Of what follows from the gates outside of the edge, PocketBase's list of addresses from
        which superusers may come, this leaves the list empty: it would be a gate behind the gate.
        """
        self.use(Config(kind, False, (PROOFS, "any"), (PROOFS, "any")), whole=True)

    def use(
        self, config: Config, *, whole: bool = False, more: Mapping[str, Any] | None = None
    ) -> Run:
        """Bring the host to a configuration: by the whole deploy, or by that of the edge alone."""
        settings = merge(config.settings(self.builder_domain), more or {})
        inventory = self.provisioner.inventory({self.host.name: "root"}, settings)
        run = self.provisioner.deploy(inventory, deploy="full.py" if whole else "edge.py")
        if run.code:
            raise RuntimeError(f"{config}: the deploy failed:\n{run.text[-3000:]}")
        self.config = config
        wait_for_one_edge(self.host)
        for _, name in self.sites:  # Caddy makes certificates for new names behind the reload
            if not until(lambda name=name: certificate(self.host.address4, name)):
                raise RuntimeError(f"{config}: no certificate for {name}")
        self.allowed.forget()
        self.stranger.forget()
        self.stranger_h2.forget()
        return run

    def ask(
        self, vantage: Vantage, asks: Iterable[Order]
    ) -> tuple[dict[int, Answer], dict[int, list[Arrival]]]:
        """Send requests; returns the answers and what arrived at the servers, by number."""
        answers = vantage.ask_all(asks)
        return answers, self.witness.look()

    def close(self) -> None:
        """End what was started here."""
        for thing in (self.allowed, self.stranger, self.stranger_h2, self.witness):
            thing.close()
