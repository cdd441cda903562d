"""What the packages call an argument, the command line calls an option: their sentences in its words."""

from __future__ import annotations

import re

import click


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
    if any(option.name == "index" for option in command.params):
        text = text.replace("using(...)", "--index NAME")
    return text.replace("db.tables.ensure(Model) makes it", "dynamorm apply makes it")
