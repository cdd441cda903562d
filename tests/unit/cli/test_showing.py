"""What is shown of items and documents, and what is not."""

from __future__ import annotations

import datetime as dt
import json
import sys
from decimal import Decimal
from enum import Enum
from pathlib import Path
from uuid import UUID

import attrs
import pytest

from dynamorm_async import Attr, attr, embedded, encrypted, model, partition_key
from dynamorm_async.cli.showing import attributes_of, cell, encoded, show_item, show_table


class Colour(Enum):
    RED = "red"


@embedded
class Card:
    holder: Attr[str]
    number: Attr[str] = attr(secret=True)


@attrs.define
class Plain:
    x: int


@model(table="people")
class Person:
    name: Attr[str] = partition_key()
    pin: Attr[str | None] = attr(default=None, secret=True)
    note: Attr[str | None] = encrypted(default=None)
    card: Attr[Card | None] = attr(default=None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (12345678901234567890123456789012345678, "12345678901234567890123456789012345678"),
        (Decimal("1.10"), "1.10"),
        (Decimal("1E+3"), "1000"),
        (0.1, "0.1"),
        ("ü\n", '"ü\\n"'),
        (b"\x00", '"AA=="'),
        (Colour.RED, '"red"'),
        (dt.datetime(2026, 1, 30, 13, tzinfo=dt.timezone(dt.timedelta(hours=1))), '"2026-01-30T12:00:00Z"'),
        (dt.date(2026, 1, 30), '"2026-01-30"'),
        (dt.timedelta(seconds=1.5), "1.500000"),
        (UUID(int=0), '"00000000-0000-0000-0000-000000000000"'),
        ({"b", "a"}, '["a","b"]'),
        ((1, [2]), "[1,[2]]"),
        ({"a": Decimal(1)}, '{"a":1}'),
        (Plain(1), '{"x":1}'),
        (Plain, '"Plain"'),
        (Path("a/b"), '"a/b"'),
    ],
)
def test_a_value_as_json(value: object, text: str) -> None:
    """Numbers keep every digit, and what JSON has not is a text."""
    assert encoded(value).decode() == text
    json.loads(text)


def test_secrets_are_masked() -> None:
    """Secret and encrypted attributes are masked, at any depth, where they have a value; whether they have one is seen."""
    person = Person(name="ada", pin="1815", note="engine", card=Card(holder="A", number="4711"))
    assert attributes_of(person) == {
        "name": "ada",
        "pin": "***",
        "note": "***",
        "card": {"holder": "A", "number": "***"},
    }
    assert attributes_of(Person(name="bob")) == {"name": "bob", "pin": None, "note": None, "card": None}


def test_an_attribute_that_was_not_read_is_left_out() -> None:
    """An item that was read through an index that does not hold everything has no value to show."""
    person = Person(name="ada")
    del person.__dict__["pin"]
    assert attributes_of(person) == {"name": "ada", "note": None, "card": None}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain text", "plain text"),
        ("\x1b[31mred", '"\\u001b[31mred"'),
        ("two\nlines", '"two\\nlines"'),
        (["\x9b1m"], '["\\u009b1m"]'),
        (None, "-"),
        (3, "3"),
        ({"a": 1}, '{"a":1}'),
    ],
)
def test_a_cell_is_harmless(value: object, text: str) -> None:
    """Nothing of an item can move the cursor of a terminal or change its colours."""
    assert cell(value) == text
    assert cell(value).isprintable()


def test_json_is_harmless() -> None:
    """It stays the same JSON, and a terminal that it is shown on obeys nothing of it."""
    document = {"é\u009b2J": "\x7f\u202eabc\u2069 \U0001f600\\"}
    text = encoded(document).decode()
    assert text == '{"é\\u009b2J":"\\u007f\\u202eabc\\u2069 \U0001f600\\\\"}'
    assert text.isprintable()
    assert json.loads(text) == document


def test_a_long_cell_is_cut() -> None:
    """A table has columns of a bounded width; a single item is shown whole."""
    assert cell("x" * 50, most=10) == "x" * 9 + "…"
    assert cell("x" * 50) == "x" * 50


def test_columns_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    """A column for each attribute that any item has."""
    show_table([{"a": 1, "b": "long"}, {"a": 100, "c": True}])
    assert capsys.readouterr().out.splitlines() == ["a    b     c", "1    long", "100        true"]
    show_item({"a": 1, "long": "x"})
    assert capsys.readouterr().out.splitlines() == ["a     1", "long  x"]


def test_a_terminal_has_a_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the table is rich's, and what looks like its markup is shown as it is."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    show_table([{"name": "[red]x[/red]"}])
    assert "[red]x[/red]" in capsys.readouterr().out
