"""Words for people, on stdout or stderr, without anything that a terminal would obey."""

from __future__ import annotations

import re
from typing import Final

import click

_OBEYED: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters but the end of a line and the tab, and those that turn the direction of text."""


def readable(text: str) -> str:
    """A text that may hold what others wrote, such as values and messages of exceptions; control characters escaped."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(text: str, *, err: bool = False) -> None:
    """Print a text.

    Args:
        text: what to print.
        err: on stderr instead of stdout.
    """
    click.echo(readable(text), err=err)
