"""A DynamoDB that answers with bytes built beforehand, in a process of its own, so that only the client is measured."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import cast

import httptools
from items import ORG, SIZES, TABLE, compact, get_answer, list_answer, partition, user_id, values, wire
from pinning import pinned
from surroundings import HOST

LAST = b"Last"
"""This before an operation's name asks for the body of the last request of that operation."""

STREAM = "stream-"
"""A partition of this name and a number has so many items, in pages of ``STREAM_PAGE``."""
STREAM_PAGE = 100

BACKLOG = 2_048  # a crowd of clients without a limit connects all at once


class Answers:
    """The answer to each operation, and the last request of each that writes (for the check before the timing)."""

    def __init__(self) -> None:
        self._last: dict[bytes, bytes] = {}
        item = wire(values(1))
        hundred = [wire(each) for each in partition(ORG)]
        self._partitions = {f'"{org}"'.encode(): whole_answer(list_answer(partition(org))) for org in SIZES}
        self._stream_items = json.dumps(hundred, separators=(",", ":"))
        self._updated = whole_answer(compact({"Attributes": item}))
        self._empty = whole_answer(b"{}")
        self._fixed = {
            b"GetItem": whole_answer(get_answer(1)),
            b"Scan": whole_answer(list_answer(values(number) for number in range(1_000))),
            b"BatchGetItem": whole_answer(compact({"Responses": {TABLE: hundred}, "UnprocessedKeys": {}})),
            b"PutItem": self._empty,
            b"BatchWriteItem": whole_answer(b'{"UnprocessedItems":{}}'),
            b"TransactWriteItems": self._empty,
        }

    def find(self, operation: bytes, body: bytes) -> bytes:
        """The whole HTTP answer to a request."""
        if operation.startswith(LAST):
            return whole_answer(self._last.get(operation.removeprefix(LAST), b"{}"))
        if operation in {b"PutItem", b"UpdateItem", b"BatchWriteItem", b"TransactWriteItems"}:
            self._last[operation] = body
        if operation == b"Query":
            return self._query(body)
        if operation == b"UpdateItem":
            return self._updated if b"ALL_NEW" in body else self._empty
        return self._fixed.get(operation) or _unknown(operation)

    def _query(self, body: bytes) -> bytes:
        for org, answer in self._partitions.items():
            if org in body:
                return answer
        return self._stream_page(json.loads(body))

    def _stream_page(self, body: dict[str, dict[str, dict[str, str]]]) -> bytes:
        [org] = [each["S"] for each in body["ExpressionAttributeValues"].values()]
        start = body.get("ExclusiveStartKey")
        read = STREAM_PAGE + (int(start["user_id"]["S"].removeprefix("u")) if start else 0)
        end = read >= int(org.removeprefix(STREAM))
        last = "" if end else f',"LastEvaluatedKey":{json.dumps({"org": {"S": org}, "user_id": {"S": user_id(read)}})}'
        page = f'{{"Count":{STREAM_PAGE},"ScannedCount":{STREAM_PAGE},"Items":{self._stream_items}{last}}}'
        return whole_answer(page.encode())


class CannedProtocol(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.WriteTransport | None = None
        self._operation = b""
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._operation = self._body = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-amz-target":
            self._operation = value.partition(b".")[2]

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        assert self._transport is not None
        self._transport.write(self._answers.find(self._operation, self._body))


@contextmanager
def canned_server(*, cpu: int | None = None) -> Generator[int]:
    """Start the server in a process of its own.

    Args:
        cpu: the CPU to keep it on; ``None`` leaves it to the scheduler.

    Yields:
        The port it listens on, on the loopback address. The process ends with the block, or with this process.
    """
    with pinned(cpu):
        process = subprocess.Popen(  # noqa: S603 - this very file, under this very interpreter
            [sys.executable, Path(__file__)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the canned server ended before it listened; its error stands above.")
        try:
            yield int(line)
        finally:
            process.stdin.close()


def whole_answer(body: bytes, *, status: bytes = b"200 OK") -> bytes:
    """An HTTP answer around a body, with its right CRC32."""
    return (
        b"HTTP/1.1 %b\r\nServer: Server\r\nDate: %b\r\nContent-Type: application/x-amz-json-1.0\r\n"
        b"Content-Length: %d\r\nConnection: keep-alive\r\n"
        b"x-amzn-RequestId: CANNED0EXAMPLE0REQUEST0ID0OF0FIFTYTWO0LETTERS0000000\r\n"
        b"x-amz-crc32: %d\r\n\r\n%b"
    ) % (status, formatdate(usegmt=True).encode(), len(body), zlib.crc32(body), body)


def _unknown(operation: bytes) -> bytes:
    body = compact(
        {
            "__type": "com.amazon.coral.service#UnknownOperationException",
            "message": f"the canned server does not know {operation.decode(errors='replace')}",
        }
    )
    return whole_answer(body, status=b"400 Bad Request")


async def serve(answers: Answers) -> None:
    """Answer on a free port of the loopback address, printed first, until standard input ends."""
    loop = asyncio.get_running_loop()
    orphaned = asyncio.Event()
    server = await loop.create_server(lambda: CannedProtocol(answers), HOST, 0, backlog=BACKLOG)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Standard input turns readable only when the parent closes it or ends.
    loop.add_reader(sys.stdin.fileno(), orphaned.set)
    await orphaned.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(Answers()))
