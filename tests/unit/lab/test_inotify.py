"""Room for the inotify instances of many hosts."""

from tinykit_ops.lab.inotify import make_room


def test_a_low_limit_is_raised_for_many_hosts_and_a_high_one_stays(tmp_path):
    limit = tmp_path / "limit"
    limit.write_text("128\n")
    make_room(20, limit)
    assert int(limit.read_text()) >= 20 * 8 + 128
    limit.write_text("100000\n")
    make_room(20, limit)
    assert limit.read_text() == "100000\n"
