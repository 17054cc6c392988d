"""No deploy changes a host that another controller is changing."""

import ast
from pathlib import Path

import pytest

DEPLOYS = sorted((Path(__file__).parents[3] / "deploys").glob("*.py"))
#: Operations that only look, so that they may come before.
LOOKS = {"refuse"}


def operations(tree):
    """Names of the functions that are called with `name="…"`, and of `hold_host`, in order."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [
        call
        for call in calls
        if isinstance(call.func, ast.Name)
        and (call.func.id == "hold_host" or any(word.arg == "name" for word in call.keywords))
    ]
    return [call.func.id for call in sorted(named, key=lambda call: call.lineno)]


@pytest.mark.parametrize(
    "deploy", [path for path in DEPLOYS if path.name != "full.py"], ids=lambda path: path.name
)
def test_a_deploy_holds_the_host_before_its_first_change(deploy):
    found = operations(ast.parse(deploy.read_text()))
    assert "hold_host" in found
    assert set(found[: found.index("hold_host")]) <= LOOKS
