"""The converter for attributes stored as JSON text."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cached_property
from typing import Any
from uuid import UUID

import attrs
import cattrs
from cattrs.disambiguators import create_default_dis_func
from cattrs.preconf.json import make_converter

from dynamorm_async.codec.converter import has_origin, of_items, structure_sequence, unstructure_sequence
from dynamorm_async.codec.families import family_of, misplaced
from dynamorm_async.codec.hooks import Hook, but_enums, exactly
from dynamorm_async.codec.misfit import Collector, Misfit, expected
from dynamorm_async.codec.scalars import wrong_type
from dynamorm_async.codec.unions import (
    Alternatives,
    class_of,
    is_class,
    is_union,
    structure_union,
    structure_variant,
    unstructure_union,
    unstructure_variant,
)
from dynamorm_async.errors import Problem

TypesOf = Callable[[Any], Mapping[str, Any]]


def make_json_converter(types_of: TypesOf) -> cattrs.Converter:
    """A cattrs converter to and from what ``json`` knows: dates and UUIDs as text, Decimal as exact text.

    Text, numbers and booleans are strict in both directions: cattrs alone would read ``"false"`` as ``True``. Classes are
    maps by the Python names of their attributes; in families and unions a tag tells them apart.

    Args:
        types_of: the declared types of an attrs class's attributes.
    """
    converter = make_converter()
    for kind in (str, int, float, bool):
        converter.register_unstructure_hook(kind, _exact(kind))
        converter.register_structure_hook(kind, but_enums(_exact_found(kind)))
    converter.register_unstructure_hook(UUID, str)
    converter.register_structure_hook(UUID, lambda value, _: UUID(value))
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, _decimal)
    for cls in (list, tuple):  # cattrs alone would take any iterable for one: a text's letters, a map's keys
        converter.register_unstructure_hook_factory(
            has_origin(cls), of_items(unstructure_sequence(cls), converter.get_unstructure_hook)
        )
        converter.register_structure_hook_factory(
            has_origin(cls), of_items(structure_sequence(cls), converter.get_structure_hook)
        )
    converter.register_unstructure_hook_factory(is_class, lambda tp: _unstructure_class(tp, converter, types_of))
    converter.register_structure_hook_factory(_is_attrs, lambda tp: _structure_class(tp, converter, types_of))
    converter.register_unstructure_hook_factory(_has_classes, lambda tp: unstructure_union(tp, converter))
    converter.register_structure_hook_factory(
        _has_classes,
        lambda tp: structure_union(tp, converter, lambda classes, value: _guess(converter, classes, value)),
    )
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


# --- classes ------------------------------------------------------------------------------------


class _ClassHooks:
    """Hooks for an attrs class, by the types that its attributes were declared with."""

    def __init__(self, tp: Any, converter: cattrs.Converter, types_of: TypesOf) -> None:
        self._tp = tp
        self._cls = class_of(tp)
        self._converter = converter
        self._types_of = types_of

    @cached_property
    def _fields(self) -> list[tuple[Any, Any, Hook, Hook]]:
        """Field, type and hooks of each attribute. Not made before they are used: the class may hold itself."""
        types, hooks = self._types_of(self._tp), self._converter
        return [
            (field, types[field.name], hooks.get_unstructure_hook(types[field.name]), hooks.structure)
            for field in attrs.fields(self._cls)
            if field.init
        ]

    def unstructure(self, value: object) -> dict[str, Any]:
        if type(value) is not self._cls:
            raise misplaced(value, self._cls)
        return {field.name: dump(getattr(value, field.name)) for field, _tp, dump, _load in self._fields}

    def structure(self, value: object, _type: Any) -> Any:  # an instance of the class
        if not isinstance(value, Mapping):
            raise expected("a map", value)
        collector, arguments = Collector(), dict[str, Any]()
        for field, tp, _dump, load in self._fields:
            if field.name in value:
                arguments[field.alias] = collector.run(field.name, load, value[field.name], tp)
            elif field.default is attrs.NOTHING:
                collector.problems.append(Problem(field.name, "is missing"))
        collector.check()
        return self._cls(**arguments)


def _unstructure_class(tp: Any, converter: cattrs.Converter, types_of: TypesOf) -> Hook:
    cls = class_of(tp)
    if not attrs.has(cls):
        return exactly(cls, converter.gen_unstructure_attrs_fromdict(tp))
    own, family = _ClassHooks(tp, converter, types_of).unstructure, family_of(cls)
    return own if family is None else unstructure_variant(cls, family, converter, own)


def _structure_class(tp: Any, converter: cattrs.Converter, types_of: TypesOf) -> Hook:
    own, family = _ClassHooks(tp, converter, types_of).structure, family_of(class_of(tp))
    return own if family is None else structure_variant(tp, family, converter, own)


def _is_attrs(tp: Any) -> bool:
    return attrs.has(class_of(tp))


def _has_classes(tp: Any) -> bool:
    """Whether it is a union with a class, other than that class or ``None``."""
    return is_union(tp) and len((found := Alternatives(tp)).all) > 1 and bool(found.classes)


def _guess(converter: cattrs.Converter, classes: list[Any], value: Mapping[str, Any]) -> Any:  # one of the classes
    """Which class a map without a tag is, as written by others: the one that alone has such attributes.

    Raises:
        Misfit: there is none.
    """
    try:
        return create_default_dis_func(converter, *classes)(value)
    except (TypeError, ValueError) as error:
        raise Misfit([Problem("", str(error))]) from None
