"""Request targets that both proxies refuse, and how patterns of the table are read."""

import shutil
import subprocess
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinykit_ops.edge.paths import TRICKS, is_trick, matches, normalise


@pytest.mark.parametrize(
    "target",
    [
        *("", "*", "tinykit", "http://h/x", "?x", "/..", "/.", "/./x", "/x/..", "/x/../y"),
        *("//", "/x//y", "/\\", "/%5C", "/%2f", "/%2F", "/%2e%2E", "/%2Ex", "/%00"),
        *("/%1f", "/%7F", "/%2541", "/#", "/x y", "/\t", "/\x7f", "/\n"),
        *("/_pb/%C5%BF", "/_pb/x/\u017f?y", "/_PB/\u212a", "/_pb/\xe4"),
    ],
)
def test_a_target_that_two_readers_take_for_two_paths_is_a_trick(target):
    assert is_trick(target)


@pytest.mark.parametrize(
    "target",
    [
        *("/", "/x/", "/a..b", "/..a", "/.well-known/x", "/x.", "/a%20b", "/100%25", "/%25zz"),
        *("/ä", "/%C3%A4", "/x?y=//&z=/../%2f%00\\#", "/x;y", "/@a/+b/~c", "/a:b", "/{x}"),
        *("/\u017f", "/%C5%BF", "/_pb/api/x?filter=%C5%BF\u017f"),
    ],
)
def test_what_honest_clients_send_is_none(target):
    assert not is_trick(target)


PIECES = ["/", ".", "..", "%2e", "%2F", "%5c", "\\", "%74", "tinykit", "x", ";", "_pb", "%25"]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map(lambda parts: "/" + "".join(parts)))
def test_in_a_target_that_is_no_trick_there_is_nothing_left_to_resolve(target):
    # A proxy decodes once; the table is compared with whatever any reader could make of it.
    if not is_trick(target):
        decoded_once = unquote(target).lower()
        assert normalise(target) == (decoded_once.rstrip("/") or "/")


def test_the_expression_holds_nothing_that_a_proxys_quoting_would_change():
    assert not set(TRICKS) & set("{}\"'` \t\n")
    assert "\\\\" not in TRICKS


@pytest.mark.skipif(not shutil.which("perl"), reason="no perl here to read it as PCRE does")
def test_perl_reads_the_expression_as_python_does():
    targets = [
        "/x/../y",
        "/x",
        "/_pb/\u017f",
        "/_pb/k",
        "/%2f",
        "/?x=//",
        "/a..b",
        "//",
        "http://h/",
        "/%2574",
    ]
    script = f"for (@ARGV) {{ print /{TRICKS.replace('/', chr(92) + '/')}/ ? 1 : 0 }}"
    done = subprocess.run(["perl", "-e", script, *targets], capture_output=True, check=True)
    assert done.stdout.decode() == "".join(str(int(is_trick(target))) for target in targets)


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("/login", "/login", True),
        ("/login", "/login/x", False),
        ("/login/*", "/login", True),
        ("/login/*", "/logins", False),
        ("/.*", "/.git/config", True),
        ("/a/*/b", "/a/x/b", True),
        ("/a/*/b", "/a/x/y/b", False),
        ("/a/[x]/*", "/a/[x]/y", True),
    ],
)
def test_patterns_cover_what_they_say(pattern, path, covered):
    assert matches(pattern, path) == covered
