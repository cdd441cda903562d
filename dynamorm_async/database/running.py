"""From a plan to a running stream: how rows are fetched, decoded, completed and paced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import anyio

from dynamorm_async.codec.answers import bytes_in
from dynamorm_async.codec.page import PageContent, RawKey
from dynamorm_async.codec.rows import raw_page
from dynamorm_async.codec.slices import made_in_slices
from dynamorm_async.database.access import Access, Send
from dynamorm_async.database.deadline import Deadline
from dynamorm_async.database.fetching import fetching
from dynamorm_async.database.noting import noting, noting_pages
from dynamorm_async.database.source import Fetch, Source
from dynamorm_async.database.stream import ItemStream
from dynamorm_async.database.turns import LARGE, SLOW, Turns
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.cursors import Position, fingerprint
from dynamorm_async.plan.hiding import Hiding
from dynamorm_async.plan.keyed import MAX_KEYS
from dynamorm_async.plan.positions import start_at
from dynamorm_async.plan.reading import Reading, ReadPlan
from dynamorm_async.types import Request

_KEY = 64  # about how many bytes a key has


def open_stream(spec: ModelSpec[Any], access: Access, plan: ReadPlan, reading: Reading) -> ItemStream[Any]:
    """The stream of a plan, from the reading's cursor where it has one. Sends nothing yet.

    Raises:
        CursorError: the cursor is not of this reading.
    """
    # Not every hidden item is left out by a filter, which would tell two readings apart by itself.
    leaves_out = () if plan.hiding is None else plan.hiding.reasons
    return stream_of(access, plan, reading, _fetcher(spec, access, plan, reading), bound_to=leaves_out)


def stream_of(
    access: Access, plan: ReadPlan, reading: Reading, fetch: Fetch[Any], *, bound_to: Sequence[str] = ()
) -> ItemStream[Any]:
    """The stream of the pages that a plan's requests fetch.

    Args:
        access: takes and makes cursors.
        plan: what is read.
        reading: how it is read: its limit, cursor, prefetching.
        fetch: sends a request and decodes its page.
        bound_to: what tells apart, besides the requests, whose cursors are good for this reading.

    Raises:
        CursorError: the cursor is not of this reading.
    """

    def bound() -> bytes:  # worked out only where there is a cursor
        return fingerprint([request.body for request in plan.requests], bound_to)

    if reading.timeout is not None:
        fetch = _in_time(fetch, Deadline(reading.timeout))
    requests: Sequence[Request | None] = plan.requests
    if reading.after is not None:
        requests = start_at(plan, access.cursors.decode(bound(), reading.after))

    def seal(positions: Sequence[Position]) -> str:
        return access.cursors.encode(bound(), positions)

    return ItemStream(
        [Source(fetch, request, plan.key_names) for request in requests],
        limit=reading.limit,
        prefetch=reading.prefetch,
        merge_by=() if reading.counting else plan.merge_by,
        descending=plan.descending,
        unordered=reading.counting or reading.segments > 1,
        seal=seal,
    )


def _in_time(fetch: Fetch[Any], deadline: Deadline) -> Fetch[Any]:
    """The same, as long as the deadline has not passed: what waits then, for an answer or in a pause, ends."""

    async def fetch_in_time(request: Request) -> PageContent[Any]:
        page: PageContent[Any] | None = None
        with anyio.move_on_after(deadline.left(request)):
            page = await fetch(request)
        if page is None:
            raise deadline.over(request)
        return page

    return fetch_in_time


def _fetcher(spec: ModelSpec[Any], access: Access, plan: ReadPlan, reading: Reading) -> Fetch[Any]:
    """What sends a request and decodes its page: to models, partial models, or the selected attributes."""
    send: Send = access.send
    if reading.capacity is not None:
        from dynamorm_async.database.budget import Budget  # noqa: PLC0415 - loaded when first used

        send = Budget(reading.capacity).around(send)
    decode, at_once = _decoder(spec, plan, reading)
    fetch = noting_pages(spec, fetching(send, decode, access.turns, at_once=at_once), access.note)
    if not plan.hydrated or reading.counting:
        return fetch
    from dynamorm_async.database.hydrate import Hydrator  # noqa: PLC0415 - loaded when first used
    from dynamorm_async.database.keyed import KeyReader  # noqa: PLC0415 - loaded when first used
    from dynamorm_async.database.results import result_maker  # noqa: PLC0415 - loaded when first used

    make = result_maker(
        spec, reading.select, plan.hiding, stored=reading.stored
    )  # the index may lag behind what the table says
    make = noting(spec, make, access.note)

    async def fetch_whole(request: Request) -> PageContent[Any]:
        page = await fetch(request)
        reader = KeyReader(send, sleep=access.sleep, turns=access.turns)
        hydrator = Hydrator(
            reader,
            request.body["TableName"],
            spec.identities,
            make,
            consistent=reading.consistent,
            sealed=request.sealed,
        )
        keys = await _keys(page, spec.key_names, access.turns)
        return page.replaced(await hydrator.whole_items(keys), reports=hydrator.reports)

    return fetch_whole


async def _keys(page: PageContent[Any], names: tuple[str, ...], turns: Turns) -> list[RawKey]:
    """The keys of a page's rows, which take longer than the rows."""

    def key(index: int) -> RawKey:
        return page.key_at(index, names)

    count = len(page.items)
    return [*map(key, range(count))] if count <= MAX_KEYS else await turns.run(made_in_slices(key, [_KEY] * count))


def _decoder(spec: ModelSpec[Any], plan: ReadPlan, reading: Reading) -> tuple[Callable[[bytes], PageContent[Any]], int]:
    """What decodes a page, and how many bytes of one it may decode at once."""
    if plan.sifted and (reading.counting or not plan.hydrated):
        return partial(_sifted_page, make=_sifting(plan.hiding, _sifted_row_maker(spec, plan, reading))), SLOW
    if reading.counting:
        from dynamorm_async.database.counting import counted_page  # noqa: PLC0415 - loaded when first used

        return counted_page, LARGE
    if plan.hydrated or reading.stored:
        return partial(raw_page, make=bytes_in if plan.hydrated else dict), SLOW
    if reading.select is not None:
        return partial(raw_page, make=_selected_row_maker(spec, plan, reading.select)), SLOW
    reader = spec.reader if plan.held is None else spec.reader.partial(plan.held, plan.told)
    if spec.reader.reads({*plan.key_names}):
        return reader.decode_page, LARGE if reader.compiles else SLOW
    # The key of a shared table's index can have attributes that this model has not, and a position needs them.
    return partial(raw_page, make=reader.decode), SLOW


def _sifted_row_maker(spec: ModelSpec[Any], plan: ReadPlan, reading: Reading) -> Callable[[Mapping[str, Any]], Any]:
    """What becomes of an item that is looked at here: as of any other, and of one that is only counted, as little as can be."""
    if reading.counting or reading.stored:
        return dict
    if reading.select is not None:
        return _selected_row_maker(spec, plan, reading.select)
    return spec.reader.decode if plan.held is None else spec.reader.partial(plan.held, plan.told).decode


def _selected_row_maker(
    spec: ModelSpec[Any], plan: ReadPlan, select: Sequence[Attr[Any]]
) -> Callable[[Mapping[str, Any]], Any]:
    """What becomes of an item of which some attributes are asked for: those that only its keys tell, too."""
    from dynamorm_async.database.results import row_maker  # noqa: PLC0415 - loaded when first used

    make, derived = row_maker(spec, select), spec.derived
    if derived is None or not any(attribute.segments[0] in plan.told for attribute in select):
        return make
    return lambda raw: make(derived.recovered(raw))


def _sifting(hiding: Hiding | None, make: Callable[[Mapping[str, Any]], Any]) -> Callable[[Mapping[str, Any]], Any]:
    """The same maker of rows, which makes ``None`` of items that are left out."""
    if hiding is None:
        return make
    return lambda raw: None if hiding.hides(raw) else make(raw)


def _sifted_page(body: bytes, *, make: Callable[[Mapping[str, Any]], Any]) -> PageContent[Any]:
    page = raw_page(body, make=make)
    return page.replaced(page.items, reports=())
