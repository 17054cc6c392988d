"""A host whose certificates come from the lab's ACME server, and what a visitor is shown."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from tests_e2e_support import PATIENCE, Provisioner, Run, certificate, curl, execute, until

from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.inventory import ADMIN_EMAIL
from tinykit_ops.lab.lab import Lab

_NO_CHECK_TIME = ssl.VerifyFlags(0x200000)  #: OpenSSL's X509_V_FLAG_NO_CHECK_TIME


def age(shown: x509.Certificate) -> float:
    """How much of a certificate's life is over: 0 to 1, and more."""
    life = shown.not_valid_after_utc - shown.not_valid_before_utc
    return (datetime.now(UTC) - shown.not_valid_before_utc) / life


@dataclass(frozen=True)
class Instance:
    """One provisioned host of a lab with an ACME server."""

    lab: Lab
    provisioner: Provisioner

    @property
    def host(self) -> LabHost:
        return self.lab.hosts[0]

    def deploy(self, kind: str, domains: Sequence[str], **tls: Any) -> Run:
        """Bring the host to this proxy and these names. May fail; the caller looks.

        Args:
            tls: other settings than those of the lab's ACME server, or beside them.
        """
        acme = {
            "mode": "acme",
            "directory": self.lab.acme.directory,
            "directory_ca": str(self.lab.acme.directory_ca),
        }
        overrides = {
            "domains": list(domains),
            "access": {"builder": {"require": ["account"]}},
            "edge": {"kind": kind, "tls": tls if "mode" in tls else {**acme, **tls}},
            "firewall": {"ssh_from": ["0.0.0.0/0", "::/0"]},
            "bans": {"attempts": 5},
        }
        inventory = self.provisioner.inventory({self.host.name: "root"}, overrides)
        return self.provisioner.deploy(inventory)

    def certificate(self, name: str) -> x509.Certificate | None:
        """What a visitor is shown for a name; None when the handshake is refused."""
        shown = certificate(self.host.address4, name)
        return x509.load_der_x509_certificate(shown) if shown else None

    def serial(self, name: str) -> int | None:
        shown = self.certificate(name)
        return shown.serial_number if shown else None

    def trusted(self, name: str, roots: Path, *, late: bool = False) -> bool:
        """Would a browser that trusts the lab's authority accept what it is shown?

        Args:
            late: a certificate may be over; those of this lab do not last for long.
        """
        context = ssl.create_default_context(cafile=str(roots))
        if late:
            context.verify_flags |= _NO_CHECK_TIME
        try:
            with (
                socket.create_connection((self.host.address4, 443), timeout=PATIENCE) as plain,
                context.wrap_socket(plain, server_hostname=name),
            ):
                return True
        except ssl.SSLError:
            return False

    def wait_trusted(self, name: str, roots: Path, seconds: float = PATIENCE) -> bool:
        """Caddy gets certificates after it was told to, not before."""
        return until(lambda: self.trusted(name, roots), seconds)

    def wait_for_age(self, name: str, part: float) -> None:
        """Wait until so much of a certificate's life is over (0 to 1)."""
        shown = self.certificate(name)
        assert shown is not None
        life = shown.not_valid_after_utc - shown.not_valid_before_utc
        left = shown.not_valid_before_utc + life * part - datetime.now(UTC)
        time.sleep(max(0.0, left.total_seconds() + 1))

    def token(self) -> str:
        """A session of the first account."""
        login = {"identity": ADMIN_EMAIL, "password": self.lab.admin_password.read_text().strip()}
        words = ("--header", "Content-Type: application/json", "--data", json.dumps(login))
        path = "/_pb/api/collections/users/auth-with-password"
        return json.loads(execute(curl(self.host, path, *words)).out)["token"]

    def publish(self, domain: str, token: str, page: Path) -> None:
        """Make a project with this domain and a built page."""
        page.write_text("<p>hello")
        words = ["--header", f"Authorization: Bearer {token}", "--form", f"name={domain}"]
        words += ["--form", "kit=none", "--form", f"domain={domain}"]
        words += ["--form", f"published_html=@{page}"]
        answer = execute(curl(self.host, "/_pb/api/collections/_tk_projects/records", *words))
        assert json.loads(answer.out).get("domain") == domain, answer.text
