"""Sentences of the packages in the words of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynamorm_async.cli.app import app
from dynamorm_async.cli.words import CALLS, in_options

COMMANDS = app.commands
PACKAGE = Path(__file__).parents[3] / "dynamorm_async"


@pytest.mark.parametrize(
    ("command", "text", "said"),
    [
        (
            "plan",
            'not declared; allow="delete_index" lets the plan do it',
            "not declared; --allow delete_index lets the plan do it",
        ),
        ("export", "Say decrypt=True where that is meant", "Say --decrypt where that is meant"),
        ("export", 'with format="dynamodb"', "with --format dynamodb"),
        ("export", "replace it with overwrite=True", "replace it with --overwrite"),
        ("import", 'import with mode="new", into', "import with --mode new, into"),
        ("import", "go on with start_at=17", "go on with --start-at 17"),
        ("query", "or insist with .allow_scan()", "or insist with --allow-scan"),
        ("query", "name one with using(...)", "name one with --index NAME"),
        ("query", "with_hidden() returns them", "--with-hidden returns them"),
        ("apply", "or wait longer with timeout=...", "or wait longer with --timeout ..."),
        ("migrate", "restore it, or stamp() the ledger", "restore it, or dynamorm migrate stamp the ledger"),
        ("get", "db.tables.ensure(Model) makes it", "dynamorm apply makes it"),
        ("plan", "decrypt=True means nothing here", "decrypt=True means nothing here"),
        ("query", "my_limit=3 is another word", "my_limit=3 is another word"),
    ],
)
def test_arguments_are_options(command: str, text: str, said: str) -> None:
    """What a command has an option for is told by that; all else stays."""
    assert in_options(text, COMMANDS[command]) == said


def test_the_calls_are_still_advised() -> None:
    """Every call that is told in other words stands in a sentence of a package."""
    sources = [path.read_text() for path in PACKAGE.rglob("*.py") if "cli" not in path.parts]
    assert [call for call in CALLS if not any(call in source for source in sources)] == []
