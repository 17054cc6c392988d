"""A small built tree, as a build would leave it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def built_tree(tmp_path: Path) -> Path:
    """A tree with everything that a release holds, and something that it must not hold."""
    tree = tmp_path / "tree"
    files = {
        "build/index.js": "console.log(1)\n",
        "build/client/a.txt": "a\n",
        "node_modules/tool/cli.js": "#!/usr/bin/env node\n",
        "node_modules/.cache/scratch": "differs from build to build",
        "package.json": '{"name": "tinykit"}\n',
        "pocketbase/pb_migrations/1_first.js": "migrate(() => {})\n",
        "pocketbase/pocketbase": "#!/bin/sh\n",
        "src/source.ts": "not shipped\n",
    }
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tree / "node_modules/tool/cli.js").chmod(0o775)
    (tree / "node_modules/.bin").mkdir()
    (tree / "node_modules/.bin/tool").symlink_to("../tool/cli.js")
    return tree
