"""Texts of the command line as values of attributes, by the types that models declare."""

from __future__ import annotations

# Types of the user's attributes pass through here, so they are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
import base64
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final
from uuid import UUID

import msgspec

from dynamorm_async.codec.builder import bare_type
from dynamorm_async.codec.scalars import parse_timedelta

_BOOLS: Final = {"true": True, "false": False}


def parse_value(text: str, hint: Any) -> Any:  # a value of an attribute's type
    """A text as a value of a type.

    Args:
        text: as it was typed.
        hint: the type annotation of the attribute.

    Raises:
        ValueError: it is none; the message says what is wanted.
    """
    wanted = bare_type(hint)
    if wanted is str:
        return text
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return _member(text, wanted)
    if typing.get_origin(wanted) is typing.Literal:
        return _choice(text, typing.get_args(wanted))
    entry = _PARSERS.get(wanted)
    if entry is None:
        return _json(text)
    form, parse = entry
    try:
        return parse(text)
    except (ValueError, KeyError, InvalidOperation, OverflowError):
        raise ValueError(f"{text!r} is not {form}") from None


def _member(text: str, enum: type[Enum]) -> Enum:
    for member in enum:
        if text in (str(member.value), member.name):
            return member
    raise ValueError(f"{text!r} is none of {', '.join(str(member.value) for member in enum)}")


def _choice(text: str, choices: tuple[Any, ...]) -> Any:  # text, a number or a bool
    for choice in choices:
        plain = choice.value if isinstance(choice, Enum) else choice
        if text == (str(plain).lower() if isinstance(plain, bool) else str(plain)):
            return choice
    raise ValueError(f"{text!r} is none of {', '.join(map(str, choices))}")


def _json(text: str) -> Any:  # whatever JSON holds
    """A value of a type that has no text of its own: what JSON makes of it, else the text itself."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _aware(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if value.utcoffset() is None:
        raise ValueError(text)
    return value


def _number(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError(text)
    return value


def _seconds(text: str) -> timedelta:
    return parse_timedelta(_number(text))


_PARSERS: Final[Mapping[Any, tuple[str, Callable[[str], Any]]]] = {
    int: ("an integer", int),
    float: ("a number", float),
    Decimal: ("a number", _number),
    bool: ("true or false", lambda text: _BOOLS[text.lower()]),
    datetime: ("a date and time with its offset, such as 2026-01-30T12:00:00Z", _aware),
    date: ("a date, such as 2026-01-30", date.fromisoformat),
    timedelta: ("a number of seconds", _seconds),
    UUID: ("a UUID", UUID),
    bytes: ("base64", lambda text: base64.b64decode(text, validate=True)),
}
