"""How the values of a family are stored: each as its own class is, with the type of that class beside it."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, final

import msgspec

from dynamorm_async.codec.families import TAG, Family, tag_text
from dynamorm_async.codec.layout import Layout
from dynamorm_async.errors import InvalidExpression
from dynamorm_async.types import AttributeValue

if TYPE_CHECKING:
    from dynamorm_async.codec.compiler import LayoutCodec
    from dynamorm_async.codec.shapes import Shape

Functions = tuple[Callable[[Any], Any], Callable[[Any], Any]]


class Codecs(Protocol):
    """Where the layouts and codecs of the family's classes come from."""

    def layout(self, tp: Any) -> Layout:
        """The layout of an attrs class."""
        ...

    def codec(self, tp: Any) -> LayoutCodec:
        """The compiled codec of an attrs class."""
        ...

    def compiles(self, tp: Any) -> bool:
        """Whether no hook of the user's stands for the class."""
        ...


@final
class Variants:
    """The classes that an attribute of a family's class can hold: that class and its subclasses.

    They are looked up when a value is stored or read, so that a subclass may be declared after the model.

    Args:
        cls: the attribute's class.
        family: its family.
        codecs: of the model.
        generic: value to AttributeValue and back by the general path, for what the compiled one does not carry.
        text: the shape of the type itself.
    """

    def __init__(self, cls: type, family: Family, codecs: Codecs, generic: Functions, text: Shape) -> None:
        self.cls = cls
        self._family = family
        self._codecs = codecs
        self._dump, self._load = generic
        self.text = text
        self._encoders: dict[type, Callable[[Any], dict[str, AttributeValue]]] = {}
        self._readers: dict[str | None, _Reader] = {}  # by type
        self._made_after = family.replaced

    # --- values ----------------------------------------------------------------------------

    def encode(self, value: object) -> dict[str, AttributeValue]:
        """Value to stored map.

        Raises:
            InvalidValue: it is of no class of the family that is the attribute's or a subclass, or cannot be stored.
        """
        encode = self._encoders.get(value.__class__)
        if encode is None or self._made_after != self._family.replaced:
            self._forget_replaced()
            cls = self._family.class_of(value, self.cls)
            encode = self._encoders[cls] = self._encoder(cls)
        return encode(value)

    def lift(self, content: Mapping[str, Any]) -> Any:  # an instance of the class that the map names
        """Stored map to value.

        Raises:
            Misfit: its type is not known here.
            msgspec.ValidationError, ValueError: it does not fit its class.
        """
        return self._reader(content).lift(content)

    def layout_in(self, content: Mapping[str, Any]) -> Layout | None:
        """The layout of a stored map's class; ``None`` where a hook of the user's stands for it.

        Raises:
            Misfit: its type is not known here.
        """
        return self._reader(content).layout

    # --- paths -----------------------------------------------------------------------------

    def holds(self, cls: type) -> bool:
        """Whether a value may be of a class."""
        return issubclass(cls, self.cls) and cls in self._family.types_of(self.cls).values()

    def child(self, name: str) -> tuple[str, Shape] | None:
        """The stored name and the shape of an attribute of the class, or else of its subclasses.

        Raises:
            InvalidExpression: subclasses have attributes of this name that are stored differently.
        """
        if name == TAG:
            return TAG, self.text
        own = self._codecs.layout(self.cls).member(name)
        if own is not None:
            return own.wire, own.shape
        classes = self._family.types_of(self.cls).values()
        found = [(cls, member) for cls in classes if (member := self._codecs.layout(cls).member(name)) is not None]
        if not found:
            return None
        _cls, first = found[0]
        for cls, other in found:
            if (other.wire, other.shape.type, other.storage) != (first.wire, first.shape.type, first.storage):
                raise InvalidExpression(
                    f"{name!r} is stored otherwise in {cls.__name__} than in {_cls.__name__}: "
                    f"write / {cls.__name__}.{name} or / {_cls.__name__}.{name}"
                )
        return first.wire, first.shape

    # --- inside ----------------------------------------------------------------------------

    def _encoder(self, cls: type) -> Callable[[Any], dict[str, AttributeValue]]:
        if not self._codecs.compiles(cls):
            return lambda value: self._dump(value)["M"]
        compiled, type_name = self._codecs.codec(cls).encode, self._family.type_of(cls)

        def encode(value: object) -> dict[str, AttributeValue]:
            content = compiled(value)
            content[TAG] = {"S": type_name}
            return content

        return encode

    def _reader(self, content: Mapping[str, Any]) -> _Reader:
        name = tag_text(content)
        reader = self._readers.get(name)
        if reader is None or self._made_after != self._family.replaced:
            self._forget_replaced()
            reader = self._readers[name] = self._make_reader(self._family.class_named(name, self.cls))
        return reader

    def _forget_replaced(self) -> None:
        """Forget what was made for classes that were declared again since."""
        if self._made_after != self._family.replaced:
            self._made_after = self._family.replaced
            self._encoders.clear()
            self._readers.clear()

    def _make_reader(self, cls: type) -> _Reader:
        if not self._codecs.compiles(cls):
            return _Reader(lambda content: self._load({"M": content}), None)
        codec = self._codecs.codec(cls)
        if not codec.readable:
            return _Reader(lambda content: self._load({"M": content}), codec.layout)
        struct, lift = codec.struct, codec.lift
        return _Reader(lambda content: lift(msgspec.convert(content, struct, strict=False)), codec.layout)


@final
class _Reader(NamedTuple):
    """What reads the maps of one class, and its layout; none where a hook of the user's stands for it."""

    lift: Callable[[Mapping[str, Any]], Any]
    layout: Layout | None
