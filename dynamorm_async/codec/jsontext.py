"""The converter for attributes stored as JSON text."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any
from uuid import UUID

import cattrs
from cattrs.preconf.json import make_converter

from dynamorm_async.codec.hooks import but_enums
from dynamorm_async.codec.misfit import expected
from dynamorm_async.codec.scalars import wrong_type


def make_json_converter() -> cattrs.Converter:
    """A cattrs converter to and from what ``json`` knows: dates and UUIDs as text, Decimal as exact text.

    Text, numbers and booleans are strict in both directions: cattrs alone would read ``"false"`` as ``True``.
    """
    converter = make_converter()
    for kind in (str, int, float, bool):
        converter.register_unstructure_hook(kind, _exact(kind))
        converter.register_structure_hook(kind, but_enums(_exact_found(kind)))
    converter.register_unstructure_hook(UUID, str)
    converter.register_structure_hook(UUID, lambda value, _: UUID(value))
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, _decimal)
    return converter


def _fits(value: object, kind: type) -> bool:
    return type(value) is kind or (kind is float and type(value) is int)


def _exact(kind: type) -> Any:  # a hook
    def unstructure(value: Any) -> Any:  # the value itself
        if isinstance(value, Enum):  # cattrs sends here the enums that are subclasses of the class
            return value.value
        if not _fits(value, kind):
            raise wrong_type(value, kind.__name__)
        return value

    return unstructure


def _exact_found(kind: type) -> Any:  # a hook
    def structure(value: Any, _type: Any) -> Any:  # of the kind
        if not _fits(value, kind):
            raise expected(kind.__name__, value)
        return kind(value)

    return structure


def _decimal(value: Any, _type: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise expected("a number", value) from None
