"""Vector search: the items whose vectors are nearest to a given one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, final

import msgspec

from dynamorm_async.codec.answers import answer_json, bytes_in
from dynamorm_async.codec.variant_reader import type_in
from dynamorm_async.database.access import Access, Send
from dynamorm_async.database.deadline import Deadline
from dynamorm_async.database.hydrate import Hydrator
from dynamorm_async.database.keyed import KeyReader
from dynamorm_async.database.results import result_maker
from dynamorm_async.plan.hiding import Hiding, hiding
from dynamorm_async.plan.strangers import types_of
from dynamorm_async.plan.vectors import MAX_TOP_K, Found, SearchPlan, found_in

M = TypeVar("M")

_WIDER = 4  # times as many hits are asked for where hidden items took the place of others


@final
class SearchHit(msgspec.Struct, Generic[M], frozen=True):
    """One item that a search found.

    Attributes:
        item: the item, as much of it as the index holds; whole where the search was to hydrate.
        score: how near its vector is, as the index measures it: with ``cosine`` (0 to 2) and ``euclidean`` the lowest is the
            nearest, with ``dot_product`` the highest.
    """

    item: M
    score: float


@final
class Search:
    """One search, ready to be run.

    Args:
        plan: what to search.
        send: sends the search itself.
        access: sends other requests, and knows the time.
        hidden: items that reads leave out, too.
        timeout: seconds for the whole call; ``None`` for no bound besides that of each request.
    """

    def __init__(self, plan: SearchPlan, send: Send, access: Access, *, hidden: bool, timeout: float | None) -> None:
        self._plan = plan
        self._send = send
        self._access = access
        self._hiding = None if hidden else hiding(plan.spec, access.clock())
        self._deadline = Deadline(timeout)
        self._sealed = plan.spec.sealed(plan.body["TableName"])

    async def run(self) -> list[SearchHit[Any]]:
        """The hits, the nearest first. Raises as ``Database.search``."""
        wanted = asked = self._plan.top_k
        while True:
            request = self._plan.request(asked)
            found = found_in((await self._send(request, self._deadline.left(request))).body)
            hits = await self._hits([hit for hit in found if not self._is_foreign(hit)])
            if len(hits) >= wanted or len(found) < asked or asked == MAX_TOP_K:
                return hits[:wanted]
            # Some were hidden, or are gone: those behind them are asked for. A search has no pages to go on from.
            asked = min(MAX_TOP_K, asked * _WIDER)

    def _is_foreign(self, hit: Found) -> bool:
        """Whether it is of another model of the table: a search takes no condition on the discriminator."""
        spec, types = self._plan.spec, types_of(self._plan.spec)
        if not types or spec.table.discriminator is None:
            return False
        kind = type_in(answer_json(hit.Item), spec.table.discriminator)
        return kind is not None and kind not in types

    async def _hits(self, found: Sequence[Found]) -> list[SearchHit[Any]]:
        if self._plan.hydrate:
            items = await self._whole(found)
        else:
            make = _partial_maker(self._plan, self._hiding)
            items = [make(hit.Item) for hit in found]
        return [SearchHit(item, hit.Score) for item, hit in zip(items, found, strict=True) if item is not None]

    async def _whole(self, found: Sequence[Found]) -> list[Any]:
        if not found:
            return []
        spec = self._plan.spec
        make = result_maker(spec, None, self._hiding)  # the index may lag behind what the table says
        reader = KeyReader(
            self._access.send, deadline=self._deadline, sleep=self._access.sleep, turns=self._access.turns
        )
        hydrator = Hydrator(
            reader, self._plan.body["TableName"], spec.identities, make, consistent=False, sealed=self._sealed
        )
        names = [part.name for part in spec.table.key_parts()]
        raw = [answer_json(hit.Item) for hit in found]
        return await hydrator.whole_items([bytes_in({name: item[name] for name in names}) for item in raw])


def _partial_maker(plan: SearchPlan, hiding: Hiding | None) -> Callable[[msgspec.Raw], Any]:
    """What becomes of an item as the index holds it: a partial model; ``None`` where it is left out."""
    decode = plan.spec.reader.partial(plan.held).decode_item
    return decode if hiding is None else lambda raw: None if hiding.hides(answer_json(raw)) else decode(raw)
