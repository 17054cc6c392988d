"""A hardened lab host, and the whole checklist on it within seconds: from here, from outside, with
an account, as superuser, and by the host's own agent."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests_e2e_support import APT, Provisioner, wait_for_one_edge

from tinykit_ops import __version__, layout
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.credentials import Credentials
from tinykit_ops.checks.dial import Namespace
from tinykit_ops.checks.http import Client
from tinykit_ops.checks.logins import add_sessions
from tinykit_ops.checks.manners import MAX_REQUESTS, ON_HOST_REQUESTS, Manners
from tinykit_ops.checks.model import Outcome
from tinykit_ops.checks.registry import all_checks
from tinykit_ops.checks.runner import ON_HOST, InstanceReport, run
from tinykit_ops.checks.target import Target
from tinykit_ops.host.authority import Signed, make_leaf, make_root, save
from tinykit_ops.lab.host import LabHost
from tinykit_ops.report import json_format
from tinykit_ops.settings import validate_inventory

CANARY = "sk-canary-of-the-mutations-0123456789abcdef"
EMAIL = "admin@lab.test"
LOOK_SECONDS = 4.5  #: from one to the next: each logs in three times, and 60 a minute are allowed
_ASK = f"""
import json, sys, urllib.request
def ask(method, path, body=None, token=""):
    data = json.dumps(body).encode() if body is not None else None
    headers = {{"Content-Type": "application/json", "Authorization": token}}
    request = urllib.request.Request("{layout.POCKETBASE_URL}" + path, data, headers, method=method)
    return json.loads(urllib.request.urlopen(request).read() or "{{}}")
password = open("{layout.SECRETS_DIR}/{layout.SUPERUSER_PASSWORD}").read().strip()
login = {{"identity": "{EMAIL}", "password": password}}
token = ask("POST", "/api/collections/_superusers/auth-with-password", login)["token"]
method, path, body = json.load(sys.stdin)
print(json.dumps(ask(method, path, body, token)))
"""


class MutationBench:
    """One host of a lab, hardened as the docs say; breaks are made and looked at through it.

    Args:
        provisioner: of the lab.
        host: which host.
        kind: `caddy` or `nginx`.
        folder: for certificates and secrets.
    """

    def __init__(self, provisioner: Provisioner, host: LabHost, kind: str, folder: Path) -> None:
        self.provisioner, self.host, self.kind = provisioner, host, kind
        self.folder = folder
        self.domain = host.domain
        self.builder = f"build.{host.domain}"
        self.authority: Signed = make_root()
        self.ca_file = folder / "ca.pem"
        self._looked = 0.0

    def harden(self) -> None:
        """Deploy with everything that the checklist asks for, and make the first backup."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca_file.write_text(self.authority.pem)
        leaf = make_leaf([self.domain, self.builder], self.authority)
        save(leaf, self.folder / "leaf.pem", self.folder / "leaf.key", mode=0o600)
        for name, text in {"llm": CANARY, "hook": "http://127.0.0.1:9/hook"}.items():
            (self.folder / name).touch(0o600)
            (self.folder / name).write_text(text)
        self.inventory = self.provisioner.inventory({self.host.name: "root"}, self._settings())
        for deploy in ("full.py", "checks.py"):
            done = self.provisioner.deploy(self.inventory, deploy=deploy)
            if done.code:
                raise RuntimeError(f"{deploy} failed:\n{done.text[-3000:]}")
        # What no deploy brings yet: something that measures the host.
        self.sh(f"{APT}\napt install -y prometheus-node-exporter >/dev/null")
        self.sh("tinykit-ops backup run")
        self.settings = validate_inventory(self.inventory)[0].settings
        keep = self.host.run(["cat", f"{layout.SECRETS_DIR}/{layout.SUPERUSER_PASSWORD}"])
        self._superuser = Credentials(EMAIL, keep.stdout.strip())
        password = self.provisioner.lab.admin_password.read_text().strip()
        self._account = Credentials(EMAIL, password)

    @property
    def logins(self) -> tuple[Credentials, Credentials]:
        """Of the first account and the superuser."""
        return self._account, self._superuser

    def _settings(self) -> dict[str, Any]:
        def secret(name: str) -> dict[str, str]:
            return {"file": str(self.folder / name)}

        return {
            "builder_domain": self.builder,
            "edge": {
                "kind": self.kind,
                "tls": {
                    "mode": "files",
                    "certificate": str(self.folder / "leaf.pem"),
                    "key": str(self.folder / "leaf.key"),
                },
                "limits": {"logins": 60},  # a campaign logs in at every look
                "security_txt": {"contact": ["mailto:security@lab.test"]},
            },
            "llm": {
                "provider": "custom",
                "base_url": "https://llm.lab.test/v1",
                "api_key": secret("llm"),
            },
            "backup": {"notify": {"webhook_url": secret("hook")}},
        }

    # Looking.

    def look(self) -> InstanceReport:
        """The whole checklist, once; not so often that the limit of logins is reached."""
        time.sleep(max(0.0, self._looked + LOOK_SECONDS - time.monotonic()))
        self._looked = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            agent = pool.submit(self._ask_agent)
            outside = run(all_checks(), self._context(), f"https://{self.domain}")
            return outside.with_host(agent.result())

    def _context(self) -> Context:
        names, address = (self.domain, self.builder), (self.host.address4,)
        overrides = {(name, port): address for name in names for port in (80, 443)}
        target = Target("https", self.domain, 443, 80, overrides)
        manners = Manners(60.0, MAX_REQUESTS - ON_HOST_REQUESTS)
        client = Client(target, manners=manners, ca_file=self.ca_file)
        look = Context(client=client, settings=self.settings)
        look.outsider = replace(client, dialer=Namespace(self.provisioner.lab.names.netns))
        client.verify = look.outsider.verify = self._certificate_is_good()
        add_sessions(look, self._account, self._superuser)
        return look

    def _certificate_is_good(self) -> bool:
        """As the command does it: a bad certificate is a finding, and the rest is looked at too."""
        from tinykit_ops.checks.fingerprint import recognise

        overrides = {(self.domain, port): (self.host.address4,) for port in (80, 443)}
        target = Target("https", self.domain, 443, 80, overrides)
        client = Client(target, manners=Manners(60.0), ca_file=self.ca_file)
        recognise(client, force=True)
        return client.verify

    def _ask_agent(self) -> InstanceReport:
        only = [f"--only={check.id}" for check in all_checks() if check.looks_from in ON_HOST]
        words = [
            "--host",
            "--format=json",
            "--timeout=60",
            f"--expect-version={__version__}",
            *only,
        ]
        command = shlex.join([layout.AGENT_COMMAND, "check", *words])
        said = self.host.run(["sh", "-c", f"cd /; exec {command}"], check=False)
        return json_format.parse(said.stdout, self.host.name).instances[0]

    # Breaking.

    def sh(self, script: str) -> str:
        """Run shell on the host, from its console. Returns what it printed."""
        return self.host.run(["sh", "-ec", f"cd /; {script}"]).stdout

    def read(self, path: str) -> str:
        """A file of the host."""
        return self.host.run(["cat", path]).stdout

    def write(self, path: str, text: str) -> None:
        """Change the content of a file of the host; owner and mode stay."""
        self.host.ssh([f"cat > {path}"], input_text=text)

    def pocketbase(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask PocketBase on the host as superuser."""
        said = self.host.ssh([f"python3 -c '{_ASK}'"], input_text=json.dumps([method, path, body]))
        return json.loads(said.stdout)

    @property
    def edge_config(self) -> str:
        """The proxy's configuration."""
        return layout.CADDY_CONFIG if self.kind == "caddy" else layout.NGINX_CONFIG

    def reload_edge(self) -> None:
        """Make the proxy read its configuration, and wait until the old one is gone."""
        self.sh(f"systemctl reload {self.kind}")
        wait_for_one_edge(self.host)

    def edit(self, path: str, change: Callable[[str], str]) -> str:
        """Change a file by its text. Returns the old text. Raises when nothing was changed."""
        old = self.read(path)
        new = change(old)
        if new == old:
            raise AssertionError(f"{path}: the break changes nothing")
        self.write(path, new)
        return old


def outcomes(report: InstanceReport) -> dict[str, Outcome]:
    """Check id → outcome."""
    return {result.check.id: result.verdict.outcome for result in report.results}
