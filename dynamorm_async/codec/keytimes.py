"""How a date or a datetime is written as text inside a key: as it is stored, or its fields in a chosen order."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final

from dynamorm_async.codec.keytext import DIGITS, SEPARATOR, TextForm
from dynamorm_async.codec.runs import Run, literal
from dynamorm_async.codec.scalars import dump_datetime, parse_datetime

# Where each field is in the stored text, which has a fixed width. In order of their size.
_FIELDS: Final[Mapping[str, slice]] = {
    "%Y": slice(0, 4),
    "%m": slice(5, 7),
    "%d": slice(8, 10),
    "%H": slice(11, 13),
    "%M": slice(14, 16),
    "%S": slice(17, 19),
    "%f": slice(20, 26),
}
_DATETIME: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
_DATE: Final = "%Y-%m-%d"
_SOME_DATETIME: Final = "2000-01-01T00:00:00.000000Z"  # a leap year and a long month: every other field fits
_SOME_DATE: Final = _SOME_DATETIME[:10]
_pieces: Final = re.compile("%.|[^%]+|%", re.DOTALL).findall
_is_datetime: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
).fullmatch
_is_date: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch


def datetime_form(form: str) -> TextForm | None:
    """How a datetime is written; ``None`` where there is no such format."""
    return _form(form or _DATETIME, _DATETIME, stored_datetime, _SOME_DATETIME)


def date_form(form: str) -> TextForm | None:
    """How a date is written; ``None`` where there is no such format."""
    return _form(form or _DATE, _DATE, stored_date, _SOME_DATE)


def stored_datetime(text: str) -> str:
    """A stored datetime as this library writes it: other programs write offsets, or no microseconds.

    Raises:
        ValueError: it is no ISO 8601 date and time with an offset.
    """
    if _is_datetime(text):
        datetime.fromisoformat(text)  # refuses the 30th of February
        return text
    return dump_datetime(parse_datetime(text))


def stored_date(text: str) -> str:
    """A stored date as this library writes it.

    Raises:
        ValueError: it is no ISO 8601 date.
    """
    found = date.fromisoformat(text)
    return text if _is_date(text) else found.isoformat()


def _form(form: str, stored: str, normal: Callable[[str], str], some: str) -> TextForm | None:
    pieces: list[str] = _pieces(form)
    fields = [piece for piece in pieces if piece.startswith("%")]
    allowed = _pieces(stored)
    if SEPARATOR in form or not fields or not all(field in _FIELDS and field in allowed for field in fields):
        return None
    runs = [
        run for piece in pieces for run in ((Run(DIGITS, count=_width(piece)),) if piece in _FIELDS else literal(piece))
    ]
    known = [field for field in _FIELDS if field in allowed]
    return TextForm(
        "S",
        _maker(form, pieces, stored, normal),
        _reader(form, pieces, stored, some),
        tuple(runs),
        lossless=set(fields) == set(known),
        ordered=fields == known[: len(fields)],
    )


def _maker(form: str, pieces: list[str], stored: str, normal: Callable[[str], str]) -> Callable[[str], str]:
    if form == stored:
        return normal
    if stored.startswith(form):  # the usual ones, such as %Y-%m: a leading part of the stored text
        end = sum(map(_width, pieces))
        return lambda text: normal(text)[:end]
    places = [_FIELDS.get(piece, piece) for piece in pieces]

    def make(text: str) -> str:
        whole = normal(text)
        return "".join([whole[place] if isinstance(place, slice) else place for place in places])

    return make


def _reader(form: str, pieces: list[str], stored: str, some: str) -> Callable[[str], str]:
    """A function from the text to a stored text that has its fields."""
    if stored.startswith(form):
        rest = some[sum(map(_width, pieces)) :]
        return lambda text: text + rest

    def read(text: str) -> str:
        stored, at = list(some), 0
        for piece in pieces:
            end = at + _width(piece)
            if piece in _FIELDS:
                stored[_FIELDS[piece]] = text[at:end].ljust(_width(piece), "?")
            at = end
        return "".join(stored)

    return read


def _width(piece: str) -> int:
    field = _FIELDS.get(piece)
    return len(piece) if field is None else field.stop - field.start
