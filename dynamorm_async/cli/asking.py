"""Asks before what cannot be taken back."""

from __future__ import annotations

import sys

import click

from dynamorm_async.cli.failures import REFUSED
from dynamorm_async.cli.saying import say

yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask before what takes something away.")


def confirm(deed: str, *, yes: bool) -> None:
    """Go on only where the user says so. Asks on stderr, so that stdout holds nothing but data.

    Args:
        deed: what is going to be done, such as ``replace items of User``.
        yes: whether ``--yes`` was given.

    Raises:
        click.exceptions.Exit: with 4, where the answer is no, or nobody can be asked.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        say(f"Refused: this would {deed}, and nobody can be asked here. Add --yes where that is meant.", err=True)
    elif click.confirm(f"This will {deed}. Go on?", err=True):
        return
    else:
        say("Refused: nothing was changed.", err=True)
    raise click.exceptions.Exit(REFUSED)
