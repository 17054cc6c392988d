"""Authentication: who may have an account."""

from __future__ import annotations

from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import (
    Area,
    Remedy,
    Severity,
    Vantage,
    Verdict,
    failed,
    passed,
    unknown,
)
from tinykit_ops.checks.registry import check
from tinykit_ops.edge.probe import REFUSALS, is_pocketbase_error, leads_to_a_door

_SIGN_UP = "/_pb/api/collections/users/records"


@check(
    id="authentication.sign-up-closed",
    title="Nobody can make an account for themselves",
    area=Area.AUTHENTICATION,
    severity=Severity.CRITICAL,
    looks_from=Vantage.OUTSIDER,
    checklist="Builder access by PocketBase authentication; one account a person",
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, collection `users`, API Rules: lock the Create rule "
        "(superusers only). Every account of `users` sees every project."
    ),
)
def sign_up_is_closed(look: Context) -> Verdict:
    """Posts an empty account. PocketBase judges the rule before the fields, and an account
    without a password is never made, so nothing can come of it."""
    answer = look.at_builder(look.stranger).send(
        "POST", _SIGN_UP, headers={"content-type": "application/json"}, body="{}"
    )
    if not is_pocketbase_error(answer):
        if answer.status in REFUSALS or leads_to_a_door(answer):
            return passed(f"{answer}, before it reached PocketBase")
        return unknown(f"{answer}, which neither PocketBase nor a refusal looks like")
    if answer.status == 403:
        return passed(f"{answer}: PocketBase lets only superusers make accounts")
    if "validation_" in answer.text:
        return failed(f"{answer}: PocketBase only missed a password, so anybody may sign up")
    if answer.status == 400:
        return failed(f"{answer}: users.createRule is a condition, not locked")
    return unknown(f"{answer}, which says nothing about accounts")
