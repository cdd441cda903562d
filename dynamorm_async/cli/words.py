"""What the packages call an argument, the command line calls an option: their sentences in its words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import click

CALLS: Final[Mapping[str, str]] = {
    "name one with using(...)": "name one with --index NAME",
    "db.tables.ensure(Model) makes it": "dynamorm apply makes it",
    "Migrations(db, folder).new(name) makes it": "dynamorm migrate new NAME makes it",
    "new(name, models=()) writes an empty one": "dynamorm migrate new NAME without --models writes an empty one",
    "call up() before new(), which compares": "run dynamorm migrate up before, for this compares",
    "down() finishes it": "dynamorm migrate down finishes it",
    "or stamp() the ledger": "or dynamorm migrate stamp the ledger",
}
"""Calls that sentences of the packages advise, and the commands that do the same."""


def in_options(text: str, command: click.Command) -> str:
    """A text with the options of a command in the place of the arguments of a call.

    ``allow="delete_index"`` becomes ``--allow delete_index``, ``decrypt=True`` ``--decrypt``, ``allow_scan()`` ``--allow-scan``.

    Args:
        text: of an error or a plan.
        command: whose options are meant.
    """
    for option in command.params:
        if not isinstance(option, click.Option):
            continue
        name, flag = re.escape(option.name), max(option.opts, key=len)
        if option.is_flag:
            text = re.sub(rf"(?<![\w-])\.?{name}(?:=True|\(\))", flag, text)
        else:
            text = re.sub(rf"(?<![\w-]){name}=(?:\"([^\"]*)\"|'([^']*)'|(\.\.\.|\d+))", rf"{flag} \1\2\3", text)
    for call, words in CALLS.items():
        text = text.replace(call, words)
    return text
