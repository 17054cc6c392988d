"""Certificates that nginx has on the host, other than those that the inventory brings.

`internal`: an authority of the host's own, and one certificate for all names. `acme`: certbot gets
them; until it has, a certificate that signs itself lets nginx start and answer the authority.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.edge.nginx_tls import INSTANCE, host_names, pairs
from tinykit_ops.host import authority
from tinykit_ops.host.authority import Signed
from tinykit_ops.settings import Settings

KEY_MODE = 0o640  #: the folder gives it nginx's group (setgid); nginx never was root
ROOT_KEY_MODE = 0o600


class CertificateStep:
    """Make what is missing, and renew what has less than a third of its time left.

    Args:
        settings: of the instance.
        tls: the folder that nginx reads.
        ca: the authority's folder, root's: `root.pem` and `root.key`.
        now: in tests.
    """

    def __init__(
        self,
        settings: Settings,
        tls: Path = Path(layout.NGINX_TLS),
        ca: Path = Path(layout.EDGE_CA),
        now: datetime | None = None,
    ) -> None:
        self.settings = settings
        self.mode = settings.edge.tls.mode if settings.edge.kind == "nginx" else "files"
        self.tls = tls
        self.root = (ca / "root.pem", ca / "root.key")
        self.leaf = (tls / f"{INSTANCE}.pem", tls / f"{INSTANCE}.key")
        self.now = now

    def pending(self) -> list[str]:
        """Which certificates are missing, broken, for other names, or about to end."""
        if self.mode == "acme":
            return [f"placeholder for {name}" for name in self._bare_names()]
        if self.mode == "files":
            return []
        root = self._current_root()
        if root is None:
            return ["authority", "certificate"]
        return [] if self._leaf_serves(root) else ["certificate"]

    def apply(self) -> None:
        """Make them. A key that was half written is made anew by the next run."""
        if self.mode == "acme":
            for name in self._bare_names():
                placeholder = authority.make_leaf([name], None, self.now)
                files = (self.tls / f"{name}.pem", self.tls / f"{name}.key")
                authority.save(placeholder, *files, mode=KEY_MODE)
        elif self.mode == "internal":
            root = self._current_root() or self._new_root()
            if not self._leaf_serves(root):
                leaf = authority.make_leaf(host_names(self.settings), root, self.now)
                authority.save(leaf, *self.leaf, mode=KEY_MODE)

    def _current_root(self) -> Signed | None:
        root = authority.load(*self.root)
        return None if root is None or root.wants_renewal(self.now) else root

    def _new_root(self) -> Signed:
        root = authority.make_root(self.now)
        self.root[0].parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        authority.save(root, *self.root, mode=ROOT_KEY_MODE)
        return root

    def _leaf_serves(self, root: Signed) -> bool:
        leaf = authority.load(*self.leaf)
        return (
            leaf is not None
            and leaf.signed_by(root)
            and leaf.names == set(host_names(self.settings))
            and not leaf.wants_renewal(self.now)
        )

    def _bare_names(self) -> list[str]:
        """Names without any certificate; a broken one is nginx's to complain about."""
        return [
            name
            for name in pairs(self.settings)
            if not all((self.tls / f"{name}.{ending}").is_file() for ending in ("pem", "key"))
        ]
