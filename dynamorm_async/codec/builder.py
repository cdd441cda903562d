"""From a type annotation to its shape: which types the compiled codec carries itself, and which go to cattrs."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, Flag
from functools import lru_cache
from typing import Any
from uuid import UUID

import attrs
import msgspec

from dynamorm_async.codec import containers, numbers, scalars
from dynamorm_async.codec.compiler import LayoutCodec
from dynamorm_async.codec.encrypted import encrypted_shape
from dynamorm_async.codec.families import Family, family_of
from dynamorm_async.codec.generic import GenericPath
from dynamorm_async.codec.hints import attribute_types
from dynamorm_async.codec.layout import Layout, Member, Storage, options_of
from dynamorm_async.codec.names import Names
from dynamorm_async.codec.shapes import Emit, Shape, attribute_dump, attribute_lift, attribute_wire
from dynamorm_async.errors import ModelError

_NONE = type(None)


def _same(source: str, _names: Names) -> str:
    return source


def _call(function: Callable[..., Any]) -> Emit:
    return lambda source, names: f"{names.bind(function)}({source})"


def _exactly(cls: type, otherwise: Callable[..., Any]) -> Emit:
    """The value itself where its class is exactly this (no call), else what the strict function makes of it."""
    return lambda source, names: (
        f"({source} if {source}.__class__ is {names.bind(cls)} else {names.bind(otherwise)}({source}))"
    )


def _dump_int(source: str, names: Names) -> str:
    """As ``dump_int``, without its call where an exact int is in range."""
    integer, text, limit = names.bind(int), names.bind(int.__repr__, "text"), names.bind(numbers.MAX_INT, "limit")
    in_range = f"{source}.__class__ is {integer} and -{limit} <= {source} <= {limit}"
    return f"({text}({source}) if {in_range} else {names.bind(scalars.dump_int)}({source}))"


def _lift_datetime(source: str, names: Names) -> str:
    """As ``parse_datetime``, without its call where the text is in UTC already."""
    value, parse, utc = names.fresh(), names.bind(datetime.fromisoformat, "parse"), names.bind(UTC, "utc")
    return (
        f"({value} if ({value} := {parse}({source})).tzinfo is {utc} else {names.bind(scalars.read_in_utc)}({value}))"
    )


def _lift_decimal(source: str, names: Names) -> str:
    """The Decimal that msgspec read; what DynamoDB does not send (NaN, an infinity, a huge exponent) is refused."""
    value = names.fresh()
    stored = f"({value} := {source}).is_finite() and -131 < {value}.adjusted() < 127"
    return f"({value} if {stored} else {names.bind(numbers.refuse)}({value}))"


# Integers are read by msgspec: exact as DynamoDB writes them. A stored fraction is refused as far as a float can tell it
# from an integer (15 digits). Floats are read from text: msgspec would take NaN.
# type: (tag, content as msgspec reads it, content from value, value from content)
_SCALARS: Mapping[type, tuple[str, Any, Emit, Emit]] = {
    str: ("S", str, _exactly(str, scalars.dump_str), _same),
    int: ("N", int, _dump_int, _same),
    float: ("N", str, _call(scalars.dump_float), _call(numbers.parse_float)),
    Decimal: ("N", Decimal, _call(scalars.dump_decimal), _lift_decimal),
    bool: ("BOOL", bool, _exactly(bool, scalars.dump_bool), _same),
    bytes: ("B", bytes, _exactly(bytes, scalars.dump_bytes), _same),
    datetime: ("S", str, _call(scalars.dump_datetime), _lift_datetime),
    date: ("S", date, _call(scalars.dump_date), _same),
    timedelta: ("N", str, _call(scalars.dump_timedelta), _call(scalars.parse_timedelta_text)),
    UUID: ("S", UUID, _call(scalars.dump_uuid), _same),
}
_EPOCH_TYPES = (int, datetime)
_SETS = (set, frozenset)
_SECRET_HASH = (str, bytes)  # hashed with the process's secret


class ShapeBuilder:
    """Builds shapes and layouts for one model.

    Args:
        converter: the user's cattrs converter, or ``None`` for the standard one.
        local_names: names that annotations may use besides their module's.
    """

    def __init__(self, converter: Any, local_names: Mapping[str, Any]) -> None:  # a cattrs converter, not imported here
        self.generic = GenericPath(converter, self)
        self._custom = converter is not None
        self._local_names = local_names
        self._layouts: dict[Any, Layout] = {}
        self._codecs: dict[Any, LayoutCodec] = {}
        self._under_way: list[Any] = []

    def layout(self, tp: Any) -> Layout:
        """The layout of an attrs class (or a parametrised generic one).

        Raises:
            ModelError: an attribute's type cannot be stored or resolved; the message names class and attribute.
        """
        known = self._layouts.get(tp)
        if known is None:
            own = not self._layouts and not self._under_way
            self._under_way.append(tp)
            try:
                known = self._layouts[tp] = self._build_layout(tp)
            finally:
                self._under_way.pop()
            if not own:
                _refuse_encrypted(typing.get_origin(tp) or tp)
        return known

    def codec(self, tp: Any) -> LayoutCodec:
        """The compiled codec of an attrs class."""
        known = self._codecs.get(tp)
        if known is None:
            known = self._codecs[tp] = LayoutCodec(self.layout(tp))
        return known

    def compiles(self, tp: Any) -> bool:
        """Whether the compiled path may stand for a type: no hook of the user's does."""
        return not self._custom or self.generic.is_standard(tp)

    def types(self, tp: Any) -> Mapping[str, Any]:
        """The declared types of an attrs class's attributes."""
        _refuse_encrypted(typing.get_origin(tp) or tp)
        return attribute_types(tp, self._local_names)

    def shape(self, hint: Any, where: str) -> Shape:
        """The shape of a type annotation.

        Args:
            hint: the annotation, resolved.
            where: class and attribute, for errors.

        Raises:
            ModelError: the type cannot be stored.
        """
        hint = _plain(hint)
        inner, optional = _without_none(hint)
        shape = self._bare(_plain(inner), where)
        if optional:
            shape = msgspec.structs.replace(shape, type=hint, optional=True)
            if not shape.tag:
                return msgspec.structs.replace(self._generic(hint, where), recursive=shape.recursive)
        return shape

    def stored_shape(self, hint: Any, storage: Storage, where: str) -> Shape:
        """The shape of an attribute, with its way of storage."""
        if storage == "native":
            return self.shape(hint, where)
        inner, optional = _without_none(_plain(hint))
        make = {"epoch": self._epoch, "json": self._json, "compressed": self._compressed}[storage]
        return msgspec.structs.replace(make(inner, where), type=hint, optional=optional)

    def _build_layout(self, tp: Any) -> Layout:
        cls = typing.get_origin(tp) or tp
        hints = attribute_types(tp, self._local_names)
        members: list[Member] = []
        unstored: list[tuple[str, Any]] = []
        for field in attrs.fields(cls):
            if not field.init:
                unstored.append((field.name, field.default))
                continue
            options = options_of(field)
            where = f"{cls.__name__}.{field.name}"
            wire = field.name if options.name is None else options.name
            if options.storage == "encrypted":
                shape: Shape = self._encrypted(hints[field.name], wire, where)
            else:
                shape = self.stored_shape(hints[field.name], options.storage, where)
            if options.secret and not shape.hidden:
                shape = msgspec.structs.replace(shape, hidden=True)
            members.append(Member(field.name, wire, shape, field.default, field.alias, options.storage))
        constructed = not getattr(cls, "__dynamorm_fast__", False)
        return Layout(cls, tuple(members), constructed, tuple(unstored))

    def _bare(self, hint: Any, where: str) -> Shape:
        """The shape of a type that does not admit ``None`` itself."""
        if isinstance(hint, str | typing.ForwardRef):
            raise ModelError(f"{where}: the type {hint!r} is not resolved; define it before the model")
        if not self.compiles(hint):
            return self._generic(hint, where)
        scalar = _SCALARS.get(hint)
        if scalar is not None:
            tag, content, dump, lift = scalar
            return Shape(hint, tag, lambda: content, dump, lift)
        origin = typing.get_origin(hint)
        if origin in (list, dict, tuple, *_SETS):
            return self._container(hint, origin, where)
        if origin is typing.Literal and all(type(choice) is str for choice in typing.get_args(hint)):
            return Shape(hint, "S", lambda: hint, _call(scalars.literal_dumper(hint)), _same)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return self._enum(hint, where)
        cls: Any = origin or hint
        return self._nested(hint, where) if attrs.has(cls) else self._generic(hint, where)

    def _container(self, hint: Any, origin: type, where: str) -> Shape:
        arguments = typing.get_args(hint)
        if origin in _SETS:
            return self._set(hint, origin, arguments[0], where)
        if origin is list or (origin is tuple and len(arguments) == 2 and arguments[1] is ...):  # noqa: PLR2004 - tuple[T, ...]
            return _sequence(hint, origin, self.shape(arguments[0], where))
        if origin is dict and arguments[0] is str:
            return _mapping(hint, self.shape(arguments[1], where))
        return self._generic(hint, where)

    def _set(self, hint: Any, origin: type, element: Any, where: str) -> Shape:
        item = self.shape(element, where)
        if item.tag not in ("S", "N", "B") or item.optional:
            raise ModelError(
                f"{where}: DynamoDB has sets of str, numbers and bytes only, not {hint}. "
                "Use a list, or attr(as_json=True)"
            )

        def dump(source: str, names: Names) -> str:
            e, elements = names.fresh(), _exactly(origin, containers.as_set)(source, names)
            # In a fixed order, so that the same set is always the same bytes.
            return f"{names.bind(sorted)}({{{item.dump(e, names)} for {e} in {elements}}})"

        def lift(source: str, names: Names) -> str:
            e, kind = names.fresh(), names.bind(origin)
            lifted = item.lift(e, names)
            if lifted == e and item.type in _SECRET_HASH:
                return f"{kind}({source})"
            return f"{names.bind(containers.make_set)}([{lifted} for {e} in {source}], {kind})"

        # Read as a list: the set is the instance's own then, so that a change of it is seen by save().
        return Shape(hint, f"{item.tag}S", lambda: list[item.wire()], dump, lift, is_set=True, item=item)  # type: ignore[misc]  # a run-time type

    def _enum(self, hint: type[Enum], where: str) -> Shape:
        kinds = {type(member.value) for member in hint}
        if kinds == {str}:
            dump = f"{scalars.dump_enum.__name__}"
            return Shape(hint, "S", lambda: hint, _enum_call(scalars.dump_enum, hint, dump), _same)
        if kinds == {int} and not issubclass(hint, Flag):
            dump = f"{scalars.dump_number_enum.__name__}"
            read = scalars.enum_reader(hint)
            return Shape(hint, "N", lambda: str, _enum_call(scalars.dump_number_enum, hint, dump), _call(read))
        return self._generic(hint, where)

    def _nested(self, hint: Any, where: str) -> Shape:
        family = family_of(typing.get_origin(hint) or hint)
        if family is not None:
            return self._variants(hint, family, where)
        if hint in self._under_way:  # a class that contains itself: cattrs resolves it at run time
            return msgspec.structs.replace(self._generic(hint, where), recursive=typing.get_origin(hint) or hint)
        layout = self.layout(hint)

        def dump(source: str, names: Names) -> str:
            return f"{names.bind(self.codec(hint).encode, f'encode_{layout.cls.__name__}')}({source})"

        def lift(source: str, names: Names) -> str:
            return f"{names.bind(read(), f'lift_{layout.cls.__name__}')}({source})"

        def wire() -> Any:  # a msgspec type expression
            codec = self.codec(hint)
            return codec.struct if codec.readable else dict[str, Any]

        def read() -> Callable[[Any], Any]:
            codec, generic = self.codec(hint), self.generic.functions(hint, where)[1]
            return codec.lift if codec.readable else lambda content: generic({"M": content})

        return Shape(hint, "M", wire, dump, lift, layout=layout)

    def _variants(self, hint: type, family: Family, where: str) -> Shape:
        from dynamorm_async.codec.variants import Variants  # noqa: PLC0415 - loaded when first used

        variants = Variants(hint, family, self, self.generic.functions(hint, where), self._bare(str, where))
        return Shape(
            hint,
            "M",
            lambda: dict[str, Any],  # which class it is, the type in the map tells
            _call(variants.encode),
            _call(variants.lift),
            variants=variants,
        )

    def _generic(self, hint: Any, where: str) -> Shape:
        dump, lift = self.generic.functions(hint, where)
        optional = hint is Any or _without_none(hint)[1]
        return Shape(hint, "", lambda: dict[str, Any], _call(dump), _call(lift), optional=optional)

    def _encrypted(self, hint: Any, wire: str, where: str) -> Shape:
        inner, optional = _without_none(_plain(hint))
        return encrypted_shape(self.shape(inner, where), hint, wire, optional=optional)

    def _epoch(self, hint: Any, where: str) -> Shape:
        if hint not in _EPOCH_TYPES:
            raise ModelError(f"{where}: ttl() wants Attr[datetime], Attr[int] or one of them with | None, not {hint}")
        if hint is int:
            return self.shape(int, where)
        return Shape(hint, "N", lambda: str, _call(scalars.dump_epoch), _call(scalars.parse_epoch))

    def _json(self, hint: Any, where: str) -> Shape:
        dump, load = self.generic.json_functions(hint, where)
        return Shape(hint, "S", lambda: str, _call(dump), _call(load))

    def _compressed(self, hint: Any, where: str) -> Shape:
        dump, load = self.generic.compressed_functions(hint, where)
        return Shape(hint, "B", lambda: bytes, _call(dump), _call(load))


def _refuse_encrypted(cls: type) -> None:
    """A ciphertext is bound to an attribute of an item: what is inside of one has no name that nothing else could have.

    Raises:
        ModelError: an attribute of a class that is inside of a model is ``encrypted()``.
    """
    for field in attrs.fields(cls) if attrs.has(cls) else ():
        if options_of(field).storage == "encrypted":
            raise ModelError(
                f"{cls.__name__}.{field.name} is encrypted(), but {cls.__name__} is inside of an attribute: encrypt the model's "
                f"whole attribute instead, Attr[{cls.__name__}] = encrypted()"
            )


def _sequence(hint: Any, origin: type, item: Shape) -> Shape:
    check = containers.as_list if origin is list else containers.as_tuple

    def dump(source: str, names: Names) -> str:
        e = names.fresh()
        return f"[{attribute_dump(item, e, names)} for {e} in {_exactly(origin, check)(source, names)}]"

    def lift(source: str, names: Names) -> str:
        e = names.fresh()
        values = f"[{attribute_lift(item, e, names)} for {e} in {source}]"
        return values if origin is list else f"{names.bind(tuple)}({values})"

    return Shape(hint, "L", lambda: list[attribute_wire(item)], dump, lift, item=item, sequence=origin)  # type: ignore[misc]  # a run-time type


def _mapping(hint: Any, item: Shape) -> Shape:
    def dump(source: str, names: Names) -> str:
        k, e = names.fresh(), names.fresh()
        entries = f"{_exactly(dict, containers.as_map)(source, names)}.items()"
        key = _exactly(str, containers.map_key)(k, names)
        return f"{{{key}: {attribute_dump(item, e, names)} for {k}, {e} in {entries}}}"

    def lift(source: str, names: Names) -> str:
        k, e = names.fresh(), names.fresh()
        return f"{{{k}: {attribute_lift(item, e, names)} for {k}, {e} in {source}.items()}}"

    return Shape(hint, "M", lambda: dict[str, attribute_wire(item)], dump, lift, item=item)  # type: ignore[misc]  # a run-time type


def _enum_call(function: Callable[..., Any], enum: type[Enum], hint: str) -> Emit:
    return lambda source, names: f"{names.bind(function, hint)}({source}, {names.bind(enum)})"


def _plain(hint: Any) -> Any:
    """A type without ``Annotated``, ``NewType`` and type aliases around it."""
    while True:
        if typing.get_origin(hint) is typing.Annotated:
            hint = typing.get_args(hint)[0]
        elif isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":  # typing.TypeAliasType is new in Python 3.12
            hint = hint.__value__
        else:
            return hint


@lru_cache(maxsize=1024)
def _without_none(hint: Any) -> tuple[Any, bool]:
    """A type without ``None``, and whether ``None`` was in it."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint, False
    arguments = typing.get_args(hint)
    rest = tuple(argument for argument in arguments if argument is not _NONE)
    if len(rest) == len(arguments):
        return hint, False
    return typing.Union[rest], True  # noqa: UP007 - the members are known only at run time


def bare_type(hint: Any) -> Any:  # any type annotation
    """What a type annotation comes down to, without ``None``, ``Annotated``, ``NewType`` and type aliases around it."""
    return _plain(_without_none(_plain(hint))[0])
