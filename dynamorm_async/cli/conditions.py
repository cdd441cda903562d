"""Conditions as they are typed: ``--where 'age>=18'``."""

from __future__ import annotations

import csv
import difflib
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import click

from dynamorm_async import Attr, Condition
from dynamorm_async.cli.values import parse_value
from dynamorm_async.codec.layout import Member
from dynamorm_async.codec.shapes import Shape
from dynamorm_async.errors import InvalidExpression, InvalidValue
from dynamorm_async.expressions.conditions import all_of
from dynamorm_async.model.spec import ModelSpec, spec_of

FORMS: Final = "name=value != < <= > >=, name^=prefix, name*=part, 'name in a,b', 'name exists', 'name not exists'"

_PATH: Final = r"(?P<path>\w+(?:\.\w+|\[\d+\])*)"
_COMPARISON: Final = re.compile(
    rf"\s*{_PATH}(?P<blank>\s*)(?P<operator>>=|<=|!=|\^=|\*=|==?|<|>)(?P<value>.*)\Z", re.DOTALL
)
_CHOICE: Final = re.compile(rf"\s*{_PATH}\s+in\s+(?P<values>.+)\Z", re.DOTALL)
_EXISTENCE: Final = re.compile(rf"\s*{_PATH}\s+(?P<negated>not\s+)?exists\s*\Z")
_SEGMENT: Final = re.compile(r"\.(\w+)|\[(\d+)\]")

_COMPARATORS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {  # Any: attributes and values of any type
    "=": operator.eq,
    "==": operator.eq,  # as in Python
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

where_option = click.option(
    "--where",
    multiple=True,
    metavar="CONDITION",
    help=f"Only items for which it holds; may be given several times. Forms: {FORMS}.",
)


def conditions_of(model: type, texts: Sequence[str]) -> list[Condition]:
    """The conditions of ``--where`` options.

    Args:
        model: whose attributes they name.
        texts: as they were typed.

    Raises:
        click.BadParameter: one is no condition, or names no attribute, or has a value of another type.
    """
    return [_condition(spec_of(model), text) for text in texts]


def condition_of(model: type, texts: Sequence[str]) -> Condition | None:
    """All conditions of ``--where`` options in one; ``None`` where there are none."""
    return all_of(conditions_of(model, texts))


def key_of(model: type, texts: Sequence[str]) -> list[Any]:  # values of any type
    """The values of a key, as they were typed.

    Raises:
        click.BadParameter: there are too many or too few, or one is of another type.
    """
    key = spec_of(model).key
    if len(texts) != len(key):
        names = ", ".join(member.name for member in key)
        raise click.BadParameter(
            f"the key of {model.__name__} is {names or 'always the same'}: {len(key)} wanted, {len(texts)} given",
            param_hint="KEY",
        )
    return [_key_value(member, text) for member, text in zip(key, texts, strict=True)]


def _key_value(member: Member, text: str) -> Any:  # a value of the attribute's type
    try:
        return parse_value(text, member.shape.type)
    except ValueError as error:
        raise click.BadParameter(f"{member.name}: {error}", param_hint="KEY") from None


def _condition(spec: ModelSpec[Any], text: str) -> Condition:
    try:
        return _parsed(spec, text)
    except (ValueError, InvalidValue, InvalidExpression) as error:
        raise click.BadParameter(f"{text!r}: {error}", param_hint="--where") from None


def _parsed(spec: ModelSpec[Any], text: str) -> Condition:
    """The condition of a text.

    Raises:
        ValueError, InvalidValue, InvalidExpression: it is none.
    """
    if found := _EXISTENCE.match(text):
        attribute = _attribute(spec, found["path"])
        return attribute.not_exists() if found["negated"] else attribute.exists()
    if found := _COMPARISON.match(text):
        value = found["value"].strip() if found["blank"] else found["value"]  # name= x is a text with a blank
        return _comparison(_attribute(spec, found["path"]), found["operator"], value)
    if found := _CHOICE.match(text):
        attribute = _attribute(spec, found["path"])
        (values,) = csv.reader([found["values"]], skipinitialspace=True)
        return attribute.is_in([_value(attribute.shape, value) for value in values])
    raise ValueError(f"that is no condition; write one of {FORMS}")


def _comparison(attribute: Attr[Any], sign: str, text: str) -> Condition:
    if sign == "^=":
        is_binary = isinstance(attribute.shape, Shape) and attribute.shape.tag == "B"
        return attribute.begins_with(parse_value(text, bytes) if is_binary else text)
    if sign == "*=":
        return attribute.contains(_value(attribute.shape.element or attribute.shape, text))
    condition: Condition = _COMPARATORS[sign](attribute, _value(attribute.shape, text))
    return condition


def _value(shape: object, text: str) -> Any:  # a value of the attribute's type
    return parse_value(text, shape.type if isinstance(shape, Shape) else str)


def _attribute(spec: ModelSpec[Any], path: str) -> Attr[Any]:
    name = re.split(r"[.\[]", path, maxsplit=1)[0]
    if name not in spec.attributes:
        close = difflib.get_close_matches(name, spec.attributes, n=1)
        hint = f"did you mean {close[0]}?" if close else f"its attributes are {', '.join(spec.attributes)}"
        raise ValueError(f"{spec.name} has no attribute {name!r}; {hint}")
    attribute: Attr[Any] = getattr(spec.cls, name)
    for inner, index in _SEGMENT.findall(path[len(name) :]):
        attribute = attribute[inner or int(index)]
    return attribute
