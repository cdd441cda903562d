"""What others wrote is printed without anything that a terminal would obey."""

from __future__ import annotations

import pytest

from dynamorm_async.cli.saying import readable, say


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("two\nlines\tand é", "two\nlines\tand é"),
        ("a\x1b[2Jb", "a\\u001b[2Jb"),
        ("a\x9b2Jb\x7f", "a\\u009b2Jb\\u007f"),
        ("a\u202eb\r", "a\\u202eb\\u000d"),
    ],
)
def test_control_characters_are_escaped(text: str, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Ends of lines and tabs stay; all that moves a cursor, clears a screen or turns text round is shown as what it is."""
    assert readable(text) == printed
    say(text)
    assert capsys.readouterr().out == printed + "\n"
