"""The general path through cattrs: types that the compiled path does not carry, and the exact report of misfits."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
import typing
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from dynamorm_async.codec import containers
from dynamorm_async.codec.families import family_of, misplaced
from dynamorm_async.codec.hidden import MISREAD
from dynamorm_async.codec.hooks import is_ours, ours, unstructure_hook
from dynamorm_async.codec.layout import Layout, Member
from dynamorm_async.codec.misfit import Collector, Misfit, expected
from dynamorm_async.codec.shapes import Shape
from dynamorm_async.codec.unions import Alternatives, class_of, is_union, structure_variant, unstructure_variant
from dynamorm_async.errors import DynamormError, InvalidValue, ModelError, Problem
from dynamorm_async.types import AttributeValue

if TYPE_CHECKING:
    import cattrs

Function = Callable[[Any], Any]
_NATIVE = (str, bytes)


class Layouts(Protocol):
    """Where the layouts of nested classes come from, and the types of their attributes."""

    def layout(self, tp: Any) -> Layout:
        """The layout of an attrs class."""
        ...

    def types(self, tp: Any) -> Mapping[str, Any]:
        """The declared types of an attrs class's attributes."""
        ...


class GenericPath:
    """Converts by a cattrs converter.

    Args:
        converter: one from ``make_converter()`` with the user's hooks, or ``None`` for the standard one.
        layouts: where the layouts of nested classes come from.
    """

    def __init__(self, converter: cattrs.Converter | None, layouts: Layouts) -> None:
        self._given = converter
        self._layouts = layouts

    @cached_property
    def converter(self) -> cattrs.Converter:
        """The user's converter (a copy) or the standard one, with hooks for attrs classes. Imports cattrs."""
        from dynamorm_async.codec.converter import make_converter  # noqa: PLC0415 - cattrs costs 40 ms

        base = self._given or make_converter()
        if not is_ours(base.get_structure_hook(str)):
            raise ModelError("converter= wants a converter from dynamorm_async.make_converter(), with your hooks added")
        converter = base.copy()

        def is_plain_class(tp: Any) -> bool:
            return attrs.has(typing.get_origin(tp) or tp) and is_ours(base.get_structure_hook(tp))

        converter.register_unstructure_hook_factory(is_plain_class, lambda tp: ours(self._unstructure_class(tp)))
        converter.register_structure_hook_factory(is_plain_class, lambda tp: ours(self._structure_class(tp)))
        return converter

    def is_standard(self, hint: Any) -> bool:
        """Whether the user's converter has no hook of its own for a type."""
        structure = self.converter.get_structure_hook(hint)
        return is_ours(structure) and is_ours(self.converter.get_unstructure_hook(hint))

    def functions(self, hint: Any, where: str) -> tuple[Function, Function]:
        """Value to AttributeValue and back, for any type that cattrs knows."""
        from dynamorm_async.codec.native import from_attribute_value, to_attribute_value  # noqa: PLC0415 - only for such types

        def dump(value: Any) -> AttributeValue:
            return to_attribute_value(self.unstructure(value, hint))

        def lift(value: Any) -> Any:  # of the hinted type
            return self.structure(from_attribute_value(value), hint)

        self._check(hint, where)
        return dump, lift

    def json_functions(self, hint: Any, where: str) -> tuple[Function, Function]:
        """Value to JSON text and back."""
        self._check(hint, where)

        def dump(value: Any) -> str:
            return containers.json_text(_unstructured(self._json.get_unstructure_hook(hint), value, hint))

        def load(text: str) -> Any:  # of the hinted type
            return self._json.structure(containers.json_value(text), hint)

        return dump, load

    def compressed_functions(self, hint: Any, where: str) -> tuple[Function, Function]:
        """Value to compressed bytes and back: of its text, its bytes, or its JSON text."""
        if hint in _NATIVE:
            from dynamorm_async.codec.scalars import dump_bytes, dump_str  # noqa: PLC0415 - only for such attributes

            if hint is str:
                return lambda v: containers.compress(_utf8(dump_str(v))), lambda c: containers.decompress(c).decode()
            return lambda v: containers.compress(dump_bytes(v)), containers.decompress
        dump, load = self.json_functions(hint, where)
        return lambda v: containers.compress(_utf8(dump(v))), lambda c: load(containers.decompress(c).decode())

    def unstructure(self, value: object, hint: Any) -> Any:  # a plain value
        """A typed value as a plain one.

        Raises:
            InvalidValue: it is not of its type, or a hook failed.
        """
        return _unstructured(unstructure_hook(self.converter, hint), value, hint)

    def structure(self, native: object, hint: Any) -> Any:  # of the hinted type
        """A plain value as a typed one.

        Raises:
            Exception: it does not fit; hooks raise what they like.
        """
        return self.converter.structure(native, hint)

    def encode(self, layout: Layout, instance: object) -> dict[str, AttributeValue]:
        """An instance as a stored map, by cattrs alone. What the compiled path must agree with."""
        return {
            wire: value
            for wire, value in ((m.wire, self._encode_member(m, getattr(instance, m.name))) for m in layout.members)
            if value is not None
        }

    def decode(self, layout: Layout, raw: Mapping[str, Any], *, forbid_unknown: bool = False) -> dict[str, Any]:
        """The attributes of a stored map, by Python name, by cattrs alone; absent ones are left out.

        Raises:
            Misfit: every attribute that does not fit, by path.
        """
        collector = Collector()
        values: dict[str, Any] = {}
        for member in layout.members:
            if member.wire in raw:
                values[member.name] = collector.run(member.wire, self._decode_member, member, raw[member.wire])
            elif member.required:
                collector.problems.append(Problem(member.wire, "is missing"))
        if forbid_unknown:
            known = {member.wire for member in layout.members}
            collector.problems += [
                Problem(name, "is not an attribute of the model") for name in raw if name not in known
            ]
        collector.check()
        return values

    def _encode_member(self, member: Member, value: object) -> AttributeValue | None:
        from dynamorm_async.codec.native import to_attribute_value  # noqa: PLC0415 - the general path only

        shape = member.shape
        if member.omits_null and (
            (shape.optional and value is None) or (shape.is_set and value in (set(), frozenset()))
        ):
            return None
        if member.storage == "native":
            return to_attribute_value(self.unstructure(value, shape.type))
        return shape.encode(value)

    def _decode_member(self, member: Member, value: Any) -> Any:  # of the member's type
        if member.storage != "native":
            return member.shape.decode(value)
        if not member.shape.hidden:
            return self._read(member.shape, value)
        try:
            return self._read(member.shape, value)
        except Exception:  # noqa: BLE001 - hooks raise what they like, and may quote the value
            raise Misfit([Problem("", MISREAD)]) from None

    def _read(self, shape: Shape, value: Any) -> Any:  # of the shape's type
        """A value by its shape, so that attributes which a nested class does not have are passed over."""
        from dynamorm_async.codec.native import from_attribute_value  # noqa: PLC0415 - the general path only

        found = content_of(value, shape.tag) if shape.layout or shape.item or shape.variants else None
        if found is None or shape.is_set:
            return self.structure(from_attribute_value(value), shape.type)
        layout = shape.layout if shape.variants is None else shape.variants.layout_in(found)
        if layout is not None:
            return build(layout, self.decode(layout, found))
        if shape.item is None:
            return self.structure(from_attribute_value(value), shape.type)
        collector, entries = Collector(), found.items() if shape.tag == "M" else enumerate(found)
        values = {
            key: collector.run(f"[{key}]" if shape.tag == "L" else str(key), self._read, shape.item, element)
            for key, element in entries
        }
        collector.check()
        if shape.tag == "M":
            return values
        return shape.sequence(values.values())

    def _unstructure_class(self, tp: Any) -> Function:
        def unstructure(value: object) -> dict[str, Any]:
            from dynamorm_async.codec.native import from_attribute_value  # noqa: PLC0415 - the general path only

            layout = self._layouts.layout(tp)  # not before: the class may hold itself
            if type(value) is not layout.cls:
                raise misplaced(value, layout.cls)
            return {name: from_attribute_value(av) for name, av in self.encode(layout, value).items()}

        family = family_of(class_of(tp))
        return unstructure if family is None else unstructure_variant(tp, family, self.converter, unstructure)

    def _structure_class(self, tp: Any) -> Callable[[Any, Any], Any]:
        def structure(value: object, _type: Any) -> Any:  # an instance of the class
            layout = self._layouts.layout(tp)  # not before: the class may hold itself
            if not isinstance(value, Mapping):
                raise expected("a map", value)
            return self._instance(layout, value)

        family = family_of(class_of(tp))
        return structure if family is None else structure_variant(tp, family, self.converter, structure)

    def _instance(self, layout: Layout, natives: Mapping[str, Any]) -> Any:  # an instance of the layout's class
        from dynamorm_async.codec.native import to_attribute_value  # noqa: PLC0415 - the general path only

        raw = {name: to_attribute_value(value) for name, value in natives.items()}
        return build(layout, self.decode(layout, raw))

    @cached_property
    def _json(self) -> cattrs.Converter:
        from dynamorm_async.codec.jsontext import make_json_converter  # noqa: PLC0415 - only for such attributes

        return make_json_converter(self._layouts.types)

    def _check(self, hint: Any, where: str) -> None:
        """Refuse at declaration what could only fail later."""
        if isinstance(hint, type) and hint.__module__ == "builtins" and hint in (complex, range, slice, type):
            raise ModelError(f"{where}: {hint.__name__} cannot be stored; register hooks on a converter for it")
        if is_union(hint):
            try:
                Alternatives(hint).check()
            except ModelError as error:
                raise ModelError(f"{where}: {error}") from None


def _unstructured(hook: Function, value: object, hint: Any) -> Any:  # a plain value
    try:
        return hook(value)
    except DynamormError:
        raise
    except Exception as error:
        raise InvalidValue(f"{value!r} cannot be stored as {hint}: {error}") from error


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidValue(f"holds half a surrogate pair, which has no UTF-8 form: {error.reason}") from None


def content_of(value: Any, tag: str) -> Any:  # a map or list
    """The content of an AttributeValue of one tag, ``M`` or ``L``; ``None`` where it is another."""
    content = value.get(tag) if isinstance(value, Mapping) and len(value) == 1 else None
    return content if isinstance(content, Mapping if tag == "M" else list) else None


def build(layout: Layout, values: Mapping[str, Any]) -> Any:  # an instance of the layout's class
    """An instance by its constructor; sets and optional attributes that are absent are empty and ``None``.

    Raises:
        Misfit: the class refused.
    """
    arguments = {member.argument: values[member.name] for member in layout.members if member.name in values}
    for member in layout.members:
        if member.argument not in arguments and member.default is attrs.NOTHING:
            arguments[member.argument] = None if member.shape.optional else set[Any]()
    try:
        return layout.cls(**arguments)
    except (TypeError, ValueError) as error:
        raise Misfit([Problem("", str(error))]) from error
