"""What hosts and servers say is told to people, and steers no terminal."""

from __future__ import annotations

import click
import pytest

from tinykit_ops import cli
from tinykit_ops.errors import UnavailableError
from tinykit_ops.fleet.ask import Answer
from tinykit_ops.printable import printable
from tinykit_ops.report.logs import fleet_lines
from tinykit_ops.report.status import status_text
from tinykit_ops.settings.model import Settings
from tinykit_ops.status.model import HostStatus, Level, Line

STEERING = "\x1b]0;owned\x07\x1b[2J\x9b32mAll passed\r"
STEERS = frozenset("\x1b\x07\x9b\r\x00\u202e")


def test_letters_of_all_scripts_and_the_ends_of_lines_stay() -> None:
    text = "Grüße, 世界 ✓\n\tzwei"
    assert printable(text) == text
    assert printable("a\nb", keep="") == "a\ufffdb"


@pytest.mark.parametrize("character", sorted(STEERS))
def test_what_steers_a_terminal_is_marked_instead(character: str) -> None:
    assert printable(f"a{character}b") == "a\ufffdb"


def test_an_error_with_words_of_a_server_steers_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def look() -> None:
        raise UnavailableError("It is not tinykit", where=f"to http://x/{STEERING}", hint="a hint")

    assert cli.run_command(look, []) == UnavailableError.exit_code
    said = capsys.readouterr().err
    assert not STEERS & set(said)
    assert said.count("\n") == 3
    assert "All passed" in said


def test_a_status_and_logs_of_a_host_steer_nothing(settings: Settings) -> None:
    line = Line("disk", Level.WRONG, STEERING, STEERING)
    hosts = [HostStatus("web1", (line,), {"tinykit": STEERING}), HostStatus("b", problem=STEERING)]
    answers = [
        Answer("web1", settings, f"one{STEERING}\ntwo", code=0),
        Answer("web2", settings, "", f"error: {STEERING}", code=1),
    ]
    told = [status_text(hosts), status_text(hosts[:1]), status_text(hosts[1:])]
    told += [*fleet_lines(answers), answers[1].complaint]
    assert not STEERS & set("".join(told))
    assert "".join(told).count("All passed") >= len(told) - 1  # told all the same


@pytest.fixture
def settings() -> Settings:
    return Settings.model_validate(
        {
            "domains": ["apps.example.com"],
            "admin_email": "you@example.com",
            "app": {"git": "https://git.example.com/tinykit", "commit": "0" * 40},
            "access": {"allowlist": ["203.0.113.7"]},
        }
    )
