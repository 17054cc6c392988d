"""Is it tinykit that answers? Nothing else is probed."""

from __future__ import annotations

from tinykit_ops.checks.answer import Answer
from tinykit_ops.checks.http import CertificateProblem, Client
from tinykit_ops.checks.model import CannotLook
from tinykit_ops.errors import UnavailableError

#: tinykit answers any placeholder with this picture, whatever the host name.
PATH = "/_tk/assets/placeholder.jpg"


def is_picture(answer: Answer) -> bool:
    """Is this tinykit's placeholder picture?"""
    return answer.status == 200 and answer.text.lstrip().startswith("<svg")


def recognise(client: Client, *, force: bool = False) -> list[str]:
    """Make sure that a client aims at a tinykit instance.

    An invalid certificate is no reason to stop, but a finding: from there on the client does not
    verify it.

    Args:
        force: go on whatever answers.

    Returns:
        Remarks for the report.

    Raises:
        UnavailableError: nothing answers, or it is not tinykit.
    """
    remarks: list[str] = []
    try:
        try:
            answer = client.get(PATH)
        except CertificateProblem as problem:
            client.verify = False
            remarks.append(
                f"The certificate is not valid ({problem}): what follows came over a connection "
                "that somebody else may have answered."
            )
            answer = client.get(PATH)
    except CannotLook as reason:
        if force:
            return [*remarks, f"Nothing was recognised: {reason}"]
        raise UnavailableError(
            "The instance does not answer",
            where=f"{client.target.url} ({reason})",
            hint="Is the address right, and is it reachable from here? --resolve stands in for "
            "DNS; --force checks it nevertheless.",
        ) from None
    if is_picture(answer):
        return remarks
    if force:
        return [*remarks, f"It does not look like tinykit: {answer}"]
    raise UnavailableError(
        "This does not look like tinykit, so nothing more was asked",
        where=f"{client.target.url} ({answer})",
        hint="Is this a domain of the instance? --force checks it nevertheless.",
    )
