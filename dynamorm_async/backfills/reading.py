"""Reading the items of a backfill: a page of a segment, or one item again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar, final

import msgspec

from dynamorm_async import Condition, Database, DecodeError
from dynamorm_async.backfills.records import RawKey
from dynamorm_async.codec.answers import answer_json, bytes_in, parse_answer
from dynamorm_async.codec.envelopes import RAW_PAGE, answer_decoder, last_key
from dynamorm_async.model.spec import ModelSpec, spec_of
from dynamorm_async.plan.cursors import fingerprint
from dynamorm_async.plan.items import get_item
from dynamorm_async.plan.reading import Reading, plan_scan
from dynamorm_async.types import RawItem

M = TypeVar("M")

_NO_ITEM: Final = msgspec.Raw(b"")
_ITEM: Final = answer_decoder("RawItemAnswer", [("Item", msgspec.Raw, _NO_ITEM)])


@final
class Found(msgspec.Struct, Generic[M], frozen=True):
    """An item that was read.

    Attributes:
        key: its key in the table.
        raw: the item as the table has it.
        item: the instance; ``None`` where it does not fit the model.
        misfit: why it does not.
    """

    key: RawKey
    raw: RawItem
    item: M | None
    misfit: DecodeError | None = None

    def instance(self) -> M:
        """The instance.

        Raises:
            DecodeError: it does not fit the model.
        """
        if self.item is None:
            assert self.misfit is not None, "it is one or the other"  # noqa: S101 - an invariant of the reader
            raise self.misfit
        return self.item


@final
class SegmentPage(msgspec.Struct, Generic[M], frozen=True):
    """One page of a segment.

    Attributes:
        found: the items that the filter let through.
        scanned: how many items were read.
        last_key: where the next page begins; ``None`` after the last one.
    """

    found: list[Found[M]]
    scanned: int
    last_key: RawKey | None


@final
class SegmentReader(Generic[M]):
    """Reads the items of a model in segments, soft-deleted and expired ones as well.

    Args:
        db: the database.
        model: the model.
        conditions: which items; all, where there are none.
        segments: in how many parts the table is read.
        page_size: how many items are read for one page.
    """

    def __init__(
        self, db: Database, model: type[M], conditions: Sequence[Condition], *, segments: int, page_size: int
    ) -> None:
        self._db = db
        self.spec: ModelSpec[M] = spec_of(model)
        self.table = db.tables.name(model)
        reading = Reading(conditions=tuple(conditions), segments=segments, page_size=page_size)
        self.segments = segments
        self.requests = plan_scan(self.spec, self.table, reading).requests

    def where(self, condition: Condition | None) -> str:
        """A text that tells one ``where=`` from another, to be compared between processes."""
        return "none" if condition is None else fingerprint([self.requests[0].body]).hex()[:16]

    async def page(self, segment: int, after: RawKey | None) -> SegmentPage[M]:
        """One page of a segment.

        Args:
            segment: which segment.
            after: the key that the page before ended at; ``None`` for the first page.
        """
        request = self.requests[segment]
        if after is not None:
            request = msgspec.structs.replace(request, body={**request.body, "ExclusiveStartKey": after})
        answer: Any = parse_answer((await self._db.send(request)).body, RAW_PAGE)
        found = [self._found(raw) for raw in answer.Items]
        return SegmentPage(found, answer.ScannedCount, last_key(answer.LastEvaluatedKey))

    async def item(self, key: RawKey) -> Found[M] | None:
        """One item as it is now, hidden or not; ``None`` where there is none."""
        request = get_item(self.table, key, consistent=True, sealed=self.spec.sealed(self.table))
        raw = parse_answer((await self._db.send(request)).body, _ITEM).Item
        return None if raw is _NO_ITEM else self._found(raw)

    def _found(self, text: msgspec.Raw) -> Found[M]:
        raw = bytes_in(answer_json(text))
        key = {name: raw[name] for name in self.spec.key_names}
        try:
            return Found(key, raw, self.spec.reader.decode_item(text))
        except DecodeError as misfit:
            return Found(key, raw, None, misfit)
