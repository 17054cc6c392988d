import pytest

from tinykit_ops.checks.model import CannotLook
from tinykit_ops.checks.target import parse_target
from tinykit_ops.errors import UsageError


def test_a_bare_name_means_https() -> None:
    target = parse_target("Apps.Example.com")
    assert (target.url, target.port, target.http_port) == ("https://apps.example.com", 443, 80)


def test_international_names_are_sent_in_ascii() -> None:
    assert parse_target("https://bücher.example").host == "xn--bcher-kva.example"


def test_ports_and_ipv6_addresses_are_understood() -> None:
    target = parse_target("https://[2001:DB8::7]:8443/", http_port=8080)
    assert target.url == "https://[2001:db8::7]:8443"
    assert target.http_port == 8080
    assert target.addresses(8443) == ("2001:db8::7",)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "https://",
        "ftp://apps.example.com",
        "https://user:hunter2@apps.example.com",
        "https://apps.example.com/tinykit",
        "https://apps.example.com/?x",
        "https://apps.example.com:99999",
        "https://apps.example.com:http",
        "https://[::g]",
        "https://" + "a" * 70 + ".example",
    ],
)
def test_what_is_no_instance_is_refused_without_repeating_a_password(bad: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_target(bad)
    assert "hunter2" not in str(error.value)


def test_resolve_stands_in_for_dns_also_for_other_ports_and_names_of_the_instance() -> None:
    target = parse_target("apps.example.test", resolve=("apps.example.test:443:192.0.2.7,[::1]",))
    assert target.addresses(443) == ("192.0.2.7", "::1")
    assert target.addresses(80) == ("192.0.2.7", "::1")
    assert target.addresses(443, "other.example.test") == ("192.0.2.7", "::1")


@pytest.mark.parametrize("bad", ["apps", "apps:443", "apps:x:192.0.2.7", "apps:443:nowhere", "::"])
def test_a_wrong_resolve_is_refused(bad: str) -> None:
    with pytest.raises(UsageError, match="--resolve"):
        parse_target("apps.example.test", resolve=(bad,))


def test_a_name_that_does_not_resolve_cannot_be_looked_at() -> None:
    with pytest.raises(CannotLook, match="does not resolve"):
        parse_target("nothing.invalid").addresses(443)
