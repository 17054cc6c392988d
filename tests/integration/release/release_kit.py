"""A small app in a real git repository, with the shape of tinykit's."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

BUILD = "require('fs').mkdirSync('build'); require('fs').writeFileSync('build/index.js', '1')"


@dataclass
class Repository:
    """A git repository with one commit."""

    path: Path

    def git(self, *words: str) -> str:
        config = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        done = subprocess.run(
            ["git", *config, *words], cwd=self.path, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    @property
    def commit(self) -> str:
        return self.git("rev-parse", "HEAD")

    def script(self, name: str, code: str) -> None:
        """Replace a script of package.json by JavaScript and commit that."""
        (self.path / f"{name}.cjs").write_text(code)
        manifest = json.loads((self.path / "package.json").read_text())
        manifest["scripts"][name] = f"node {name}.cjs"
        (self.path / "package.json").write_text(json.dumps(manifest))
        self.git("add", ".")
        self.git("commit", "-q", "-m", name)


def make_repository(path: Path) -> Repository:
    """Write the app into the new folder `path` and commit it."""
    (path / "pocketbase" / "pb_migrations").mkdir(parents=True)
    (path / "pocketbase" / "pb_migrations" / "1.js").write_text("migrate(() => {})\n")
    manifest = {"name": "tinykit", "version": "1.0.0", "private": True, "scripts": {}}
    (path / "package.json").write_text(json.dumps(manifest))
    lock = {"name": "tinykit", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {}}}
    (path / "package-lock.json").write_text(json.dumps(lock))
    (path / ".gitignore").write_text("node_modules\nbuild\n")
    made = Repository(path)
    made.git("init", "-q", "-b", "main")
    made.script("build", BUILD)
    return made
