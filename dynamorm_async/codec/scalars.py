"""One function a scalar type and direction: Python value to wire content, and back.

The ``dump_`` functions are strict: a value of another type raises ``InvalidValue``, so that nothing reaches
DynamoDB under a wrong type. The compiled codec and the cattrs converter share them.
"""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from dynamorm_async.codec.numbers import decimal_text, float_text, int_text
from dynamorm_async.errors import InvalidValue

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)


def wrong_type(value: object, expected: str) -> InvalidValue:
    """The error for a value of another type than its attribute's."""
    text = repr(value)
    shown = text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - what fits in a message
    return InvalidValue(f"expected {expected}, got {shown} ({type(value).__name__})")


def dump_str(value: object) -> str:
    if isinstance(value, str) and not isinstance(value, Enum):
        return str(value)
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
    if not isinstance(value, datetime):
        raise wrong_type(value, "datetime")
    # "2026-01-02T03:04:05.000006+00:00": the offset is always the last six characters in UTC.
    return _in_utc(value).isoformat(timespec="microseconds")[:-6] + "Z"


def parse_datetime(text: str) -> datetime:
    """An aware datetime in UTC.

    Raises:
        ValueError: the text is no ISO 8601 date and time with an offset.
    """
    value = datetime.fromisoformat(text)
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return value.astimezone(UTC)


def dump_epoch(value: object) -> str:
    """Epoch seconds, as DynamoDB's time to live wants them. A fraction of a second is dropped."""
    if isinstance(value, datetime):
        return str((_in_utc(value) - _EPOCH) // _SECOND)
    raise wrong_type(value, "datetime")


def parse_epoch(seconds: int) -> datetime:
    """Epoch seconds as an aware datetime in UTC.

    Raises:
        ValueError: out of the range of datetime.
    """
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(f"{seconds} is too far from 1970 for a datetime") from None


def dump_date(value: object) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    raise wrong_type(value, "date")


def dump_timedelta(value: object) -> str:
    """Seconds, exact to the microsecond."""
    if isinstance(value, timedelta):
        return str(timedelta_seconds(value))
    raise wrong_type(value, "timedelta")


def timedelta_seconds(value: timedelta) -> Decimal:
    return Decimal(value // _MICROSECOND).scaleb(-6)


def parse_timedelta(seconds: Decimal | int) -> timedelta:
    """Seconds as a timedelta.

    Raises:
        ValueError: finer than a microsecond, or out of the range of timedelta.
    """
    microseconds = Decimal(seconds) * 1_000_000
    try:
        if microseconds != int(microseconds):
            raise ValueError(f"{seconds} seconds are finer than a microsecond")
        return timedelta(microseconds=int(microseconds))
    except OverflowError:
        raise ValueError(f"{seconds} seconds are too many for a timedelta") from None


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


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is UTC:
        return value
    if value.utcoffset() is None:
        raise InvalidValue(f"{value!r} has no time zone: use datetime.now(UTC), or value.replace(tzinfo=…)")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidValue(f"{value!r} is out of range in UTC") from None
