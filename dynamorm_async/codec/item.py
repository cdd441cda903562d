"""The codec of one model: whole items and answers, by the compiled path, with the general path as the judge."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar, cast

import attrs
import msgspec

from dynamorm_async.codec.answers import answer_json, bytes_in, parse_answer
from dynamorm_async.codec.builder import ShapeBuilder
from dynamorm_async.codec.compiler import LayoutCodec
from dynamorm_async.codec.depth import check_depth
from dynamorm_async.codec.layout import STORED, Layout, Member
from dynamorm_async.codec.misfit import Collector, Misfit
from dynamorm_async.codec.names import Names
from dynamorm_async.codec.page import PageContent
from dynamorm_async.codec.partial import partial_class
from dynamorm_async.codec.stored import Stored, held_of
from dynamorm_async.errors import DecodeError, InvalidKey, InvalidValue, Problem
from dynamorm_async.types import AttributeValue

M = TypeVar("M")
Unknown = Literal["ignore", "keep", "forbid"]

_UNKNOWN = "_dynamorm_unknown"
_MISFITS = Exception  # constructors, validators and hooks of the user's raise what they like


class ItemCodec(Generic[M]):
    """Encodes and decodes one model.

    Args:
        layout: the model's attributes.
        builder: what made the layout.
        unknown: what becomes of attributes that the model does not have.
        key: the members that are the table's key.
    """

    def __init__(self, layout: Layout, builder: ShapeBuilder, *, unknown: Unknown, key: tuple[Member, ...]) -> None:
        self.layout = layout
        self._builder = builder
        self._unknown = unknown
        self._key = key
        self._compiled = LayoutCodec(layout, keeps_stored=True, forbid_unknown=unknown == "forbid")
        self._wires = frozenset(member.wire for member in layout.members)

    # --- to DynamoDB -----------------------------------------------------------------------

    def encode(self, instance: M) -> dict[str, AttributeValue]:
        """The whole item, with kept unknown attributes.

        Raises:
            InvalidValue: an attribute cannot be stored; the message names every such attribute, or the one that nests
                deeper than DynamoDB takes.
            InvalidKey: a key attribute is empty or too long.
        """
        item = self._compiled.encode(instance)
        for member in self._deep:
            self._check_depth(member, item.get(member.wire))
        unknown = vars(instance).get(_UNKNOWN) if self._unknown == "keep" else None
        return {**unknown, **item} if unknown else item

    @cached_property
    def _deep(self) -> tuple[Member, ...]:
        """The attributes whose types do not keep them from nesting too deep."""
        return tuple(member for member in self.layout.members if member.shape.may_nest_deep)

    def _check_depth(self, member: Member, value: AttributeValue | None) -> None:
        try:
            check_depth(value or {})
        except InvalidValue as error:
            raise InvalidValue(f"{self.layout.cls.__name__}.{member.name}: {error}") from None

    def encode_member(self, member: Member, value: object) -> AttributeValue | None:
        """One attribute as stored; ``None`` where it is left out."""
        return self._compiled.encode_member(member, value)

    @cached_property
    def encode_key(self) -> Callable[..., dict[str, AttributeValue]]:
        """Key values, in order, as the key of a request.

        Raises:
            InvalidKey: a value is empty, too long, or of another type than its attribute.
        """
        names = Names()
        lines = ", ".join(
            f"{member.wire!r}: {names.bind(self._key_encoder(member), f'key_{i}')}(k{i})"
            for i, member in enumerate(self._key)
        )
        arguments = ", ".join(f"k{i}" for i in range(len(self._key)))
        return names.function("key", f"def key({arguments}):\n    return {{{lines}}}\n")

    def decode_key(self, raw: Mapping[str, Any]) -> tuple[Any, ...]:
        """The key's values, in order, from AttributeValues in JSON form or with binary content as ``bytes``."""
        return tuple(member.shape.decode(raw[member.wire]) for member in self._key)

    def key_of(self, instance: M) -> dict[str, AttributeValue]:
        """The key of an instance, as the key of a request."""
        return self.encode_key(*(getattr(instance, member.name) for member in self._key))

    def _key_encoder(self, member: Member) -> Callable[[Any], AttributeValue]:
        compiled, where = self._compiled.member_encoder(member), f"{self.layout.cls.__name__}.{member.name}"

        def encode(value: object) -> AttributeValue:
            try:
                content = compiled(value)
            except (InvalidValue, InvalidKey) as error:
                raise InvalidKey(f"{where}: {error}") from None
            if content is None:
                raise InvalidKey(f"{where} is None, but it is {member.key_of}")
            return content

        return encode

    # --- from DynamoDB ---------------------------------------------------------------------

    def decode_get(self, body: bytes) -> M | None:
        """The answer of GetItem."""
        try:
            struct = self._get.decode(body).Item
            return None if struct is None else self._lift(struct)
        except _MISFITS:
            return self._decode_one(body, "Item")

    def decode_written(self, body: bytes) -> M | None:
        """The ``Attributes`` of a write's answer, where they are a whole item."""
        try:
            struct = self._written.decode(body).Attributes
            return None if struct is None else self._lift(struct)
        except _MISFITS:
            return self._decode_one(body, "Attributes")

    def decode_item(self, raw: msgspec.Raw) -> M:
        """One item as it stands in an answer.

        Raises:
            DecodeError: some attributes do not fit; it lists each as a path.
        """
        try:
            return self._lift(self._item.decode(raw))
        except _MISFITS:
            return self.decode(answer_json(raw))

    def decode_page(self, body: bytes) -> PageContent[M]:
        """The answer of Query or Scan."""
        try:
            page = self._page.decode(body)
            lift = self._lift
            items = [lift(struct) for struct in page.Items]
        except _MISFITS:
            page = parse_answer(body, _ANY_PAGE)
            items = [self.decode(item) for item in page.Items]
        return PageContent(
            items,
            scanned_count=page.ScannedCount,
            last_key=_last_key(page.LastEvaluatedKey),
            capacity=page.ConsumedCapacity,
            sources=page.Items,
            key_of=self._key_in,
        )

    def partial(self, held: frozenset[str]) -> ItemCodec[M]:
        """A codec of the attributes that an index holds: its instances lack the others, and cannot be written."""
        known = self._partials.get(held)
        if known is None:
            members = tuple(member for member in self.layout.members if member.wire in held)
            cls = partial_class(self.layout.cls, [member.name for member in members])
            layout = attrs.evolve(self.layout, cls=cls, members=members, unstored=())
            known = self._partials[held] = ItemCodec(layout, self._builder, unknown="ignore", key=self._key)
        return known

    @cached_property
    def _partials(self) -> dict[frozenset[str], ItemCodec[M]]:
        return {}

    def _key_in(self, source: Any, names: tuple[str, ...]) -> dict[str, AttributeValue]:
        """The named attributes of what an item was made from: a struct of the compiled path, or a raw item."""
        item = self._compiled.encode(self._compiled.lift(source)) if isinstance(source, msgspec.Struct) else source
        return bytes_in({name: item[name] for name in names if name in item})

    def decode(self, raw: Mapping[str, Any]) -> M:
        """One item in DynamoDB's JSON form, with an exact report where it does not fit.

        Raises:
            DecodeError: some attributes do not fit; it lists each as a path.
        """
        if not isinstance(raw, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  # it comes from an answer
            raise DecodeError(self.layout.cls.__name__, {}, [Problem("", "is no map of attributes")])
        collector = Collector()
        values = collector.run("", self._values, raw)
        unknown = {name: value for name, value in raw.items() if name not in self._wires}
        kept = collector.run("", bytes_in, unknown) if self._unknown == "keep" else None
        instance = None if collector.problems else collector.run("", self._assemble, values)
        if collector.problems:
            raise DecodeError(self.layout.cls.__name__, self._native_key(raw), collector.problems)
        seen = self._snapshot(instance, raw)
        vars(instance)[STORED] = Stored(seen, held_of(self.layout, raw, seen))
        if kept is not None:
            vars(instance)[_UNKNOWN] = kept
        return cast("M", instance)

    # --- what is known to be in the table ----------------------------------------------------

    def remember(
        self, instance: M, item: Mapping[str, AttributeValue], held: Mapping[str, AttributeValue] | None = None
    ) -> None:
        """Note what a successful write left in the table.

        Args:
            instance: what was written.
            item: the item as the instance has it.
            held: the item as the table has it, where that is less.
        """
        vars(instance)[STORED] = Stored(item, item if held is None else held)

    def known(self, instance: M) -> Stored | None:
        """What was read or written last; ``None`` for an instance that was neither."""
        stored: Any = vars(instance).get(STORED)
        if not isinstance(stored, msgspec.Struct):
            return cast("Stored | None", stored)
        # What was read is kept as it was decoded; it becomes AttributeValues only here, where they are wanted.
        seen = self._compiled.encode(self._compiled.lift(stored))
        return Stored(seen, held_of(self.layout, stored, seen))

    def stored(self, instance: M) -> Mapping[str, AttributeValue] | None:
        """What was read or written last, as the instance had it; ``None`` for an instance that was neither."""
        known = self.known(instance)
        return None if known is None else known.seen

    # --- inside --------------------------------------------------------------------------------

    @cached_property
    def _lift(self) -> Callable[[Any], M]:
        if not self._compiled.readable:
            return self.decode
        if self._unknown != "keep":
            return self._compiled.lift
        struct_type, lift = self._compiled.struct, self._compiled.lift

        def lift_keeping(raw: Mapping[str, Any]) -> Any:  # an M
            instance = lift(msgspec.convert(raw, struct_type, strict=False))
            unknown = {name: value for name, value in raw.items() if name not in self._wires}
            vars(instance)[_UNKNOWN] = bytes_in(unknown)
            return instance

        return lift_keeping

    @cached_property
    def _item_type(self) -> Any:  # a msgspec type expression
        return self._compiled.struct if self._compiled.readable and self._unknown != "keep" else dict[str, Any]

    @cached_property
    def _get(self) -> msgspec.json.Decoder[Any]:
        return _decoder("GetAnswer", [("Item", self._item_type | None, None)])

    @cached_property
    def _written(self) -> msgspec.json.Decoder[Any]:
        return _decoder("WriteAnswer", [("Attributes", self._item_type | None, None)])

    @cached_property
    def _item(self) -> msgspec.json.Decoder[Any]:
        return msgspec.json.Decoder(self._item_type, strict=False)

    @cached_property
    def _page(self) -> msgspec.json.Decoder[Any]:
        return _page_decoder(self._item_type)

    def _assemble(self, values: dict[str, Any]) -> Any:  # an M
        """An instance from its attributes' values, defaults for the absent ones."""
        instance: Any = object.__new__(self.layout.cls)
        late: list[tuple[str, Any]] = []
        for member in self.layout.members:
            if member.name in values:
                vars(instance)[member.name] = values[member.name]
            elif member.default is attrs.NOTHING:
                vars(instance)[member.name] = None if member.shape.optional else member.shape.empty()
            else:
                late.append((member.name, member.default))
        for name, default in [*late, *self.layout.unstored]:
            if default is not attrs.NOTHING:
                vars(instance)[name] = _produce(default, instance)
        post_init = getattr(instance, "__attrs_post_init__", None)
        if post_init is not None:
            post_init()
        return instance

    def _values(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        return self._builder.generic.decode(self.layout, raw, forbid_unknown=self._unknown == "forbid")

    def _snapshot(self, instance: Any, raw: Mapping[str, Any]) -> Mapping[str, AttributeValue]:  # an M
        """What :meth:`stored` says of an item that was read by the general path; as it does by the compiled one."""
        try:
            return self._compiled.encode(instance)
        except (InvalidValue, InvalidKey):  # no item of DynamoDB's own
            return bytes_in({name: value for name, value in raw.items() if name in self._wires})

    def _decode_one(self, body: bytes, field: str) -> M | None:
        raw = answer_json(body).get(field)
        return None if raw is None else self.decode(raw)

    def _native_key(self, raw: Mapping[str, Any]) -> dict[str, object]:
        found = {member.wire: raw[member.wire] for member in self._key if member.wire in raw}
        return {
            name: next(iter(value.values()), None) if isinstance(value, Mapping) else value
            for name, value in found.items()
        }


def _last_key(key: Mapping[str, Any] | None) -> dict[str, AttributeValue] | None:
    """Where the next page begins.

    Raises:
        DecodeError: it is no key.
    """
    if key is None:
        return None
    try:
        return bytes_in(key)
    except Misfit as misfit:
        problems = [Problem(f"LastEvaluatedKey.{problem.path}", problem.message) for problem in misfit.problems]
        raise DecodeError("of the answer", {}, problems) from None


def _produce(default: Any, instance: object) -> Any:  # of the attribute's type
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # the stubs type Factory as a function
        return default.factory(instance) if default.takes_self else default.factory()
    return default


def _list_of(item: Any) -> Any:  # a msgspec type expression
    return list[item]


def _decoder(name: str, fields: list[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(msgspec.defstruct(name, fields, gc=False), strict=False)


def _page_decoder(item: Any) -> msgspec.json.Decoder[Any]:  # a msgspec type expression
    return _decoder(
        "PageAnswer",
        [
            ("Items", _list_of(item), msgspec.field(default_factory=list)),
            ("ScannedCount", int, 0),
            ("LastEvaluatedKey", dict[str, Any] | None, None),
            ("ConsumedCapacity", Any, None),
        ],
    )


_ANY_PAGE = _page_decoder(Any)
