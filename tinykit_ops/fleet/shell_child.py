"""The process in which pyinfra runs a shell script on one host; see `shell`.

It reads `{"host", "data", "script", "seconds"}` from standard input and prints `{"out"}` or
`{"problem"}`, both JSON.
"""

# ruff: noqa: E402 - gevent's replacements must come before everything that they replace
from gevent import monkey  # type: ignore[import-untyped]

monkey.patch_all()

import json
import os
import sys
from typing import Any

from pyinfra.api.command import StringCommand
from pyinfra.api.config import Config
from pyinfra.api.exceptions import ConnectError
from pyinfra.api.inventory import Inventory
from pyinfra.api.state import State


def main() -> None:
    """Answer one request."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # pyinfra talks; only the answer belongs on standard output
    answer = _run(json.load(sys.stdin))
    with out:
        json.dump(answer, out)


def _run(request: dict[str, Any]) -> dict[str, str]:
    name = request["host"]
    # What begins with an underscore is for the command, the rest for the connection.
    arguments = {key: value for key, value in request["data"].items() if key.startswith("_")}
    inventory = Inventory(([(name, request["data"])], {}))  # type: ignore[no-untyped-call]
    State(inventory, Config())  # type: ignore[no-untyped-call]
    (host,) = list(inventory)
    try:
        host.connect(show_errors=False, raise_exceptions=True)
        done, output = host.run_shell_command(
            StringCommand("sh -s"),
            print_output=False,
            _stdin=request["script"],
            _timeout=request["seconds"],
            **arguments,
        )
    except ConnectError as error:
        return {"problem": f"no connection to {name}: {error}"}
    except Exception as error:  # whatever a connector raises
        return {"problem": f"{name}: {type(error).__name__}: {error}"}
    if not done:
        last = (output.stderr.strip().splitlines() or ["nothing"])[-1]
        return {"problem": f"the shell on {name} said: {last[:300]}"}
    return {"out": output.stdout}


if __name__ == "__main__":
    main()
