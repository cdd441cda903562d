"""Which item a key means: the same for the same key, however it was written."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any, Final, TypeAlias, final

import msgspec

from dynamorm_async.types import AttributeValue

Part: TypeAlias = str | bytes | tuple[str]
Identity: TypeAlias = tuple[Part, ...]
"""The content of each key attribute, in order: text, bytes, or a number in one way of writing, as a tuple of its own.

Numbers are not compared as numbers: those of hostile callers could all have one hash.
"""

_LONGEST: Final = 200  # characters; DynamoDB's numbers have 38 digits and an exponent of three
_EXACT: Final = Context(prec=_LONGEST)


class _Content(msgspec.Struct, frozen=True, gc=False):
    S: str | None = None
    N: str | None = None
    B: str | None = None


@final
class Identities:
    """Finds the identity of keys and items of one table.

    Args:
        names: the table's key attributes, in order.
    """

    __slots__ = ("_names", "_read")

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._read = _reader(self._names)

    def of_key(self, key: Mapping[str, Mapping[str, Any]]) -> Identity:
        """The identity of a key in DynamoDB's JSON form, with binary content as ``bytes`` or in base64.

        Raises:
            ValueError: it is no key of this table.
        """
        return tuple([_part(key, name) for name in self._names])

    def of_encoded(self, key: Mapping[str, AttributeValue]) -> Identity:
        """The same of a key that was encoded here, and so is one."""
        return tuple([key[name]["S"] if "S" in key[name] else _part(key, name) for name in self._names])

    def of_item(self, raw: msgspec.Raw) -> Identity:
        """The identity of an item as it stands in an answer. Passes over its other attributes.

        Raises:
            ValueError: it does not have the table's key.
        """
        return self._read(raw)


def _part(key: Mapping[str, Any], name: str) -> Part:
    value: Any = key.get(name)
    if value.__class__ is dict and len(value) == 1 and (text := value.get("S")).__class__ is str:  # as most often
        return text
    try:
        ((tag, content),) = key[name].items()
    except (KeyError, AttributeError, ValueError):
        raise ValueError(f"{name} is missing, or no value") from None
    if isinstance(content, str):
        if tag == "S":
            return content
        if tag == "N":
            return (number_identity(content),)
    if tag == "B" and isinstance(content, str | bytes):
        return content if isinstance(content, bytes) else base64.b64decode(content, validate=True)
    raise ValueError(f"{name} has a value that cannot be a key")


def number_identity(text: str) -> str:
    """A number's text, the same for the same number. Exact, with any decimal context.

    Raises:
        ValueError: it is no number, or longer than any of DynamoDB's.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"a number of {len(text)} characters")
    if text.isascii() and text.isdecimal() and text[0] != "0":  # as most often: it is written so already
        return text
    try:
        number = Decimal(text).normalize(_EXACT)
    except ArithmeticError:
        raise ValueError(f"{text!r} is no number") from None
    if not number:
        return "0"
    return f"{number:f}" if 0 <= number.adjusted() < _LONGEST else _EXACT.to_sci_string(number)


def _reader(names: tuple[str, ...]) -> Callable[[msgspec.Raw], Identity]:
    """A function from an item's bytes to its identity."""
    if any(c in '"\\' or c < " " for name in names for c in name):  # msgspec takes no such name in a struct
        plain = msgspec.json.Decoder(dict[str, Any])

        def read_plainly(raw: msgspec.Raw) -> Identity:
            item = plain.decode(raw)
            return tuple([_part(item, name) for name in names])

        return read_plainly
    fields = [f"k{i}" for i in range(len(names))]
    key = msgspec.defstruct(
        "KeyWire",
        [(field, _Content) for field in fields],
        rename=dict(zip(fields, names, strict=True)),
        frozen=True,
        gc=False,
    )
    decoder = msgspec.json.Decoder(key)
    if len(names) == 1:
        return lambda raw: (_content(decoder.decode(raw).k0),)  # type: ignore[attr-defined]  # a field made above

    def read(raw: msgspec.Raw) -> Identity:
        found: Any = decoder.decode(raw)
        first, second = found.k0, found.k1
        return first.S or _content(first), second.S or _content(second)  # most keys are text

    return read


def _content(value: _Content) -> Part:
    if value.S is not None:
        return value.S
    if value.N is not None:
        return (number_identity(value.N),)
    if value.B is not None:
        return base64.b64decode(value.B, validate=True)
    raise ValueError("the key attribute has another type")
