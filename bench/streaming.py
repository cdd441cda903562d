"""A long stream: what 100,000 items in 1,000 pages take of memory and CPU. Run it: ``python bench/streaming.py``.

Three passes over one canned server. Memory: tracemalloc's peak after 10,000 and after 100,000 items. Pages: how many
decoded pages and items are alive while a slow consumer lets the next page arrive. CPU: rounds in turn against raw
aiobotocore's paginator, once as it is and once with boto3's ``TypeDeserializer``, as ratios within each round.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import statistics
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from canned import HOST, canned_server, plain_environment, serve, whole_answer
from items import ORG, TABLE, query_body, values, wire
from pinning import choose, pinned
from workloads_dynamorm import User

from dynamorm_async import Database, Query
from dynamorm_async.codec.page import PageContent

PAGE = 100
PAGES = 1_000
EARLY = 10_000
SLOW_EVERY = 10  # pages between two looks at what is alive
ROUND_PAGES = 100

get_session = import_module("aiobotocore.session").get_session  # aiobotocore and boto3 have no types
deserialize = import_module("boto3.dynamodb.types").TypeDeserializer().deserialize


class Pages:
    """Every page has the same items and its own LastEvaluatedKey, which says how many pages there were."""

    def __init__(self) -> None:
        items = json.dumps([wire(values(number)) for number in range(PAGE)], separators=(",", ":"))
        self._page = f'{{"Count":{PAGE},"ScannedCount":{PAGE},"Items":{items}'

    def find(self, _operation: bytes, body: bytes, /) -> bytes:
        """The page after the one that the request names."""
        start = json.loads(body).get("ExclusiveStartKey")
        number = 1 + (int(start["user_id"]["S"]) if start else 0)
        key = json.dumps({"org": {"S": ORG}, "user_id": {"S": f"{number:06d}"}})
        last = f',"LastEvaluatedKey":{key}' if number < PAGES else ""
        return whole_answer(f"{self._page}{last}}}".encode())


async def memory(query: Query[User]) -> tuple[int, int, int]:
    """The peaks of traced bytes after ``EARLY`` items and after all of them, and the number of items."""
    await query.limit(2 * PAGE)  # what is made once, such as connections and generated code, is not the stream's
    gc.collect()
    tracemalloc.start()
    early = count = 0
    async for _user in query:
        count += 1
        if count == EARLY:
            early = tracemalloc.get_traced_memory()[1]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return early, peak, count


async def alive(query: Query[User]) -> tuple[int, int]:
    """The most pages and the most items that were alive at once, with a consumer slower than the network."""
    pages = items = count = 0
    async for _user in query:
        count += 1
        if count % (PAGE * SLOW_EVERY) == PAGE // 2:
            await asyncio.sleep(0.02)  # the next page arrives meanwhile
            kinds: list[object] = [type(thing) for thing in gc.get_objects()]
            pages, items = max(pages, kinds.count(PageContent)), max(items, kinds.count(User))
    return pages, items


async def ours(query: Query[User]) -> None:
    async for _user in query.limit(ROUND_PAGES * PAGE):
        pass


async def paginated(client: Any, *, decode: bool) -> None:  # aiobotocore has no types
    pages = client.get_paginator("query").paginate(**query_body(), PaginationConfig={"MaxItems": ROUND_PAGES * PAGE})
    async for page in pages:
        for item in page["Items"]:
            if decode:
                _ = {name: deserialize(value) for name, value in item.items()}


async def cpu_of(work: Callable[[], Awaitable[None]]) -> float:
    """Seconds of this process's CPU for a thousand items."""
    gc.collect()
    before = time.process_time()
    await work()
    return (time.process_time() - before) * 1_000 / (ROUND_PAGES * PAGE)


async def compare(query: Query[User], port: int, rounds: int) -> None:
    """Time the contestants in turn and print the medians."""
    async with get_session().create_client("dynamodb", endpoint_url=f"http://{HOST}:{port}") as client:
        contestants: dict[str, Callable[[], Awaitable[None]]] = {
            "async for": lambda: ours(query),
            "paginator": lambda: paginated(client, decode=False),
            "paginator + TypeDeserializer": lambda: paginated(client, decode=True),
        }
        times: dict[str, list[float]] = {name: [] for name in contestants}
        for _ in range(rounds + 1):
            for name, work in contestants.items():
                times[name].append(await cpu_of(work))
    mine = times["async for"][1:]  # the first round warms up
    for name, each in times.items():
        ratio = statistics.median(own / other for own, other in zip(mine, each[1:], strict=True))
        print(
            f"  {name:30} {statistics.median(each[1:]) * 1_000:8.2f} ms per 1,000 items   async for takes {ratio:.2f} of it"
        )


async def measure(port: int, rounds: int) -> None:
    """All three passes."""
    async with Database() as db:
        query = db.query(User).where(User.org == ORG)
        early, peak, count = await memory(query)
        print(f"{count:,} items in {count // PAGE:,} pages of table {TABLE}")
        print(f"  peak memory after {EARLY:,} items: {early / 1024:,.0f} KiB; after {count:,}: {peak / 1024:,.0f} KiB")
        pages, items = await alive(query)
        print(f"  alive at once: at most {pages} pages, {items} items")
        await compare(query, port, rounds)


def main() -> None:
    """Run against a server of its own."""
    parser = argparse.ArgumentParser(description="Streams 100,000 items and prints memory, pages alive and CPU.")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of the CPU comparison")
    parser.add_argument("--serve", action="store_true", help="be the server; for this program's own use")
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(Pages()))
        return
    print(f"Python {sys.version.split()[0]}")
    client_cpu, server_cpu = choose("apart")
    with canned_server(cpu=server_cpu, program=Path(__file__)) as port:
        environment = plain_environment(os.environ, port=port)
        os.environ.clear()
        os.environ.update(environment)
        with pinned(client_cpu):
            asyncio.run(measure(port, options.rounds))


if __name__ == "__main__":
    main()
