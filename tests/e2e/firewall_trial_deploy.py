"""A pyinfra deploy of the tests: rules that no inventory could make, put on trial as ours are.

TRIAL_RULES names the file with the rules, TRIAL_SECONDS says how long they may stay unconfirmed,
TRIAL_UNCHECKED=1 brings them to the host although nft would not take them.
"""

import os
from pathlib import Path
from types import SimpleNamespace

from tinykit_ops import layout
from tinykit_ops.deploy.templates import render
from tinykit_ops.ops.firewall import new_rules
from tinykit_ops.ops.tree import File, tree

seconds = int(os.environ["TRIAL_SECONDS"])
settings = SimpleNamespace(firewall=SimpleNamespace(confirm_seconds=seconds))
check = "" if os.environ.get("TRIAL_UNCHECKED") else "/usr/sbin/nft --check --file -"
written = tree(
    name="Write the rules of this trial",
    entries=[
        File(
            layout.FIREWALL_CANDIDATE,
            Path(os.environ["TRIAL_RULES"]).read_text(),
            mode="600",
            check=check,
        ),
        File(
            f"/etc/systemd/system/{layout.FIREWALL_ROLLBACK_TIMER}",
            render("systemd/firewall-rollback.timer.j2", settings=settings),
        ),
    ],
)
new_rules(
    name="Try the rules of this trial",
    confirm_seconds=seconds,
    after=[written],
)
