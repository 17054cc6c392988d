"""`tree`, run by a real shell on real files."""

import grp
import os
import pwd
import shlex
import subprocess
import tempfile
from pathlib import Path

import pytest

from tinykit_ops.ops.tree import Absent, File, Folder, Link, PathStates, converge

ME = pwd.getpwuid(os.getuid()).pw_name
OWNED = {"user": ME, "group": ME}


def states(*entries):
    """What `PathStates` says of the paths now."""
    script = PathStates().command(paths=[entry.path for entry in entries])
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def run(*entries):
    """Run what `tree` would send to a host."""
    command = converge(entries)
    words = shlex.split(command.get_raw_value())
    stdin = command.connector_arguments["_stdin"][0]
    return subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)


def wanted(*entries):
    return [entry.state for entry in entries]


def test_files_folders_and_links_come_to_be_as_wanted(tmp_path):
    entries = (
        Folder(f"{tmp_path}/etc", mode="750", **OWNED),
        File(f"{tmp_path}/etc/one", "first\n", mode="640", **OWNED),
        File(f"{tmp_path}/etc/two", b"\x00\xff binary", **OWNED),
        Link(f"{tmp_path}/link", "etc/one"),
    )
    assert states(*entries) != wanted(*entries)
    assert run(*entries).returncode == 0
    assert states(*entries) == wanted(*entries)
    assert (tmp_path / "link").read_text() == "first\n"
    assert (tmp_path / "etc/two").read_bytes() == b"\x00\xff binary"


def test_a_path_with_spaces_and_quotes_is_taken_literally(tmp_path):
    file = File(f"{tmp_path}/it's $HOME; a name", "x", **OWNED)
    assert run(file).returncode == 0
    assert states(file) == wanted(file)


@pytest.mark.parametrize("change", ["content", "mode"])
def test_a_file_that_was_changed_by_hand_is_seen(tmp_path, change):
    file = File(f"{tmp_path}/file", "ours", **OWNED)
    run(file)
    path = tmp_path / "file"
    path.write_text("theirs") if change == "content" else path.chmod(0o777)
    assert states(file) != wanted(file)


def test_a_link_where_a_file_should_be_is_replaced_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("keep me")
    (tmp_path / "file").symlink_to(victim)
    file = File(f"{tmp_path}/file", "ours", **OWNED)
    assert states(file) != wanted(file)
    assert run(file).returncode == 0
    assert states(file) == wanted(file)
    assert victim.read_text() == "keep me"


def test_a_link_to_a_folder_is_switched_not_entered(tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    (tmp_path / "current").symlink_to("old")
    link = Link(f"{tmp_path}/current", "new")
    assert run(link).returncode == 0
    assert states(link) == wanted(link)
    assert list((tmp_path / "old").iterdir()) == []


def test_what_should_be_absent_goes(tmp_path):
    (tmp_path / "gone").write_text("x")
    entry = Absent(f"{tmp_path}/gone")
    assert run(entry).returncode == 0
    assert states(entry) == ["absent"]


def test_a_failing_check_leaves_every_file_as_it_was(tmp_path):
    (tmp_path / "first").write_text("old")
    (tmp_path / "second").write_text("old")
    first = File(f"{tmp_path}/first", "new", **OWNED)
    second = File(f"{tmp_path}/second", "new", check="grep -q valid", **OWNED)
    assert run(first, second).returncode != 0
    assert (tmp_path / "first").read_text() == "old"
    assert (tmp_path / "second").read_text() == "old"


def test_a_passing_check_reads_the_new_content(tmp_path):
    file = File(f"{tmp_path}/file", "this is valid", check="grep -q valid", **OWNED)
    assert run(file).returncode == 0
    assert states(file) == wanted(file)


def test_a_secret_stands_in_no_argument_and_in_no_printed_command(tmp_path):
    canary = "canary-4711"
    command = converge([File(f"{tmp_path}/secret", canary, mode="600", **OWNED)])
    assert canary not in command.get_raw_value()
    assert canary not in str(command)
    assert canary not in repr(command)


def test_nothing_is_left_behind_in_the_temporary_folder(tmp_path):
    staging = tmp_path / "tmp"
    staging.mkdir()
    command = converge([File(f"{tmp_path}/file", "x", **OWNED)])
    subprocess.run(
        shlex.split(command.get_raw_value()),
        input=command.connector_arguments["_stdin"][0],
        text=True,
        check=True,
        env={**os.environ, "TMPDIR": str(staging)},
    )
    assert list(staging.iterdir()) == []


def test_a_link_where_a_folder_should_be_is_refused_and_what_it_leads_to_is_left_alone(tmp_path):
    """A program that owns the folder around could point root at /etc with it."""
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o755)
    (tmp_path / "folder").symlink_to(victim)
    done = run(Folder(f"{tmp_path}/folder", mode="700", **OWNED))
    assert done.returncode == 1
    assert "is a link to" in done.stderr
    assert victim.stat().st_mode & 0o777 == 0o755


@pytest.fixture
def nobodys():
    """A folder of the user nobody, where nobody can reach it."""
    with tempfile.TemporaryDirectory() as outer:
        Path(outer).chmod(0o755)
        home = Path(outer) / "home"
        home.mkdir(mode=0o700)
        user = pwd.getpwnam("nobody")
        os.chown(home, user.pw_uid, user.pw_gid)
        yield home, grp.getgrgid(user.pw_gid).gr_name


def test_a_folder_inside_a_programs_folder_is_made_as_that_program(nobodys):
    home, group = nobodys
    folder = Folder(f"{home}/data", mode="700", user="nobody", group=group)
    done = run(folder)
    assert done.returncode == 0, done.stderr
    assert states(folder) == wanted(folder)
