"""A few points of `scripts/soak backup-kills`, and the one that once went wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from backup_kit import Instance, S3Server
from campaign_bench import CountingProxy
from kill_campaign import KillCampaign
from kill_points import at_completion


@pytest.fixture
def campaign(instance: Instance, s3: S3Server) -> Iterator[KillCampaign]:
    with CountingProxy(s3.port) as proxy:
        yield KillCampaign(instance, s3, proxy, seed=7)


def test_after_a_kill_anywhere_no_half_snapshot_is_listed_and_the_next_run_goes_on(
    campaign: KillCampaign,
) -> None:
    points = list(campaign.points(4))
    assert not [fault for one in points for fault in one.faults]
    assert campaign.finish() == []


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "clear"])
def test_a_big_upload_that_was_completed_but_not_noted_is_not_sent_again(
    campaign: KillCampaign, sealed: bool
) -> None:
    campaign.prepare(sealed=sealed)
    killed = campaign.point(at_completion(campaign.proxy, after=True))
    assert killed.hit and killed.faults == []
    assert killed.resent < 1 << 20
