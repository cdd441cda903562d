"""Every contestant of the benchmark does the same work: no timing here, only values."""

from __future__ import annotations

import sys

from tests.bench.running import BENCH, ask, bench

NAMES = {
    "aiobotocore",
    "boto3",
    "PynamoDB",
    "aiodynamo",
    "pydynox",
    "aiopynamodb",
    "floor",
    "floor + msgspec",
    "dynamorm-async",
}
WITHOUT_WHEEL = {"pydynox"} if sys.platform == "win32" else set[str]()

WRONG = """
import asyncio, os
from canned import canned_server
from checks import check
from peers.floor import Floor, open_contestant
from surroundings import plain_environment

class Wrong(Floor):
    {change}

async def main(port):
    async with open_contestant(port) as witness:
        wrong = Wrong(port, witness.decode_body)
        try:
            await check("wrong", wrong, witness)
        except ValueError as error:
            print(error)
        finally:
            wrong.close()

with canned_server() as port:
    asyncio.run(main(port))
"""


def test_every_contestant_reads_and_writes_the_items() -> None:
    """What each reads, writes, decodes, encodes and renders on the canned server is what the items say."""
    done = bench(str(BENCH / "run.py"), "--check", "--pin", "none")
    assert done.returncode == 0, done.stderr
    checked = {line.removeprefix("checked: ") for line in done.stdout.splitlines()}
    assert checked == NAMES - WITHOUT_WHEEL


def test_a_contestant_that_reads_something_else_is_refused() -> None:
    """A contestant that reads another partition is named, with what it read and what it should have."""
    [line] = ask(WRONG.format(change="async def query(self, org): return await super().query('acme-large')"))
    assert line.startswith("wrong, query: the values are not the item's. Found {'org': 'acme-large'")


def test_a_contestant_that_writes_something_else_is_refused() -> None:
    """A contestant whose transaction is empty is found."""
    [line] = ask(WRONG.format(change="async def transact(self): await self.call('TransactWriteItems', b'{}')"))
    assert line == "wrong, transact: the server was sent no TransactWriteItems with anything in it."
