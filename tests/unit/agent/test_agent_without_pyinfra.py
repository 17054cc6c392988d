"""The agent comes without pyinfra, so nothing of what it does may need it."""

import subprocess
import sys

HOST = """\
import importlib, pkgutil, sys
for name in ("pyinfra", "gevent", "paramiko"):
    sys.modules[name] = None  # importing it fails, as where it is not installed
import tinykit_ops.cli.host as host
for each in pkgutil.iter_modules(host.__path__):
    importlib.import_module(f"tinykit_ops.cli.host.{each.name}")
for name in ("host.secrets_step", "backup.run", "checks.schedule", "status.look", "watch.run"):
    importlib.import_module(f"tinykit_ops.{name}")
"""


def test_what_an_agent_does_on_its_host_needs_no_pyinfra():
    words = [sys.executable, "-c", HOST]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
