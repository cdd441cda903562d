"""Forks after its database was used: python fork_program.py ENDPOINT LANE. Prints what child and parent found."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any, cast

from dynamorm_async import Attr, Database, UsageError, model, partition_key, sort_key
from dynamorm_async.transport.lanes import LaneName


@model(table="forked")
class Forked:
    pk: Attr[str] = partition_key()
    sk: Attr[str] = sort_key()


def main(endpoint: str, lane: LaneName) -> None:
    db = Database(endpoint=endpoint, region="eu-west-1", credentials=("AKIA", "secret"), lane=lane)

    async def use() -> None:
        found = await db.get(Forked, "own", "key")
        assert found is not None
        assert found.pk == "own"

    with asyncio.Runner() as runner:
        runner.run(use())
        child = os.fork()
        if child == 0:
            for run in (runner.run, asyncio.run):
                for call in (use, db.aclose):
                    tell("child", cast("Any", run), call)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        say(f"child ended with {status}")
        for _ in range(10):
            runner.run(use())
        say(f"parent made {db.statistics().requests['GetItem']} requests, {db.statistics().retries} of them again")
        runner.run(db.aclose())


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def tell(
    who: str,
    run: Callable[[Coroutine[Any, Any, object]], object],
    call: Callable[[], Coroutine[Any, Any, object]],
) -> None:
    try:
        run(call())
    except UsageError as error:
        say(f"{who}: {error}")
    else:
        say(f"{who}: nothing said")


if __name__ == "__main__":
    main(sys.argv[1], cast("LaneName", sys.argv[2]))
