"""Plain values: what PartiQL takes as parameters, and what it gives where no model is named."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeAlias
from uuid import UUID

from dynamorm_async.codec import scalars
from dynamorm_async.codec.depth import MAX_DEPTH
from dynamorm_async.codec.encrypted import Plaintext
from dynamorm_async.codec.misfit import Collector
from dynamorm_async.codec.native import from_attribute_value, to_attribute_value
from dynamorm_async.codec.numbers import parse_number
from dynamorm_async.errors import DecodeError, InvalidValue
from dynamorm_async.types import AttributeValue

PlainValue: TypeAlias = (
    bool
    | int
    | Decimal
    | str
    | bytes
    | frozenset[str]
    | frozenset[int | Decimal]
    | frozenset[bytes]
    | list["PlainValue"]
    | dict[str, "PlainValue"]
    | None
)
"""A stored value where no type is declared. Numbers are ``int`` where integral, else ``Decimal``."""

Row: TypeAlias = dict[str, PlainValue]
"""What a statement returns where no model is named: attribute name to value."""

StatementParameter: TypeAlias = (
    bool
    | int
    | float
    | Decimal
    | str
    | bytes
    | bytearray
    | memoryview
    | datetime
    | date
    | timedelta
    | UUID
    | Enum
    | Mapping[str, "StatementParameter"]
    | Sequence["StatementParameter"]
    | AbstractSet["StatementParameter"]
    | None
)
"""What can stand for a ``?`` of a PartiQL statement; lists, maps and sets of such values as well."""

_NATIVE: Final = (str, bool, int, float, Decimal, bytes, bytearray, memoryview)

# Enum comes first: class Colour(str, Enum) is a str as well. datetime comes before date, whose subclass it is.
_SCALARS: Final[tuple[tuple[type, Callable[[Any], object]], ...]] = (
    (Enum, lambda value: scalars.dump_enum(value, type(value))),
    (datetime, scalars.dump_datetime),
    (date, scalars.dump_date),
    (timedelta, lambda value: Decimal(scalars.dump_timedelta(value))),
    (UUID, scalars.dump_uuid),
)


def encode_parameter(value: object) -> AttributeValue:
    """A parameter as an AttributeValue; the same that a model's attribute of its type stores.

    Raises:
        InvalidValue: its type cannot be a parameter, or DynamoDB cannot hold it.
    """
    return to_attribute_value(_native(value, 0))


def decode_row(raw: Mapping[str, Any]) -> Row:
    """An item in DynamoDB's JSON form as plain values.

    Raises:
        DecodeError: some attributes are none of DynamoDB's; it lists each as a path.
    """
    try:
        return {name: _plain(value) for name, value in raw.items()}
    except Exception:  # noqa: BLE001 - whatever it was, the exact report is made by reading again
        collector = Collector()
        for name, value in raw.items():
            collector.run(name, from_attribute_value, value)
        raise DecodeError("of plain values", {}, collector.problems) from None


def _plain(value: Any) -> Any:  # an AttributeValue; the common ones without a detour
    if len(value) == 1:
        if type(text := value.get("S")) is str:
            return text
        if type(number := value.get("N")) is str:
            return parse_number(number)
    return from_attribute_value(value)


def _native(value: object, depth: int) -> object:
    for kind, dump in _SCALARS:
        if isinstance(value, kind):
            return dump(value)
    if value is None or isinstance(value, (*_NATIVE, Plaintext)) or depth >= MAX_DEPTH:
        return value  # what nests too deep is refused where it is encoded
    if isinstance(value, Mapping):
        return {key: _native(element, depth + 1) for key, element in value.items()}
    if isinstance(value, list | tuple):
        return [_native(element, depth + 1) for element in value]
    if isinstance(value, set | frozenset):
        return {_native(element, depth + 1) for element in value}
    raise InvalidValue(
        f"a {type(value).__name__} cannot be a parameter: pass None, bool, numbers, str, bytes, datetime, date, "
        "timedelta, UUID, an Enum, or a list, tuple, dict or set of these"
    )
