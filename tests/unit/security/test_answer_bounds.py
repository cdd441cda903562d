"""What a hostile peer may answer is bounded: bytes, headers, compression, nesting."""

from __future__ import annotations

import gzip
import itertools
import tracemalloc
import zlib

import pytest

from dynamorm_async import Attr, BadResponse, Database, DecodeError, DynamormError, model, partition_key
from tests.engines import LANES, Lane
from tests.unit.security.peer import Peer
from tests.unit.transport.scripted_server import answer, serving

pytestmark = pytest.mark.anyio
MB = 1_000_000
BOMB = gzip.compress(b'{"Item":{"id":{"S":"' + b"a" * 40 * MB + b'"}}}')
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"


@model(table="users")
class User:
    id: Attr[str] = partition_key()


def database(port: int, lane: Lane) -> Database:
    return Database(endpoint=f"http://127.0.0.1:{port}", region="eu-west-1", credentials=("a", "b"), lane=lane)


CASES = {
    "announced": [HEAD + b"Content-Length: 1000000000000\r\n\r\n", b" " * 100],
    "endless": [HEAD + b"\r\n", *[b" " * MB] * 22],
    "chunked": [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[b"%x\r\n%b\r\n" % (MB, b" " * MB)] * 22],
    "many headers": [HEAD, *[b"".join(b"x-%d: y\r\n" % n for n in range(200_000))], b"Content-Length: 2\r\n\r\n{}"],
    "one name, many headers": [HEAD, b"x: y\r\n" * 200_000, b"Content-Length: 2\r\n\r\n{}"],
    "one long header": [HEAD, b"x-long: " + b"y" * MB, b"\r\nContent-Length: 2\r\n\r\n{}"],
    "trailers without end": [
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
        *[b"x-long: " + b"y" * MB + b"\r\n"] * 22,
    ],
}


@pytest.mark.parametrize(("lane", "control"), [("direct", False), ("sdk", False), ("sdk", True)])
async def test_an_answer_without_end_is_given_up(lane: Lane, *, control: bool) -> None:
    """Length, announced or not, and number and size of headers: a typed error, never an answer and never all of it."""
    peer = Peer(close=True)
    async with serving(peer) as port, database(port, lane) as db:
        for case, parts in CASES.items():
            peer.parts = parts
            with pytest.raises(DynamormError):
                await (db.tables.describe(User) if control else db.get(User, case))


@pytest.mark.parametrize("lane", LANES)
async def test_compressed_answers_are_not_unpacked(lane: Lane) -> None:
    """DynamoDB is not asked for compression: a compressed answer is refused as it is, so that no bomb goes off."""
    peer = Peer()
    async with serving(peer) as port, database(port, lane) as db:
        assert await db.get(User, "0") is None  # what is imported and cached is there
        for encoding, status in itertools.product(
            ("gzip", "deflate", "br", "zstd"), ("200 OK", "400 Bad Request", "500 Oops")
        ):
            peer.parts = [answer(BOMB, status=status, Content_Encoding=encoding, x_amz_crc32=str(zlib.crc32(BOMB)))]
            tracemalloc.start()
            with pytest.raises(DynamormError):
                await db.get(User, "1")
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < 20 * MB


async def test_neither_lane_asks_for_compression() -> None:
    """No Accept-Encoding but identity goes out."""
    for lane in LANES:
        peer = Peer()
        async with serving(peer) as port, database(port, lane) as db:
            await db.get(User, "1")
        lines = [line for line in peer.heads[0].split("\r\n") if line.startswith("accept-encoding")]
        assert set(lines) <= {"accept-encoding: identity"}


@pytest.mark.parametrize("lane", LANES)
async def test_a_nesting_bomb_is_a_typed_error(lane: Lane) -> None:
    """What nests deeper than a parser's stack is refused by name, also in an attribute that nobody asked for."""
    peer = Peer()
    async with serving(peer) as port, database(port, lane) as db:
        for levels in (1000, 100_000):
            body = b'{"Item":{"id":{"S":"1"},"x":' + b'{"L":[' * levels + b"]}" * levels + b"}}"
            peer.parts = [answer(body)]
            with pytest.raises((BadResponse, DecodeError)):
                await db.get(User, "1")
