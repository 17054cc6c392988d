"""Many visitors of a published page at one address, with the limits that an instance has as it is.

tinykit sends visitors to the builder when PocketBase does not answer it, so a limit at the wrong
place shows as a redirect. What is asserted is what each visitor got, not how soon.
"""

from __future__ import annotations

import pytest
from edge_switches import KINDS, State
from edge_traffic import FINE, Traffic, answers, publish

from tinykit_ops import layout
from tinykit_ops.lab.inventory import ADMIN_EMAIL

pytestmark = pytest.mark.lab

#: Requests a second, on kept connections and on one of their own each.
RATES = {"pool": 150, "own": 50}
#: More than three times what PocketBase by itself lets one address ask for in ten seconds, 300.
VISITS = 1000


@pytest.fixture(scope="module", params=KINDS)
def site(request, switched_site):
    """The instance behind each proxy, with a published page."""
    first = switched_site.state is None
    switched_site.bring(State(kind=request.param))
    if first:
        publish(switched_site.host, ADMIN_EMAIL)
    return switched_site


def test_nobody_of_many_visitors_is_limited_or_sent_to_the_builder(site):
    # Also while tinykit is fresh, and has not logged in at PocketBase before.
    site.host.run(["systemctl", "restart", layout.TINYKIT_UNIT])
    with Traffic(site.lab, RATES, VISITS) as traffic:
        pass
    seconds = max(v.ended for v in traffic.visits) - min(v.began for v in traffic.visits)
    print(f"{len(traffic.visits) / seconds:.0f} requests a second")
    assert answers(traffic.visits) == {FINE: VISITS}
