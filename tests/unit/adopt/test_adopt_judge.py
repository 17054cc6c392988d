"""What a host shows, and what it means for taking the install over."""

from __future__ import annotations

import pytest
from adopt_hosts import CADDYFILE, COMMIT, HOME, HostSeen, with_docker, with_shell, with_units

from tinykit_ops.adopt.facts import read_facts
from tinykit_ops.adopt.judge import judge
from tinykit_ops.adopt.model import Answers
from tinykit_ops.errors import UnavailableError
from tinykit_ops.report.adopt import install_text

RELEASE = Answers(release="app.tar.zst")


def names(install):
    return [(piece.kind, piece.name, piece.roles) for piece in install.pieces]


def test_units_behind_caddy_leave_no_question_but_the_release():
    install = judge(with_units().facts())
    assert install.layout == "systemd"
    assert names(install) == [
        ("unit", "caddy.service", ("edge",)),
        ("unit", "tinykit.service", ("tinykit",)),
        ("unit", "pocketbase.service", ("pocketbase",)),
    ]
    assert install.domains == ("apps.example.com", "build.example.com")
    assert (install.pocketbase, install.data) == ("0.23.4", f"{HOME}/pocketbase/pb_data")
    assert (install.email, install.commit) == ("ann@example.com", COMMIT)
    assert [COMMIT in question for question in install.questions] == [True]
    assert judge(with_units().facts(), RELEASE).questions == ()
    assert install.blockers == install.losses == ()


def test_a_container_is_one_piece_and_its_data_is_in_the_volume():
    answers = Answers(release="app.tar.zst", domains=("apps.example.com",))
    install = judge(with_docker().facts(), answers)
    assert install.layout == "docker"
    assert names(install) == [("container", "docker-crud-one-1", ("tinykit", "pocketbase"))]
    assert install.data == "/var/lib/docker/volumes/tk_data/_data"
    assert install.url == "http://127.0.0.1:8080"
    assert install.pocketbase_url == "http://127.0.0.1:8080/_pb"
    assert install.blockers == install.questions == install.losses == ()


def test_data_inside_a_container_is_in_the_way():
    install = judge(with_docker(volume=False).facts())
    assert any("in no volume" in why for why in install.blockers)


def test_programs_of_a_shell_are_one_tree_below_it():
    install = judge(with_shell().facts())
    assert install.layout == "bare"
    assert names(install) == [("process", "70", ("tinykit", "pocketbase"))]
    assert any("--domain" in question for question in install.questions)


def test_a_passing_unit_is_stopped_as_a_unit_and_started_again_as_a_process():
    host = with_units()
    host.unit("tinykit.service", "/run/systemd/transient/tinykit.service", pid=200)
    piece = judge(host.facts()).of("tinykit")[0]
    assert (piece.kind, piece.name, piece.unit) == ("process", "200", "tinykit.service")


def test_what_a_person_answers_wins():
    answers = Answers(domains=("b.example.com",), email="bob@example.com", data="/data")
    install = judge(with_units().facts(), answers)
    assert (install.domains, install.email) == (("b.example.com",), "bob@example.com")
    assert install.data == "/data"


def test_other_sites_and_ports_are_told_as_losses():
    host = with_units()
    host.say("proxy", "caddy", CADDYFILE + "blog.example.com {\n\troot * /srv/blog\n}\n")
    host.listen("0.0.0.0:5432", "postgres", 900)
    host.listen("127.0.0.1:6379", "redis", 901)
    losses = " ".join(judge(host.facts()).losses)
    assert "blog.example.com" in losses
    assert "5432 (postgres)" in losses
    assert "6379" not in losses


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda host: host.pocketbase(version="0.22.9"), "older than 0.23.4"),
        (
            lambda host: host.pocketbase(database="/var/lib/pocketbase/pb_data/data.db"),
            "has its own",
        ),
        (lambda host: host.say("cron", "lines", "/etc/crontab:3:@reboot web tinykit"), "at boot"),
        (lambda host: host.say("there", "/etc/tinykit/environment", "root:root 600"), "in the way"),
    ],
)
def test_what_cannot_be_converted_is_in_the_way(change, why):
    host = with_units()
    change(host)
    assert any(why in blocker for blocker in judge(host.facts()).blockers)


def test_a_supervisor_that_is_not_systemd_is_in_the_way():
    host = with_shell()
    host.process(60, 1, "/usr/bin/node", "PM2 v5.3.0: God")
    assert any("PM2" in why and "anew" in why for why in judge(host.facts()).blockers)


def test_a_unit_of_a_users_own_systemd_is_in_the_way():
    host = with_units()
    path = "/user.slice/user-1000.slice/user@1000.service/app.slice/tinykit.service"
    host.tinykit(cgroup=f"0::{path}\n")
    assert any("--user" in why for why in judge(host.facts()).blockers)


def test_a_host_without_any_and_a_login_without_rights_say_so():
    assert "no tinykit" in judge(HostSeen().facts()).blockers[0]
    ours = HostSeen()
    ours.say("system", "ours", "yes")
    assert "already" in judge(ours.facts()).blockers[0]
    assert "_sudo=True" in judge(HostSeen(user="ann").facts()).blockers[0]


def test_a_host_that_says_something_else_is_an_error():
    with pytest.raises(UnavailableError, match="what it looks like"):
        read_facts("Welcome to my server\n")


def test_the_report_shows_no_control_characters_of_the_host():
    host = with_units()
    host.say("marker-email", HOME, "ann\x1b[31m@example.com")
    assert "\x1b" not in install_text("apps.example.com", judge(host.facts()))


def test_a_line_of_cron_is_named_and_not_shown():
    host = with_units()
    host.say("cron", "lines", "/etc/crontab:7:0 3 * * * root dump-tinykit --password hunter2\n")
    install = judge(host.facts())
    assert install.cron == ("/etc/crontab:7",)
    assert "hunter2" not in install.model_dump_json()
