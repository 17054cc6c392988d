"""Values in templates mean what they say, whatever is in them."""

import pytest

from tinykit_ops.deploy.pocketbase import CREDENTIALS
from tinykit_ops.deploy.templates import render, systemd_quoted


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("A=you@example.com", '"A=you@example.com"'),
        ("A=o'brien@example.com", '"A=o\'brien@example.com"'),
        ("A=a%b@example.com", '"A=a%%b@example.com"'),
        ('A=a"b\\c', '"A=a\\"b\\\\c"'),
    ],
)
def test_a_word_of_a_unit_is_quoted(value, word):
    assert systemd_quoted(value) == word


def test_an_odd_but_legal_superuser_is_quoted_in_pocketbases_unit(make_settings):
    settings = make_settings(superuser_email="o'b%rien+%n@example.com")
    text = render(
        "systemd/pocketbase.service.j2", settings=settings, directories="", credentials=CREDENTIALS
    )
    (line,) = [line for line in text.splitlines() if "SUPERUSER_EMAIL" in line]
    assert line == 'Environment="TINYKIT_OPS_SUPERUSER_EMAIL=o\'b%%rien+%%n@example.com"'
