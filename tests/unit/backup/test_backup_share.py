"""Which uploads a partial verification reads."""

import pytest

from tinykit_ops.backup.share import WHOLE, Share
from tinykit_ops.errors import UsageError

KEYS = [f"uploads/{n:02x}/{n * 7919:064x}.zst" for n in range(300)]


@pytest.mark.parametrize("parts", [1, 2, 7, 30])
def test_over_all_parts_every_upload_is_read_exactly_once(parts):
    read = [key for n in range(1, parts + 1) for key in KEYS if Share(n, parts).holds(key)]
    assert sorted(read) == sorted(KEYS)


def test_the_whole_leaves_nothing_out():
    assert all(WHOLE.holds(key) for key in KEYS)
    assert Share.parse("1/1").is_whole


def test_a_part_is_a_real_part():
    read = [key for key in KEYS if Share(3, 7).holds(key)]
    assert 0 < len(read) < len(KEYS) / 3


@pytest.mark.parametrize("text", ["", "7", "0/7", "8/7", "1/0", "-1/7", "a/b", "1/7/2", "1/99999"])
def test_what_is_no_part_is_refused_with_an_example(text):
    with pytest.raises(UsageError) as caught:
        Share.parse(text)
    assert "2/7" in caught.value.hint
