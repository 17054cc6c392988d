"""Certificates of a public (or a private ACME) authority for nginx, by certbot.

Each name has a certificate of its own: a name whose DNS is missing gets none, and takes nothing
from the others. Until then nginx shows a placeholder; an old certificate stays until a new one is
there.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from tinykit_ops import layout
from tinykit_ops.edge.nginx_tls import pairs
from tinykit_ops.errors import UnavailableError
from tinykit_ops.host import certbot, files
from tinykit_ops.host.certbot import Lineage
from tinykit_ops.settings import Settings

KEY_MODE = 0o640
SYSTEM_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


class AcmeStep:
    """See `tinykit_ops.host.Step`.

    Args:
        home: certbot's folder.
        tls: the folder that nginx reads; it gives its group to what is made in it.
        directory_ca: authority of the ACME directory itself, when that is a private one.
        bundle: this one and the system's, for certbot.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        run: certbot.Run = certbot.run_certbot,
        home: Path = Path("/etc/letsencrypt"),
        tls: Path = Path(layout.NGINX_TLS),
        directory_ca: Path = Path(layout.ACME_DIRECTORY_CA),
        bundle: Path = Path(layout.ACME_CA_BUNDLE),
        reload: Callable[[], None] | None = None,
    ) -> None:
        self._run = run
        self._home, self._tls = home, tls
        self._directory_ca, self._bundle = directory_ca, bundle
        self._reload = reload or _reload_nginx
        nginx = settings.edge.kind == "nginx"
        self.names = list(pairs(settings)) if nginx and settings.edge.tls.mode == "acme" else []
        self._shown = {Path(each.key).stem for each in pairs(settings).values()} if nginx else None
        self._server = settings.edge.tls.directory or certbot.PUBLIC_DIRECTORY
        self._email = settings.edge.tls.email or settings.admin_email

    def pending(self) -> list[str]:
        """Names without a certificate of the wanted authority, and those not wanted any more."""
        left = [f"certificate for {name}" for name in self.names if self._wants(name)]
        left += [f"install the certificate for {name}" for name in self._not_installed()]
        left += [f"forget {name}" for name in self._unwanted()]
        left += [f"remove {path}" for path in self._shown_no_more()]
        if self._bundle_text() != files.read(self._bundle):
            left.append("authorities of the ACME directory")
        return left

    def apply(self) -> None:
        """Get what is missing.

        Raises: UnavailableError when a name got none, with the authority's reason; the other names
            have theirs by then.
        """
        self._write_bundle()
        for name in self._unwanted():
            self._certbot(certbot.delete(name))
        for path in self._shown_no_more():
            path.unlink()
        failures = {name: self._get(name) for name in self.names if self._wants(name)}
        self.install()
        failed = {name: why for name, why in failures.items() if why}
        if failed:
            raise UnavailableError(
                f"{len(failed)} of {len(self.names)} names got no certificate; what nginx showed "
                "for them before, it still shows",
                where=self._server,
                hint="\n         ".join(f"{name}: {why}" for name, why in failed.items()),
            )

    def install(self) -> None:
        """Give nginx the newest certificates; certbot calls this after each renewal."""
        fresh = self._not_installed()
        for name in fresh:
            lineage = Lineage(self._home, name)
            files.write(self._tls / f"{name}.key", lineage.key.read_text(), mode=KEY_MODE)
            files.write(self._tls / f"{name}.pem", lineage.chain.read_text())
        if fresh:
            self._reload()

    def _wants(self, name: str) -> bool:
        lineage = Lineage(self._home, name)
        return lineage.server != self._server or _is_over(lineage.chain)

    def _get(self, name: str) -> str:
        """Empty when it worked, else why not."""
        server = Lineage(self._home, name).server
        force = bool(server) and server != self._server
        words = certbot.certonly(name, self._server, self._email, force=force)
        code, said = self._certbot(words)
        return certbot.reason(said) if code or self._wants(name) else ""

    def _not_installed(self) -> list[str]:
        found = [name for name in self.names if Lineage(self._home, name).server]
        return [name for name in found if not self._is_installed(Lineage(self._home, name))]

    def _is_installed(self, lineage: Lineage) -> bool:
        return files.read(self._tls / f"{lineage.name}.pem") == files.read(
            lineage.chain
        ) and files.read(self._tls / f"{lineage.name}.key") == files.read(lineage.key)

    def _unwanted(self) -> list[str]:
        """Names that certbot would go on asking for, and that lead elsewhere by now."""
        known = [lineage.name for lineage in certbot.lineages(self._home)]
        return [name for name in known if name not in self.names]

    def _shown_no_more(self) -> list[Path]:
        """Keys and certificates of names and modes that were given up: nginx reads other ones by
        now, and a private key has no business here."""
        if self._shown is None or not self._tls.is_dir():
            return []
        files_here = (path for path in self._tls.iterdir() if path.suffix in {".pem", ".key"})
        return sorted(path for path in files_here if path.stem not in self._shown)

    def _certbot(self, words: list[str]) -> tuple[int, str]:
        env = {"REQUESTS_CA_BUNDLE": str(self._bundle)} if self._bundle.is_file() else {}
        return self._run(words, env)

    def _bundle_text(self) -> str | None:
        own = files.read(self._directory_ca)
        return None if own is None else f"{own.rstrip()}\n{files.read(SYSTEM_AUTHORITIES) or ''}"

    def _write_bundle(self) -> None:
        text = self._bundle_text()
        if text is None:
            self._bundle.unlink(missing_ok=True)
        else:
            files.write(self._bundle, text)


def _is_over(chain: Path) -> bool:
    """certbot's timer renews in time; one that is over was not renewed for a reason."""
    ends = x509.load_pem_x509_certificate(chain.read_bytes()).not_valid_after_utc
    return ends < datetime.now(UTC)


def _reload_nginx() -> None:
    """Raises: UnavailableError when it does not take the new files; not running is fine."""
    words = ["systemctl", "try-reload-or-restart", layout.NGINX_UNIT]
    if subprocess.run(words, check=False, timeout=60).returncode:
        raise UnavailableError(
            "nginx did not reload with the new certificates",
            where=layout.NGINX_UNIT,
            hint=f"journalctl -u {layout.NGINX_UNIT} -n 20",
        )
