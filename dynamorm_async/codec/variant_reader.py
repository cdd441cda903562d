"""Items of several classes, each read as its own: by the discriminator that it carries."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, Final, Generic, Protocol, TypeVar, cast, final

import msgspec
from msgspec import UNSET, UnsetType

from dynamorm_async.codec.answers import answer_json, bytes_in, parse_answer
from dynamorm_async.codec.envelopes import RAW_PAGE, answer_decoder, last_key
from dynamorm_async.codec.item import ItemCodec
from dynamorm_async.codec.page import PageContent
from dynamorm_async.codec.shapes import wrapper
from dynamorm_async.types import AttributeValue

M = TypeVar("M")
R = TypeVar("R")

_NO_ITEM: Final = msgspec.Raw(b"")


class HasCodec(Protocol):
    """What is known of a class, as far as its items are read."""

    @property
    def codec(self) -> ItemCodec[Any]:
        """Decodes its items."""
        ...


@final
class VariantReader(Generic[M]):
    """Reads the items of a class and of its variants, each as its own class. An item without a type is of the class itself.

    Args:
        codec: of the class.
        discriminator: the name of the attribute that tells the type.
        variants: the variants by type; looked up for each item, for one may be declared later.
        held: the attributes that items have; ``None`` for whole items.
        told: the attributes that they lack, but that their keys tell.
    """

    def __init__(
        self,
        codec: ItemCodec[M],
        discriminator: str,
        variants: Mapping[str, HasCodec],
        *,
        held: frozenset[str] | None = None,
        told: frozenset[str] = frozenset(),
    ) -> None:
        self._codec = codec if held is None else codec.partial(held, told)
        self._whole = codec
        self._discriminator = discriminator
        self._variants = variants
        self._held = held
        self._told = told
        self._type_of = type_reader(discriminator)
        self._partials: dict[tuple[frozenset[str], frozenset[str]], VariantReader[M]] = {}

    def decode_get(self, body: bytes) -> M | None:
        """The answer of GetItem.

        Raises:
            DecodeError: the item does not fit its class, or is of no class of these.
        """
        raw = parse_answer(body, _GET).Item
        return None if raw is _NO_ITEM else self.decode_item(raw)

    def decode_written(self, body: bytes) -> M | None:
        """The ``Attributes`` of a write's answer, where they are a whole item.

        Raises:
            DecodeError: the item does not fit its class, or is of no class of these.
        """
        raw = parse_answer(body, _WRITTEN).Attributes
        return None if raw is _NO_ITEM else self.decode_item(raw)

    def decode_item(self, raw: msgspec.Raw) -> M:
        """One item as it stands in an answer.

        Raises:
            DecodeError: the item does not fit its class, or is of no class of these.
        """
        return cast("M", self._codec_of(self._type_of(raw)).decode_item(raw))

    def decode_page(self, body: bytes) -> PageContent[M]:
        """The answer of Query or Scan.

        Raises:
            DecodeError: an item does not fit its class, or is of no class of these.
        """

        def read(raw: msgspec.Raw) -> tuple[M, Source]:
            codec = self._codec_of(self._type_of(raw))
            item, source = codec.read(raw)
            return item, (codec, source)

        return mixed_page(body, read)

    def decode(self, raw: Mapping[str, Any]) -> M:
        """One item in DynamoDB's JSON form.

        Raises:
            DecodeError: the item does not fit its class, or is of no class of these.
        """
        return cast("M", self._codec_of(type_in(raw, self._discriminator)).decode(raw))

    def partial(self, held: frozenset[str], told: frozenset[str] = frozenset()) -> VariantReader[M]:
        """What reads items of which only these attributes are there. Without the type among them, all are of the class itself.

        Args:
            held: the names of the attributes that are there.
            told: the names of those that are not there, but that the keys tell.
        """
        known = self._partials.get((held, told))
        if known is None:
            known = VariantReader(self._whole, self._discriminator, self._variants, held=held, told=told)
            self._partials[held, told] = known
        return known

    def reads(self, names: Collection[str]) -> bool:
        """Whether positions of all the named attributes can be made of the rows of a page."""
        return self._codec.reads(names) and all(self._codec_of(kind).reads(names) for kind in self._variants)

    @property
    def compiles(self) -> bool:
        """Whether the compiled path can read items of the class at all."""
        return self._codec.compiles

    def _codec_of(self, kind: str | None) -> ItemCodec[Any]:
        """The codec for a type; of a type that is none of theirs that of the class, which says what is wrong."""
        variant = None if kind is None else self._variants.get(kind)
        if variant is None:
            return self._codec
        return variant.codec if self._held is None else variant.codec.partial(self._held, self._told)


Source = tuple[ItemCodec[Any] | None, Any]
"""What a row was made from: a struct or raw item of that codec; without a codec, an item in DynamoDB's JSON form."""


def mixed_page(body: bytes, read: Callable[[msgspec.Raw], tuple[R | None, Source]]) -> PageContent[R]:
    """The answer of Query or Scan with items of several classes.

    Args:
        body: the answer.
        read: what becomes of an item as it stands in the answer, and what that was made from. Items that become
            ``None`` are left out.

    Raises:
        DecodeError: it is no such answer, or as ``read`` raises it.
    """
    page = parse_answer(body, RAW_PAGE)
    rows = [(item, source) for item, source in map(read, page.Items) if item is not None]
    return PageContent(
        [item for item, _ in rows],
        scanned_count=page.ScannedCount,
        last_key=last_key(page.LastEvaluatedKey),
        capacity=page.ConsumedCapacity,
        sources=[source for _, source in rows],
        key_of=_key_of,
    )


def _key_of(source: Source, names: tuple[str, ...]) -> dict[str, AttributeValue]:
    codec, read = source
    if codec is None:
        return bytes_in({name: read[name] for name in names if name in read})
    return codec.key_in(read, names)


@lru_cache(maxsize=64)  # of a name it is always the same, and a decoder takes longer to make than a page to read
def type_reader(discriminator: str) -> Callable[[msgspec.Raw], str | None]:
    """What tells the type of an item as it stands in an answer; ``None`` where it has none, or none that is text.

    Args:
        discriminator: the name of the attribute that tells it.
    """

    def slowly(raw: msgspec.Raw) -> str | None:
        return type_in(answer_json(raw), discriminator)

    if any(character in '"\\' or character < " " for character in discriminator):
        return slowly  # msgspec takes no such name of a field
    decode = _type_decoder(discriminator).decode

    def read(raw: msgspec.Raw) -> str | None:
        try:
            tag = decode(raw).type
        except (msgspec.DecodeError, UnicodeDecodeError):
            return slowly(raw)
        return None if tag is UNSET else cast("str", tag.S)

    return read


def type_in(raw: Mapping[str, Any], discriminator: str) -> str | None:
    """The type of an item in DynamoDB's JSON form; ``None`` where it has none, or none that is text."""
    found: Any = raw.get(discriminator)
    kind = found.get("S") if isinstance(found, Mapping) else None
    return kind if isinstance(kind, str) else None


def _type_decoder(discriminator: str) -> msgspec.json.Decoder[Any]:
    """Decodes the discriminator of an item, and passes over all else."""
    text = wrapper("S", str, nullable=False)
    fields: list[Any] = [("type", text | UnsetType, UNSET)]  # a union of a class made at run time
    return msgspec.json.Decoder(msgspec.defstruct("Typed", fields, rename={"type": discriminator}, gc=False))


_GET: Final = answer_decoder("RawGetAnswer", [("Item", msgspec.Raw, _NO_ITEM)])
_WRITTEN: Final = answer_decoder("RawWriteAnswer", [("Attributes", msgspec.Raw, _NO_ITEM)])
