"""From a plan of a collection to a running stream: each item as its own model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from dynamorm_async.codec.answers import answer_json, bytes_in
from dynamorm_async.codec.item import ItemCodec
from dynamorm_async.codec.page import PageContent
from dynamorm_async.codec.variant_reader import Source, mixed_page, type_in, type_reader
from dynamorm_async.database.access import Access
from dynamorm_async.database.counting import counted_page
from dynamorm_async.database.fetching import fetching
from dynamorm_async.database.grouped import UnknownItem
from dynamorm_async.database.running import stream_of
from dynamorm_async.database.stream import ItemStream
from dynamorm_async.errors import Problem, UnrecognizedItem
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.collections import Collected, counts_there
from dynamorm_async.plan.hiding import Hiding, hiding
from dynamorm_async.plan.holding import told_by_keys
from dynamorm_async.plan.reading import Reading, ReadPlan

_LEFT_OUT: tuple[None, Source] = (None, (None, None))
_STRANGE = (
    "{found}, and the models of the table have {types}. Import the module of its model, or pass over such items with "
    'unknown("skip"), or get them as they are with unknown("raw")'
)


def open_collection(access: Access, collected: Collected, plan: ReadPlan, reading: Reading) -> ItemStream[Any]:
    """The stream of a collection, from the reading's cursor where it has one. Sends nothing yet.

    Raises:
        CursorError: the cursor is not of this collection.
    """
    fetch = fetching(access.send, _decoder(access, collected, plan, reading), access.turns)
    # What DynamoDB is not asked to leave out is no part of the request, and still tells two collections apart.
    names = [spec.name for spec in collected.models]
    bound_to = ["a collection", *names, *(["with hidden"] if reading.with_hidden else [])]
    return stream_of(access, plan, reading, fetch, bound_to=bound_to)


def _decoder(
    access: Access, collected: Collected, plan: ReadPlan, reading: Reading
) -> Callable[[bytes], PageContent[Any]]:
    if counts_there(plan):
        return counted_page
    rows = Rows(collected, plan, None if reading.with_hidden else access)
    return partial(mixed_page, read=rows.count if reading.counting else rows.read)


class _Kind(msgspec.Struct, frozen=True):
    """How the items of one model are read.

    Attributes:
        codec: decodes them.
        keyed: whether positions can be made of what the codec decodes; else they are made of the items as they stand.
        hiding: what of them is left out.
    """

    codec: ItemCodec[Any]
    keyed: bool
    hiding: Hiding | None


class Rows:
    """Makes models of the items of a collection.

    Args:
        collected: what the collection asks for.
        plan: what is read.
        access: tells the time by which items have expired; ``None`` where hidden items are read, too.
    """

    def __init__(self, collected: Collected, plan: ReadPlan, access: Access | None) -> None:
        self._collected = collected
        self._recognition = recognition = collected.recognition()
        self._names, self._held = frozenset(plan.key_names), plan.held
        self._now = None if access is None or not any(spec.hides for spec in recognition.asked) else access.clock()
        name = recognition.discriminator
        self._type_of = None if name is None else type_reader(name)
        self._asked = frozenset(recognition.asked)
        self._kinds: dict[ModelSpec[Any], _Kind] = {}
        self._by_type: dict[str, _Kind] = {}  # of the types that were met

    def read(self, raw: msgspec.Raw) -> tuple[Any, Source]:  # an instance of any model, or None
        """What becomes of an item as it stands in an answer: ``None`` where it is left out.

        Raises:
            DecodeError: it does not fit its model, or is of none that is known.
        """
        tag = None if self._type_of is None else self._type_of(raw)
        kind = None if tag is None else self._by_type.get(tag) or self._met(tag)
        if kind is not None and kind.keyed and kind.hiding is None:
            item, source = kind.codec.read(raw)
            return item, (kind.codec, source)
        whole = answer_json(raw)
        if kind is None:
            spec = self._recognition.of(whole)
            if spec is None:
                return self._stranger(whole)
            if spec not in self._asked:
                return _LEFT_OUT
            kind = self._kind(spec)
        if kind.hiding is not None and kind.hiding.hides(whole):
            return _LEFT_OUT
        if not kind.keyed:
            return kind.codec.decode(whole), (None, whole)
        item, source = kind.codec.read(raw)
        return item, (kind.codec, source)

    def count(self, raw: msgspec.Raw) -> tuple[bool | None, Source]:
        """The same of an item that is only counted, of which no more is there than tells its model and what is hidden.

        Raises:
            UnrecognizedItem: it is of no known model.
        """
        whole = answer_json(raw)
        spec = self._recognition.of(whole)
        if spec is None:
            stranger, source = self._stranger(whole)
            return (None if stranger is None else True), source
        if spec not in self._asked:
            return _LEFT_OUT
        hides = self._kind(spec).hiding
        return _LEFT_OUT if hides is not None and hides.hides(whole) else (True, (None, whole))

    def _met(self, tag: str) -> _Kind | None:
        """How items of a type are read; ``None`` where they are of no known model, or of none that is asked for."""
        spec = self._recognition.by_type.get(tag)
        if spec is None or spec not in self._asked:
            return None
        kind = self._by_type[tag] = self._kind(spec)
        return kind

    def _kind(self, spec: ModelSpec[Any]) -> _Kind:
        known = self._kinds.get(spec)
        if known is None:
            codec = (
                spec.codec
                if self._held is None
                else spec.codec.partial(self._held, told_by_keys(spec, self._collected.index))
            )
            hides = None if self._now is None else hiding(spec, self._now)
            known = self._kinds[spec] = _Kind(codec, codec.reads(self._names), hides)
        return known

    def _stranger(self, whole: Mapping[str, Any]) -> tuple[UnknownItem | None, Source]:
        """What becomes of an item that is of no known model."""
        if self._collected.unknown == "skip":
            return _LEFT_OUT
        name, table = self._recognition.discriminator, self._collected.table
        kind = None if name is None else type_in(whole, name)
        attributes = bytes_in(whole)
        key = {part.name: attributes[part.name] for part in table.key_parts() if part.name in attributes}
        if self._collected.unknown == "raw":
            return UnknownItem(kind, key, attributes), (None, whole)
        plain = {name: next(iter(value.values())) for name, value in key.items()}
        types = ", ".join(map(repr, self._recognition.by_type)) or "no types"
        error = UnrecognizedItem(
            table.name, plain, [Problem(name or "the type", _STRANGE.format(found=_found(kind), types=types))]
        )
        error.type = kind
        raise error


def _found(kind: str | None) -> str:
    return "is missing, and no template makes such a key" if kind is None else f"is {kind!r}"
