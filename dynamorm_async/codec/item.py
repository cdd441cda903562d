"""The codec of one model: whole items and answers, by the compiled path, with the general path as the judge."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar, cast

import msgspec

from dynamorm_async.codec.answers import answer_json, bytes_in, parse_answer, plain_key
from dynamorm_async.codec.assembling import assembled
from dynamorm_async.codec.builder import ShapeBuilder
from dynamorm_async.codec.compiler import LayoutCodec
from dynamorm_async.codec.containers import vector_content
from dynamorm_async.codec.depth import check_depth
from dynamorm_async.codec.derived import DerivedAttributes
from dynamorm_async.codec.encrypted import decode_error
from dynamorm_async.codec.envelopes import RAW_PAGE, answer_decoder, last_key, page_decoder
from dynamorm_async.codec.layout import STORED, Layout, Member
from dynamorm_async.codec.misfit import Collector
from dynamorm_async.codec.page import PageContent
from dynamorm_async.codec.partial import partial_class
from dynamorm_async.codec.stored import Stored, held_of, stored_as
from dynamorm_async.codec.upcasting import ItemSchema, Upcasting
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
        key: the members that are the table's key, or that it is made of.
        derived: the attributes that are made from others; ``None`` where there are none.
        schema: the version of the items, and how older ones are brought up to it; ``None`` where they have none.
        partial: whether what is read may lack attributes.
    """

    def __init__(
        self,
        layout: Layout,
        builder: ShapeBuilder,
        *,
        unknown: Unknown,
        key: tuple[Member, ...],
        derived: DerivedAttributes | None = None,
        schema: ItemSchema | None = None,
        partial: bool = False,
    ) -> None:
        self.layout = layout
        self._builder = builder
        self.unknown: Unknown = unknown
        self._key, self._schema = key, schema
        self._derived, self._from_keys = derived, False
        self.upcasting = None if schema is None else Upcasting(layout, schema, key, derived, partial=partial)
        carried = (*(() if derived is None else derived.carried), *(() if schema is None else (schema.carried,)))
        self.compiled = LayoutCodec(layout, keeps_stored=True, forbid_unknown=unknown == "forbid", carried=carried)
        self._carried = frozenset(one.name for one in carried)
        self._wires = frozenset((*(member.wire for member in layout.members), *self._carried))

    # --- to DynamoDB -----------------------------------------------------------------------

    def encode(self, instance: M) -> dict[str, AttributeValue]:
        """The whole item, with kept unknown attributes.

        Raises:
            InvalidValue: an attribute cannot be stored; the message names every such attribute, or the one that nests
                deeper than DynamoDB takes, or is a vector of another length than its index has.
            InvalidKey: a key attribute is empty or too long.
        """
        item = self.compiled.encode(instance)
        for member in self._deep:
            self._check_depth(member, item.get(member.wire))
        for member in self._vectors:
            self._check_length(member, item.get(member.wire))
        unknown = vars(instance).get(_UNKNOWN) if self.unknown == "keep" else None
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

    @cached_property
    def _vectors(self) -> tuple[Member, ...]:
        """The attributes whose length a vector index bounds."""
        return tuple(member for member in self.layout.members if member.dimensions)

    def _check_length(self, member: Member, value: AttributeValue | None) -> None:
        try:
            vector_content((value or {}).get("L"), member.dimensions, member.key_of)
        except InvalidValue as error:
            raise InvalidValue(f"{self.layout.cls.__name__}.{member.name} {error}") from None

    def encode_member(self, member: Member, value: object) -> AttributeValue | None:
        """One attribute as stored; ``None`` where it is left out."""
        return self.compiled.encode_member(member, value)

    @cached_property
    def encode_key(self) -> Callable[..., dict[str, AttributeValue]]:
        """Key values, in order, as the key of a request.

        Raises:
            InvalidKey: a value is empty, too long, or of another type than its attribute.
        """
        derived, encode = self._derived, self.encode_key_values
        return encode if derived is None else lambda *values: derived.key(encode(*values))

    @cached_property
    def encode_key_values(self) -> Callable[..., dict[str, AttributeValue]]:
        """Key values, in order, as the attributes that the key is made of.

        Raises:
            InvalidKey: a value is empty, too long, or of another type than its attribute.
        """
        from dynamorm_async.codec.keys import key_encoder  # noqa: PLC0415 - loaded when first used

        return key_encoder(self.compiled, self._key)

    def decode_key(self, raw: Mapping[str, Any]) -> tuple[Any, ...]:
        """The key's values, in order, from AttributeValues in JSON form or with binary content as ``bytes``.

        Args:
            raw: the key, or the attributes that it is made of.

        Raises:
            KeyError: the key does not tell one of them.
        """
        whole = raw if self._derived is None else self._derived.recovered(raw)
        return tuple(member.shape.decode(whole[member.wire]) for member in self._key)

    def key_of(self, instance: M) -> dict[str, AttributeValue]:
        """The key of an instance, as the key of a request."""
        return self.encode_key(*(getattr(instance, member.name) for member in self._key))

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
        return self.read(raw)[0]

    def read(self, raw: msgspec.Raw) -> tuple[M, Any]:
        """One item as it stands in an answer, and what it was made from: a struct, or a raw item."""
        try:
            source = self._item.decode(raw)
            return self._lift(source), source
        except _MISFITS:
            whole = answer_json(raw)
            return self.decode(whole), whole

    def decode_page(self, body: bytes) -> PageContent[M]:
        """The answer of Query or Scan."""
        try:
            page = self._page.decode(body)
            lift = self._lift
            items = [lift(struct) for struct in page.Items]
        except _MISFITS:
            page = parse_answer(body, RAW_PAGE)
            read = [self.read(raw) for raw in page.Items]
            items, sources = [item for item, _ in read], [source for _, source in read]
        else:
            sources = page.Items
        return PageContent(
            items,
            scanned_count=page.ScannedCount,
            last_key=last_key(page.LastEvaluatedKey),
            capacity=page.ConsumedCapacity,
            sources=sources,
            key_of=self.key_in,
        )

    def reads(self, names: Collection[str]) -> bool:
        """Whether the compiled path reads all the named attributes, so that positions can be made of its rows."""
        return self._wires.issuperset(names)

    def partial(self, held: frozenset[str], told: frozenset[str] = frozenset()) -> ItemCodec[M]:
        """A codec of the attributes that an index holds: its instances lack the others, and cannot be written.

        Args:
            held: the names of the attributes that it holds.
            told: the names of those that it does not hold, but that its keys tell.
        """
        known = self._partials.get((held, told))
        if known is None:
            members = tuple(member for member in self.layout.members if member.wire in held or member.wire in told)
            cls = partial_class(self.layout.cls, [member.name for member in members])
            layout = msgspec.structs.replace(self.layout, cls=cls, members=members, unstored=())
            known = self._partials[held, told] = ItemCodec(
                layout,
                self._builder,
                unknown="ignore",
                key=self._key,
                derived=self._derived,
                schema=self._schema,
                partial=True,
            )
            # The compiled path takes what is absent for its default: only the general one asks the keys.
            known._from_keys = bool(told)
        return known

    @cached_property
    def _partials(self) -> dict[tuple[frozenset[str], frozenset[str]], ItemCodec[M]]:
        return {}

    def key_in(self, source: Any, names: tuple[str, ...]) -> dict[str, AttributeValue]:
        """The named attributes of what an item was made from: a struct of the compiled path, or a raw item."""
        if not isinstance(source, msgspec.Struct):
            return bytes_in({name: source[name] for name in names if name in source})
        read = self._readers.get(names)
        if read is None:
            from dynamorm_async.codec.keys import attributes_reader  # noqa: PLC0415 - loaded when first used

            read = self._readers[names] = attributes_reader(self.compiled, names)
        return read(source)

    @cached_property
    def _readers(self) -> dict[tuple[str, ...], Callable[[Any], dict[str, AttributeValue]]]:
        return {}

    def decode(self, raw: Mapping[str, Any]) -> M:
        """One item in DynamoDB's JSON form, with an exact report where it does not fit; one of an older schema is upcast.

        Whatever reads items of a model ends here where the compiled path refuses one, those of an older schema among
        them; what has items from elsewhere, from a stream or a backup, begins here.

        Raises:
            DecodeError: some attributes do not fit (it lists each as a path), it is of another model or of a newer
                schema, or an upcaster failed; ``DecryptError`` where some could not be decrypted.
        """
        if not isinstance(raw, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  # it comes from an answer
            raise DecodeError(self.layout.cls.__name__, {}, [Problem("", "is no map of attributes")])
        own, older = self._whole(raw), None
        if self.upcasting is not None:
            own, older = self.upcasting.current(raw, own)
        collector = Collector()
        values = collector.run("", self._values, own)
        unknown = {name: value for name, value in own.items() if name not in self._wires}
        kept = collector.run("", bytes_in, unknown) if self.unknown == "keep" else None
        carried = collector.run("", bytes_in, {name: raw[name] for name in self._carried if name in raw})
        instance = None if collector.problems else collector.run("", assembled, self.layout, values)
        if collector.problems:
            raise decode_error(self.layout.cls.__name__, plain_key(raw, self._key), collector.problems)
        there = raw if older is None else own
        seen = self._snapshot(instance, there)
        vars(instance)[STORED] = Stored(seen, held_of(self.layout, there, seen), carried, older)
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
            item: the item as the instance has it, with its derived attributes.
            held: the item as the table has it, where that is less.
        """
        vars(instance)[STORED] = stored_as(item, item if held is None else held, self._carried)

    def known(self, instance: M) -> Stored | None:
        """What was read or written last; ``None`` for an instance that was neither."""
        stored: Any = vars(instance).get(STORED)
        if stored is None or type(stored) is Stored:
            return stored
        # What was read is kept as it was decoded; it becomes AttributeValues only here, where they are wanted.
        seen = self.compiled.encode(self.compiled.lift(stored))
        return Stored(seen, held_of(self.layout, stored, seen), self.compiled.carried_in(stored))

    def stored(self, instance: M) -> Mapping[str, AttributeValue] | None:
        """What was read or written last, as conditions see it; ``None`` for an instance that was neither."""
        known = self.known(instance)
        return None if known is None else known.before

    # --- inside --------------------------------------------------------------------------------

    @cached_property
    def _lift(self) -> Callable[[Any], M]:
        if not self.compiles:
            return self.decode
        if self.unknown != "keep":
            return self.compiled.lift
        struct_type, lift = self.compiled.struct, self.compiled.lift

        def lift_keeping(raw: Mapping[str, Any]) -> Any:  # an M
            instance = lift(msgspec.convert(raw, struct_type, strict=False))
            unknown = {name: value for name, value in raw.items() if name not in self._wires}
            vars(instance)[_UNKNOWN] = bytes_in(unknown)
            return instance

        return lift_keeping

    @cached_property
    def _item_type(self) -> Any:  # a msgspec type expression
        return self.compiled.struct if self.compiles and self.unknown != "keep" else dict[str, Any]

    @property
    def compiles(self) -> bool:
        """Whether the compiled path can read its items at all."""
        return self.compiled.readable and not self._from_keys

    @cached_property
    def _get(self) -> msgspec.json.Decoder[Any]:
        return answer_decoder("GetAnswer", [("Item", self._item_type | None, None)])

    @cached_property
    def _written(self) -> msgspec.json.Decoder[Any]:
        return answer_decoder("WriteAnswer", [("Attributes", self._item_type | None, None)])

    @cached_property
    def _item(self) -> msgspec.json.Decoder[Any]:
        return msgspec.json.Decoder(self._item_type, strict=False)

    @cached_property
    def _page(self) -> msgspec.json.Decoder[Any]:
        return page_decoder(self._item_type)

    def _whole(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """An item with what its keys tell of it, and without them.

        Raises:
            DecodeError: it is of another model.
        """
        if self._derived is None:
            return raw
        mistyped = self._derived.mistyped(raw)
        if mistyped is not None:
            raise DecodeError(self.layout.cls.__name__, plain_key(raw, self._key), [Problem("", mistyped)])
        return {name: value for name, value in self._derived.recovered(raw).items() if name not in self._carried}

    def _values(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        return self._builder.generic.decode(self.layout, raw, forbid_unknown=self.unknown == "forbid")

    def _snapshot(self, instance: Any, raw: Mapping[str, Any]) -> Mapping[str, AttributeValue]:  # an M
        """What :meth:`stored` says of an item that was read by the general path; as it does by the compiled one."""
        try:
            return self.compiled.encode(instance)
        except (InvalidValue, InvalidKey):  # no item of DynamoDB's own
            return bytes_in({name: value for name, value in raw.items() if name in self._wires})

    def _decode_one(self, body: bytes, field: str) -> M | None:
        raw = answer_json(body).get(field)
        return None if raw is None else self.decode(raw)
