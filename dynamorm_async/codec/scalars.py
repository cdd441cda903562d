"""One function a scalar type and direction: Python value to wire content, and back.

The ``dump_`` functions are strict: a value of another type raises ``InvalidValue``, so that nothing reaches
DynamoDB under a wrong type. The compiled codec and the cattrs converter share them.
"""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from enum import Enum
from typing import Any, get_args
from uuid import UUID

import msgspec

from dynamorm_async.codec.numbers import decimal_text, float_text, int_text, parse_decimal, parse_number, shorten
from dynamorm_async.errors import InvalidValue

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)
_EXACT = Context(prec=200)  # not the caller's, which may round
_LONGEST = Decimal(timedelta.max // _MICROSECOND).scaleb(-6, _EXACT)
_SHORTEST = Decimal(timedelta.min // _MICROSECOND).scaleb(-6, _EXACT)


def wrong_type(value: object, expected: str) -> InvalidValue:
    """The error for a value of another type than its attribute's."""
    text = repr(value)
    shown = text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - what fits in a message
    return InvalidValue(f"expected {expected}, got {shown} ({type(value).__name__})")


def dump_str(value: object) -> str:
    if isinstance(value, str) and not isinstance(value, Enum):
        return str.__str__(value)
    raise wrong_type(value, "str")


def dump_int(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool | Enum):
        return int_text(value)
    raise wrong_type(value, "int")


def dump_float(value: object) -> str:
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int_text(value)
    raise wrong_type(value, "float")


def dump_decimal(value: object) -> str:
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int_text(value)
    raise wrong_type(value, "Decimal")


def dump_bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise wrong_type(value, "bool")


def dump_bytes(value: object) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise wrong_type(value, "bytes")


def dump_datetime(value: object) -> str:
    """UTC, fixed width, microseconds: text order is time order."""
    if type(value) is datetime and value.tzinfo is UTC:  # as most often
        written: str = msgspec.to_builtins(value)  # it leaves the fraction out where that is zero
        return written if "." in written else f"{written[:-1]}.000000Z"
    if not isinstance(value, datetime):
        raise wrong_type(value, "datetime")
    # "2026-01-02T03:04:05.000006+00:00": the offset is always the last six characters in UTC.
    return _in_utc(value).isoformat(timespec="microseconds")[:-6] + "Z"


def parse_datetime(text: str) -> datetime:
    """An aware datetime in UTC.

    Raises:
        ValueError: the text is no ISO 8601 date and time with an offset.
    """
    return read_in_utc(datetime.fromisoformat(text))


def read_in_utc(value: datetime) -> datetime:
    """The same instant in UTC.

    Raises:
        ValueError: it has no time zone, or is out of range in UTC.
    """
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no time zone")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{value.isoformat()} is out of range in UTC") from None


def dump_epoch(value: object) -> str:
    """Epoch seconds, as DynamoDB's time to live wants them. A fraction of a second is dropped."""
    if isinstance(value, datetime):
        return str((_in_utc(value) - _EPOCH) // _SECOND)
    raise wrong_type(value, "datetime")


def parse_epoch(text: str) -> datetime:
    """Epoch seconds as an aware datetime in UTC.

    Raises:
        ValueError: no integer, or out of the range of datetime.
    """
    seconds = int(text)
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(f"{shorten(text)} is too far from 1970 for a datetime") from None


def dump_date(value: object) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    raise wrong_type(value, "date")


def dump_timedelta(value: object) -> str:
    """Seconds, exact to the microsecond."""
    if isinstance(value, timedelta):
        return decimal_text(timedelta_seconds(value))
    raise wrong_type(value, "timedelta")


def timedelta_seconds(value: timedelta) -> Decimal:
    return Decimal(value // _MICROSECOND).scaleb(-6, _EXACT)


def parse_timedelta(seconds: Decimal | int) -> timedelta:
    """Seconds as a timedelta.

    Raises:
        ValueError: finer than a microsecond, or out of the range of timedelta.
    """
    exact = Decimal(seconds)
    if not _SHORTEST <= exact <= _LONGEST:  # bounded before int(): a huge exponent would take seconds
        raise ValueError(f"{shorten(str(exact))} seconds are too many for a timedelta")
    microseconds = exact.scaleb(6, _EXACT)
    if microseconds != microseconds.to_integral_value():
        raise ValueError(f"{shorten(str(exact))} seconds are finer than a microsecond")
    return timedelta(microseconds=int(microseconds))


def parse_timedelta_text(text: str) -> timedelta:
    return parse_timedelta(parse_decimal(text))


def dump_uuid(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)
    raise wrong_type(value, "UUID")


def dump_enum(value: object, enum: type[Enum]) -> Any:  # the content of a member is what the user chose
    if isinstance(value, enum):
        return value.value
    raise wrong_type(value, enum.__name__)


def dump_number_enum(value: object, enum: type[Enum]) -> str:
    return int_text(dump_enum(value, enum))


def literal_key(choice: Any) -> tuple[type, Any]:
    """What tells one choice of a ``Literal`` from another as stored: ``True`` is not ``1``."""
    plain = choice.value if isinstance(choice, Enum) else choice
    return type(plain), plain


def literal_dumper(hint: Any) -> Callable[[Any], Any]:  # a Literal
    """A function from a choice of a ``Literal`` to what is stored."""
    choices = {(type(choice), choice): literal_key(choice)[1] for choice in get_args(hint)}

    def dump(value: Any) -> Any:  # text, a number, a bool or None
        try:
            return choices[type(value), value]
        except (KeyError, TypeError):  # TypeError: a value that has no hash
            raise wrong_type(value, str(hint).removeprefix("typing.")) from None

    return dump


def enum_reader(enum: type[Enum]) -> Callable[[str], Enum]:
    """A function from the wire text of a number to the member that has it.

    A member is looked up by its text; other spellings of a number, and the class's own ``_missing_``, come second.
    """
    known = {int_text(member.value): member for member in enum}

    def read(text: str) -> Enum:
        member = known.get(text)
        return enum(parse_number(text)) if member is None else member

    return read


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is UTC:
        return value
    if value.utcoffset() is None:
        raise InvalidValue(f"{value!r} has no time zone: use datetime.now(UTC), or value.replace(tzinfo=…)")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidValue(f"{value!r} is out of range in UTC") from None
