"""One attribute inside a key template: which text its values become, and what can be told from the text."""

from __future__ import annotations

# Types of any kind pass through here, so they are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final, NoReturn, final
from uuid import UUID

import attrs
import msgspec

from dynamorm_async.codec.builder import bare_type
from dynamorm_async.codec.keytext import (
    TextForm,
    bool_form,
    bytes_form,
    decimal_form,
    int_form,
    text_form,
    uuid_form,
)
from dynamorm_async.codec.keytimes import date_form, datetime_form
from dynamorm_async.codec.layout import Member
from dynamorm_async.codec.numbers import shorten
from dynamorm_async.errors import InvalidKey, ModelError
from dynamorm_async.types import AttributeValue


@final
@attrs.frozen
class Component:
    """An attribute of the model, as a part of a key.

    Attributes:
        owner: the model's name, for errors.
        member: the attribute.
        format: what is written after the colon; empty where there is none.
        form: how its values are written.
    """

    owner: str
    member: Member
    format: str
    form: TextForm = attrs.field(eq=False, repr=False)

    @property
    def lossless(self) -> bool:
        """Whether the value can be told from the text: no two values have one."""
        return self.form.lossless

    @property
    def ordered(self) -> bool:
        """Whether the order of the texts (as UTF-8) is that of the values, also where "#" follows the text."""
        return self.form.ordered

    @property
    def width(self) -> int | None:
        """How many characters the text of every value has; ``None`` where they differ."""
        return self.form.width

    def render(self, value: AttributeValue) -> str:
        """The text of a value.

        Args:
            value: the attribute's value, not NULL.

        Raises:
            InvalidKey: it has no such text: it is too large for the format, is of another type, holds what a key cannot.
        """
        try:
            return self.form.make(value[self.form.tag])
        except KeyError:
            found = " and ".join(value) or "nothing"
            reason = f"the attribute is {self.form.tag} in the model, and here it is {found}"
        except ValueError as error:
            reason = str(error)
        if self.member.shape.hidden:
            raise InvalidKey(f"{self.owner}.{self.member.name}, which is secret, cannot be {self.placeholder} of a key")
        shown = shorten(repr(next(iter(value.values()), None)))
        raise InvalidKey(
            f"{self.owner}.{self.member.name} is {shown}, which cannot be {self.placeholder} of a key: {reason}"
        )

    def parse(self, text: str) -> AttributeValue:
        """The value that has a text. For lossless components.

        Raises:
            ValueError: the text is none of this component's, or the component is not lossless.
        """
        if not self.form.lossless:
            raise ValueError(f"{self.placeholder} keeps less than the value, which cannot be told from {text!r}")
        return {self.form.tag: self.form.content(text)}

    @property
    def placeholder(self) -> str:
        """As it is written in a template."""
        return f"{{{self.member.name}:{self.format}}}" if self.format else f"{{{self.member.name}}}"


def component(owner: str, member: Member, format: str, *, where: str) -> Component:  # noqa: A002 - the field's own term
    """An attribute as a part of a key template.

    Args:
        owner: the model's name, for errors.
        member: the attribute.
        format: what is written after the colon; empty where there is none.
        where: model and key attribute, for errors.

    Raises:
        ModelError: the attribute's type cannot be a part of a key, or has no such format.
    """
    kind = _kind(member)
    if kind is None:
        _refuse(owner, member, where)
    form = kind.form(format)
    if form is None:
        written = f"{{{member.name}:{format}}}" if format else f"{{{member.name}}}"
        advice = kind.advice.replace("NAME", member.name)
        raise ModelError(f"{where}: {written} is no way to write {kind.noun}. Write {advice}")
    return Component(owner, member, format, form)


def whole_key(owner: str, member: Member, tag: str, *, where: str) -> Component:
    """An attribute that is a whole key attribute of numbers or bytes, as it is stored.

    Args:
        owner: the model's name, for errors.
        member: the attribute.
        tag: the key attribute's type tag, ``N`` or ``B``.
        where: model and key attribute, for errors.

    Raises:
        ModelError: the attribute is not stored under that tag.
    """
    kind = _kind(member)
    if kind is None or member.shape.tag != tag:
        has = f"stored as {member.shape.tag}" if kind else _shown(member.shape.type)
        raise ModelError(
            f"{where}: a key attribute of type {tag} takes an attribute of that type; {owner}.{member.name} is {has}"
        )
    found = component(owner, member, "hex" if tag == "B" else "", where=where)
    # DynamoDB orders numbers as numbers: the text of one is for messages only.
    return attrs.evolve(found, format="", form=msgspec.structs.replace(found.form, ordered=True))


class _Kind(msgspec.Struct, frozen=True):
    """A kind of values.

    Attributes:
        noun: its name in errors.
        form: from a format to how values are written; ``None`` where there is no such format.
        advice: the formats, for errors, with ``NAME`` for the attribute.
    """

    noun: str
    form: Callable[[str], TextForm | None]
    advice: str


_TEXT: Final = _Kind("text", text_form, "{NAME}, {NAME:lower}, {NAME:upper} or {NAME:raw}")
_BYTES: Final = _Kind("bytes", bytes_form, "{NAME:hex}")
_INT: Final = _Kind(
    "a whole number",
    int_form,
    "{NAME}, {NAME:08} for 8 digits (up to 38, from 0 on; their order is that of the numbers) "
    "or {NAME:+08} for negative numbers too",
)
_DECIMAL: Final = _Kind(
    "a number",
    decimal_form,
    "{NAME}, {NAME:011.2f} for 11 characters, 2 of them decimals (up to 38 digits, from 0 on; their order is that of the "
    "numbers) or {NAME:+011.2f} for negative numbers too",
)
_KINDS: Final[Mapping[Any, _Kind]] = {  # by type
    str: _TEXT,
    bool: _Kind("a bool", bool_form, "{NAME}"),
    bytes: _BYTES,
    int: _INT,
    float: _DECIMAL,
    Decimal: _DECIMAL,
    timedelta: _DECIMAL,
    UUID: _Kind("a UUID", uuid_form, "{NAME}"),
    datetime: _Kind(
        "a datetime",
        datetime_form,
        '{NAME}, or a format of %Y, %m, %d, %H, %M, %S and %f and other text without "#", such as {NAME:%Y-%m-%d}',
    ),
    date: _Kind(
        "a date", date_form, '{NAME}, or a format of %Y, %m and %d and other text without "#", such as {NAME:%Y-%m}'
    ),
}


def _kind(member: Member) -> _Kind | None:
    """What an attribute's values are; ``None`` where they cannot be a part of a key."""
    shape = member.shape
    if member.storage == "epoch":
        return _INT
    if member.storage != "native" or shape.tag not in ("S", "N", "B", "BOOL"):
        return None
    bare = bare_type(shape.type)
    if isinstance(bare, type) and issubclass(bare, Enum):
        return _INT if shape.tag == "N" else _TEXT
    return _KINDS.get(bare, _TEXT if shape.tag == "S" else None)  # a Literal of texts


def _refuse(owner: str, member: Member, where: str) -> NoReturn:
    how = "" if member.storage == "native" else f", stored as {member.storage}"
    raise ModelError(
        f"{where}: a component of a key is text, a number, a date, a datetime, a timedelta, a UUID, a bool, bytes or an Enum of texts "
        f"or ints; {owner}.{member.name} is {_shown(member.shape.type)}{how}"
    )


def _shown(hint: Any) -> str:  # any type annotation
    return hint.__name__ if type(hint) is type else str(hint).removeprefix("typing.")
