import fnmatch
import re
from inspect import getdoc
from pathlib import Path

import pytest

from tinykit_ops.checks import reference
from tinykit_ops.checks.model import Area, Remedy, Severity, Vantage, Verdict, passed
from tinykit_ops.checks.registry import all_checks, check, check_named, select
from tinykit_ops.checks.waivers import reported_checks
from tinykit_ops.errors import UsageError

ROOT = Path(__file__).parents[3]


def test_ids_are_unique_and_never_change() -> None:
    """Waivers and history refer to them: add, but do not rename."""
    ids = [each.id for each in all_checks()]
    assert len(set(ids)) == len(ids)
    assert set(ids) >= {
        "authentication.sign-up-closed",
        "backups.fresh",
        "builder.dangerous-routes-closed",
        "builder.gated",
        "builder.no-way-around",
        "builder.setup-closed",
        "files.units-hardened",
        "https.certificate",
        "https.redirect",
        "network.firewall-drops",
        "network.loopback-only",
        "network.ports-closed",
        "proxy.dashboard-gated",
        "secrets.database-private",
        "secrets.environment-file",
        "secrets.setup-marker",
        "versions.agent",
    }


def test_every_check_says_how_it_looks_and_what_to_do() -> None:
    for each in all_checks():
        assert getdoc(each.look), each.id
        assert each.title and each.checklist and each.remedy.by_hand, each.id
        assert not each.title.endswith("."), each.id


@pytest.mark.parametrize("bad", ["setup", "network.x", "builder.Setup", "builder.a_b", "builder."])
def test_an_id_of_the_wrong_form_or_area_is_refused_where_it_is_declared(bad: str) -> None:
    with pytest.raises(ValueError, match="builder"):
        check(
            id=bad,
            title="t",
            area=Area.BUILDER,
            severity=Severity.LOW,
            looks_from=Vantage.HOST,
            checklist="c",
            remedy=Remedy(by_hand="r"),
        )


def test_a_declared_function_can_still_be_called() -> None:
    @check(
        id="builder.example",
        title="t",
        area=Area.BUILDER,
        severity=Severity.LOW,
        looks_from=Vantage.HOST,
        checklist="c",
        remedy=Remedy(by_hand="r"),
    )
    def look(_: object) -> Verdict:
        return passed("seen")

    assert look(None) == passed("seen")


def test_checks_are_chosen_by_id_area_or_vantage() -> None:
    assert [each.id for each in select(["https.redirect"])] == ["https.redirect"]
    assert {each.area for each in select(["https", "network"])} == {Area.HTTPS, Area.NETWORK}
    assert {each.looks_from for each in select(["host"])} == {Vantage.HOST}
    assert "https.redirect" not in [each.id for each in select(skip=["https.redirect"])]


def test_choosing_what_does_not_exist_is_an_error_not_an_empty_pass() -> None:
    with pytest.raises(UsageError, match="nosuch"):
        select(["nosuch"])
    with pytest.raises(UsageError, match="nosuch"):
        select(skip=["nosuch"])
    with pytest.raises(UsageError, match="No check is left"):
        select(["https"], ["https"])
    with pytest.raises(UsageError, match="nosuch"):
        check_named("nosuch")


def test_the_page_of_all_checks_is_up_to_date() -> None:
    page = (ROOT / "docs/checks.md").read_text()
    assert page == reference.page(all_checks()), (
        "run: python -m tinykit_ops.checks.reference > docs/checks.md"
    )


def test_the_readme_tells_how_many_checks_there_are_and_names_none_that_is_not_there() -> None:
    readme = (ROOT / "README.md").read_text()
    known = [check.id for check in reported_checks()]
    assert f"The checklist has {len(known)} checks" in readme
    assert f"with {len(known)} checks" in (ROOT / "CHANGELOG.md").read_text()
    areas = {check.partition(".")[0] for check in known}
    named = [id for id in re.findall(r"`([a-z]+\.[a-z*-]+)`", readme) if id.split(".")[0] in areas]
    missing = [one for one in named if not fnmatch.filter(known, one)]
    assert (missing, bool(named)) == ([], True)
    unnamed = areas - {one.partition(".")[0] for one in named}
    assert unnamed <= {"waivers"}


def test_explain_tells_everything_about_a_check() -> None:
    text = reference.explain(check_named("https.redirect"))
    assert "https.redirect" in text
    assert "remedy (nginx):" in text
    assert "return 308" in text
