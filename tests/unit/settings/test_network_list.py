"""Lists of networks as CDNs publish them, and everything that may be wrong with one."""

import json

import pytest

from tinykit_ops.settings.network_list import MAX_BYTES, networks_in


def test_lines_with_comments_are_read_sorted_and_once():
    text = "203.0.113.0/24 # here\n\n2001:db8::/32\n203.0.113.0/24\n198.51.100.7\n"
    assert [str(n) for n in networks_in(text)] == [
        "198.51.100.7/32",
        "203.0.113.0/24",
        "2001:db8::/32",
    ]


def test_json_is_read_wherever_the_networks_stand():
    text = json.dumps(
        {"date": "2026-01-01", "sets": [{"v4": ["203.0.113.0/24"]}, {"v6": "2001:db8::/32"}]}
    )
    assert [str(n) for n in networks_in(text)] == ["203.0.113.0/24", "2001:db8::/32"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "names no network"),
        ("# nothing\n", "names no network"),
        ("{}", "names no network"),
        ("[", "is none"),
        ("[" * 100_000, "is none"),
        ("<html>busy</html>", "line 1"),
        ("203.0.113.0/24\n203.0.113.256/24", "line 2"),
        ("203.0.113.7/24", "is no network"),
        ('["203.0.113.0/33"]', "is no network"),
        ("0.0.0.0/0", "too large"),
        ("::/0", "too large"),
        ("64.0.0.0/7\n203.0.113.0/24", "too large"),
        ("x" * (MAX_BYTES + 1), "longer"),
        ("".join(f"{n >> 8}.{n & 255}.1.0/24\n" for n in range(4096, 24_097)), "20001 networks"),
    ],
)
def test_a_list_that_cannot_be_trusted_is_refused_whole(text, reason):
    with pytest.raises(ValueError, match=reason):
        networks_in(text)
