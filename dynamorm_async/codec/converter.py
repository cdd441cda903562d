"""The cattrs converter for DynamoDB: typed values to plain ones (see ``native``) and back, strictly.

This is the general path: it carries every type that cattrs knows and every hook that a user registers. The
compiled path is the fast one; both give the same AttributeValues.
"""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property, partial
from typing import Any
from uuid import UUID

import attrs
import cattrs

from dynamorm_async.codec import scalars
from dynamorm_async.codec.containers import make_set
from dynamorm_async.codec.hooks import (
    Hook,
    but_enums,
    exactly,
    is_enum,
    ours,
    structure_enum,
    unstructure_enum,
    unstructure_hook,
)
from dynamorm_async.codec.misfit import Collector, expected
from dynamorm_async.codec.unions import class_of, is_class, is_union, structure_union, unstructure_union
from dynamorm_async.errors import InvalidValue


def make_converter() -> cattrs.Converter:
    """A cattrs converter that knows DynamoDB's types, for hooks of your own.

    Register a hook pair for your type that goes to and from a plain value (``str``, ``int``, ``Decimal``,
    ``bytes``, ``bool``, ``None``, ``list``, ``dict``, ``set``), and pass the converter to ``@model(converter=...)``::

        converter = make_converter()
        converter.register_unstructure_hook(Money, lambda money: {"amount": money.amount, "unit": money.unit})
        converter.register_structure_hook(Money, lambda value, _: Money(**value))
    """
    converter = cattrs.Converter()
    for tp, (unstructure, structure) in _SCALARS.items():
        converter.register_unstructure_hook(tp, ours(unstructure))
        converter.register_structure_hook(tp, ours(but_enums(structure)))
    converter.register_unstructure_hook_func(_is_any, ours(lambda value: value))
    converter.register_structure_hook_func(_is_any, ours(lambda value, _: value))
    converter.register_unstructure_hook_factory(is_enum, unstructure_enum)
    converter.register_structure_hook_factory(is_enum, structure_enum)
    converter.register_unstructure_hook_factory(has_origin(typing.Literal), _unstructure_literal)
    converter.register_structure_hook_factory(has_origin(typing.Literal), _structure_literal)
    for origin, unstructure, structure in _CONTAINERS:
        converter.register_unstructure_hook_factory(
            has_origin(origin), of_items(unstructure, partial(unstructure_hook, converter))
        )
        converter.register_structure_hook_factory(has_origin(origin), of_items(structure, converter.get_structure_hook))
    converter.register_unstructure_hook_factory(_is_class, lambda tp: ours(_class_hook(converter, tp).unstructure))
    converter.register_structure_hook_factory(_is_class, lambda tp: ours(_class_hook(converter, tp).structure))
    converter.register_unstructure_hook_factory(
        _is_dataclass, lambda tp: ours(exactly(class_of(tp), converter.gen_unstructure_attrs_fromdict(tp)))
    )
    converter.register_unstructure_hook_factory(is_union, lambda tp: unstructure_union(tp, converter))
    converter.register_structure_hook_factory(is_union, lambda tp: structure_union(tp, converter))
    return converter


def _exact(cls: type, name: str) -> Hook:
    def structure(value: object, _type: Any) -> Any:  # the value itself
        if isinstance(value, cls) and (cls is bool or not isinstance(value, bool)):
            return value
        raise expected(name, value)

    return structure


def _checked(dump: Hook) -> Hook:
    """Refuse what the compiled path refuses, and leave the value plain."""

    def unstructure(value: Any) -> Any:  # returns what it was given
        dump(value)
        return value

    return unstructure


def _structure_float(value: object, _type: Any) -> float:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return float(value)
    raise expected("a number", value)


def _structure_decimal(value: object, _type: Any) -> Decimal:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    raise expected("a number", value)


def _parsed(parse: Hook, kind: type | types.UnionType, name: str) -> Hook:
    def structure(value: object, _type: Any) -> Any:  # what parse returns
        if not isinstance(value, kind) or isinstance(value, bool):
            raise expected(name, value)
        try:
            return parse(value)
        except ValueError:
            raise expected(name, value) from None

    return structure


def _unstructure_timedelta(value: object) -> Decimal:
    return Decimal(scalars.dump_timedelta(value))


_SCALARS: Mapping[Any, tuple[Hook, Hook]] = {
    str: (scalars.dump_str, _exact(str, "text")),
    int: (_checked(scalars.dump_int), _exact(int, "an integer")),
    float: (_checked(scalars.dump_float), _structure_float),
    Decimal: (_checked(scalars.dump_decimal), _structure_decimal),
    bool: (scalars.dump_bool, _exact(bool, "true or false")),
    bytes: (scalars.dump_bytes, _exact(bytes, "bytes")),
    datetime: (scalars.dump_datetime, _parsed(scalars.parse_datetime, str, "an ISO 8601 date and time with time zone")),
    date: (scalars.dump_date, _parsed(date.fromisoformat, str, "an ISO 8601 date")),
    timedelta: (_unstructure_timedelta, _parsed(scalars.parse_timedelta, int | Decimal, "a number of seconds")),
    UUID: (scalars.dump_uuid, _parsed(UUID, str, "a UUID")),
}


def _is_any(tp: Any) -> bool:
    return tp is Any or tp is object


def _is_dataclass(tp: Any) -> bool:
    return is_class(tp) and not _is_class(tp)


def _is_class(tp: Any) -> bool:
    return attrs.has(typing.get_origin(tp) or tp)


@attrs.define(slots=False)
class _class_hook:  # noqa: N801 - a pair of functions
    """Hooks for an attrs class outside any model; a model's own copy of the converter has faster ones."""

    converter: cattrs.Converter
    tp: Any

    def unstructure(self, value: object) -> Any:  # a plain value
        return self._own.unstructure(value, unstructure_as=self.tp)

    def structure(self, value: object, _type: Any) -> Any:  # an instance of the class
        return self._own.structure(value, self.tp)

    @cached_property
    def _own(self) -> cattrs.Converter:
        """Made once: cattrs forgets these hooks where another is registered."""
        from dynamorm_async.codec.builder import ShapeBuilder  # noqa: PLC0415 - the builder stands above

        return ShapeBuilder(self.converter, {}).generic.converter


def _unstructure_literal(tp: Any) -> Hook:
    return ours(scalars.literal_dumper(tp))


def _structure_literal(tp: Any) -> Hook:
    plain = {scalars.literal_key(choice): choice for choice in typing.get_args(tp)}

    def structure(value: object, _type: Any) -> Any:  # one of the choices
        try:
            return plain[type(value), value]
        except (KeyError, TypeError):  # TypeError: a list or map, which has no hash
            raise expected(f"one of {tp}", value) from None

    return ours(structure)


def has_origin(origin: Any) -> Callable[[Any], bool]:
    return lambda tp: typing.get_origin(tp) is origin or tp is origin


def of_items(make: Callable[[tuple[Any, ...], Callable[[Any], Hook]], Hook], hook_of: Callable[[Any], Hook]) -> Hook:
    def hook(tp: Any) -> Hook:
        bare = (Any, ...) if tp is tuple else (Any, Any)
        return ours(make(typing.get_args(tp) if typing.get_origin(tp) else bare, hook_of))

    return hook


def structure_sequence(cls: type) -> Callable[..., Hook]:
    def make(arguments: tuple[Any, ...], hook_of: Callable[[Any], Hook]) -> Hook:
        if cls is tuple and not (len(arguments) == 2 and arguments[1] is ...):  # noqa: PLR2004 - tuple[T, ...]
            return _structure_fixed(arguments, hook_of)
        item = arguments[0]
        hook = hook_of(item)

        def structure(value: object, _type: Any) -> Any:  # a list or tuple of items
            if not isinstance(value, list):
                raise expected("a list", value)
            collector = Collector()
            items = [collector.run(f"[{i}]", hook, element, item) for i, element in enumerate(value)]
            collector.check()
            return cls(items)

        return structure

    return make


def _structure_fixed(arguments: tuple[Any, ...], hook_of: Callable[[Any], Hook]) -> Hook:
    hooks = [hook_of(argument) for argument in arguments]

    def structure(value: object, _type: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) != len(hooks):
            raise expected(f"a list of {len(hooks)}", value)
        collector = Collector()
        items = [
            collector.run(f"[{i}]", hook, element, argument)
            for i, (hook, element, argument) in enumerate(zip(hooks, value, arguments, strict=True))
        ]
        collector.check()
        return tuple(items)

    return structure


def unstructure_sequence(cls: type) -> Callable[..., Hook]:
    def make(arguments: tuple[Any, ...], hook_of: Callable[[Any], Hook]) -> Hook:
        fixed = cls is tuple and not (len(arguments) == 2 and arguments[1] is ...)  # noqa: PLR2004 - tuple[T, ...]
        hooks = [hook_of(argument) for argument in arguments] if fixed else [hook_of(arguments[0])]

        def unstructure(value: Any) -> list[Any]:
            if not isinstance(value, tuple if cls is tuple else list | tuple):
                raise scalars.wrong_type(value, cls.__name__)
            if fixed and len(value) != len(hooks):
                raise scalars.wrong_type(value, f"a tuple of {len(hooks)}")
            pairs = zip(hooks, value, strict=True) if fixed else ((hooks[0], element) for element in value)
            return [hook(element) for hook, element in pairs]

        return unstructure

    return make


def _unstructure_mapping(arguments: tuple[Any, ...], hook_of: Callable[[Any], Hook]) -> Hook:
    key_hook, value_hook = hook_of(arguments[0]), hook_of(arguments[1])

    def unstructure(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise scalars.wrong_type(value, "dict")
        return {_key_text(key_hook(key)): value_hook(item) for key, item in value.items()}

    return unstructure


def _key_text(key: object) -> str:
    """A map's key as text: keys that are numbers are written out."""
    if isinstance(key, str):
        return key
    if isinstance(key, int) and not isinstance(key, bool):
        return str(key)
    raise InvalidValue(f"a map's keys are str, or types stored as text or integers, got {key!r}")


def _structure_mapping(arguments: tuple[Any, ...], hook_of: Callable[[Any], Hook]) -> Hook:
    key_type, value_type = arguments[0], arguments[1]
    key_hook, value_hook = hook_of(key_type), hook_of(value_type)

    def structure_key(key: str) -> Any:  # of the declared key type
        try:
            return key_hook(key, key_type)
        except ValueError:
            return key_hook(int(key), key_type)

    def structure(value: object, _type: Any) -> dict[Any, Any]:
        if not isinstance(value, Mapping):
            raise expected("a map", value)
        collector = Collector()
        keys = [collector.run(f"[{key!r}]", structure_key, key) for key in value]
        items = [collector.run(str(key), value_hook, item, value_type) for key, item in value.items()]
        collector.check()
        make_set(keys, frozenset)  # refuses keys that were chosen to collide
        return dict(zip(keys, items, strict=True))

    return structure


def _unstructure_set(arguments: tuple[Any, ...], hook_of: Callable[[Any], Hook]) -> Hook:
    hook = hook_of(arguments[0])

    def unstructure(value: Any) -> frozenset[Any]:
        if not isinstance(value, set | frozenset):
            raise scalars.wrong_type(value, "set")
        return frozenset(hook(element) for element in value)

    return unstructure


def _structure_set(cls: type) -> Callable[..., Hook]:
    def make(arguments: tuple[Any, ...], hook_of: Callable[[Any], Hook]) -> Hook:
        item = arguments[0]
        hook = hook_of(item)

        def structure(value: object, _type: Any) -> Any:  # a set or frozenset of items
            if value is None:
                return cls()
            if not isinstance(value, frozenset):
                raise expected("a set", value)
            collector = Collector()
            items = [collector.run("[*]", hook, element, item) for element in value]
            collector.check()
            return make_set(items, cls)

        return structure

    return make


_CONTAINERS: tuple[tuple[type, Callable[..., Hook], Callable[..., Hook]], ...] = (
    (list, unstructure_sequence(list), structure_sequence(list)),
    (tuple, unstructure_sequence(tuple), structure_sequence(tuple)),
    (dict, _unstructure_mapping, _structure_mapping),
    (set, _unstructure_set, _structure_set(set)),
    (frozenset, _unstructure_set, _structure_set(frozenset)),
)
