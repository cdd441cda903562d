"""A DynamoDB on 127.0.0.1, in the test's own loop, that answers every operation and watches how its connections are used."""

from __future__ import annotations

import asyncio
import socket
import sys
import zlib
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import httptools
import msgspec

Body = dict[str, Any]

_TURNS = 2  # of the loop between a request and its answer, so that a client can be caught in between
_TURNS_TO_HANG_UP = 10  # and for a client in this loop to see it
_JSON = b"application/x-amz-json-1.0"
_WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}


class CannedDynamo:
    """Tables without end, in which every key has an item and every query two pages.

    Attributes:
        failures: errors that the next requests are answered with: status, code.
        operations: what arrived.
        port: where it listens.
        most_open: the most of them at the same time.
        on_applied: is told of each write that is applied.
        applied: how many writes were applied, each operation of a batch and a transaction by itself.
        misuse: what a client did that no client may: a request before the answer to the one before, half a request.
        accepted: how many connections were accepted.
        open: the connections that are open.
        gate: what answers wait for, where it is set.
    """

    def __init__(self) -> None:
        self.failures: deque[tuple[int, str]] = deque()
        self.operations: list[str] = []
        self.applied = 0
        self.misuse: list[str] = []
        self.accepted = 0
        self.open: set[_Connection] = set()
        self.most_open = 0
        self.gate: asyncio.Event | None = None
        self.on_applied: Callable[[str, Body], None] = lambda _operation, _body: None
        self.port = 0
        self.endpoint = ""
        self._missing: set[str] = set()

    def hang_up_unseen(self) -> None:
        """Close every connection at once, without a turn of the loop: as while the client's process is frozen."""
        for connection in self.open:
            connection.shutdown()

    def answer(self, operation: str, body: Body) -> tuple[int, Body]:
        """What a request is answered with: a status and a body."""
        self.operations.append(operation)
        if self.failures:
            status, code = self.failures.popleft()
            return status, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no"}
        if operation in _WRITES:
            self.applied += _operations_in(body)
            self.on_applied(operation, body)
        if operation in ("DescribeTable", "DeleteTable", "CreateTable"):
            return self._table(operation, body["TableName"])
        return 200, _ANSWERS[operation](body)

    def _table(self, operation: str, name: str) -> tuple[int, Body]:
        if operation == "CreateTable":
            self._missing.discard(name)
        elif name in self._missing:
            return 400, {"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "no"}
        if operation == "DeleteTable":
            self._missing.add(name)
        keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
        types = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
        table = {"TableName": name, "TableStatus": "ACTIVE", "KeySchema": keys, "AttributeDefinitions": types}
        return 200, {"TableDescription" if operation != "DescribeTable" else "Table": table}


@asynccontextmanager
async def canned_dynamo(port: int = 0) -> AsyncGenerator[CannedDynamo]:
    """Serves until the block ends, on any free port or on a given one."""
    dynamo, loop = CannedDynamo(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(dynamo), "127.0.0.1", port)
    dynamo.port = int(server.sockets[0].getsockname()[1])
    dynamo.endpoint = f"http://127.0.0.1:{dynamo.port}"
    try:
        yield dynamo
    finally:
        server.close()
        for connection in list(dynamo.open):
            connection.abort()
        for _ in range(_TURNS_TO_HANG_UP):
            await asyncio.sleep(0)


class _Connection(asyncio.Protocol):
    """One connection: whole requests, one after the other."""

    def __init__(self, dynamo: CannedDynamo) -> None:
        self._dynamo = dynamo
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._operation = ""
        self._body = b""
        self._busy = False

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def shutdown(self) -> None:
        if self._transport is not None:
            cast("socket.socket", self._transport.get_extra_info("socket")).shutdown(socket.SHUT_RDWR)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        dynamo = self._dynamo
        dynamo.accepted += 1
        dynamo.open.add(self)
        dynamo.most_open = max(dynamo.most_open, len(dynamo.open))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name for it
        self._dynamo.open.discard(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        if self._busy:
            self._dynamo.misuse.append("a request came before the answer to the one before it")
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._dynamo.misuse.append(f"what came is no request: {error}")
            self.abort()

    def on_message_begin(self) -> None:
        self._operation, self._body = "", b""

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-amz-target":
            self._operation = value.decode().rpartition(".")[2]

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._busy = True
        status, body = self._dynamo.answer(self._operation, msgspec.json.decode(self._body))
        raw = msgspec.json.encode(body)
        head = (
            b"HTTP/1.1 %d X\r\ncontent-type: %b\r\ncontent-length: %d\r\nx-amzn-requestid: R\r\nx-amz-crc32: %d\r\n\r\n"
        )
        self._later(_TURNS, head % (status, _JSON, len(raw), zlib.crc32(raw)) + raw)

    def _later(self, turns: int, answer: bytes) -> None:
        loop, gate = asyncio.get_running_loop(), self._dynamo.gate
        if gate is not None and not gate.is_set():
            waiting = loop.create_task(gate.wait())
            waiting.add_done_callback(lambda _done: self._later(0, answer))
        elif turns:
            loop.call_soon(self._later, turns - 1, answer)
        elif self._transport is not None:
            self._busy = False
            self._transport.write(answer)


def _operations_in(body: Body) -> int:
    if "RequestItems" in body:
        return sum(map(len, body["RequestItems"].values()))
    return len(body.get("TransactItems", "x"))


# --- items: every key has one -----------------------------------------------------------------------


def item(pk: str, sk: str) -> Body:
    """The item of a key: it fits every model of the walk."""
    return {
        "pk": {"S": pk},
        "sk": {"S": sk},
        "_type": {"S": "book"},
        "shelf": {"S": pk.rpartition("#")[2]},
        "number": {"S": sk.rpartition("#")[2]},
        "note": {"S": f"{pk} {sk}"},
        "version": {"N": "1"},
    }


def _of(key: Body) -> Body:
    return item(key["pk"]["S"], key["sk"]["S"])


def _written(body: Body) -> Body:
    return {"Attributes": _of(body["Key"])} if body.get("ReturnValues", "NONE") != "NONE" else {}


def _page(body: Body) -> Body:
    """Two items, and two more on a second page."""
    first = "ExclusiveStartKey" not in body
    keys = ["BOOK#1", "BOOK#2"] if first else ["BOOK#3", "BOOK#4"]
    answer: Body = {"Count": 2, "ScannedCount": 2}
    if body.get("Select") != "COUNT":
        answer["Items"] = [item("SHELF#1", key) for key in keys]
    if first:
        last = {"pk": {"S": "SHELF#1"}, "sk": {"S": "BOOK#2"}}
        answer["LastEvaluatedKey"] = last | ({"note": {"S": "n"}} if "IndexName" in body else {})
    return answer


def _batch(body: Body) -> Body:
    tables = {table: [_of(key) for key in wanted["Keys"]] for table, wanted in body["RequestItems"].items()}
    return {"Responses": tables, "UnprocessedKeys": {}}


def _statement(body: Body) -> Body:
    rows: Body = {"Items": [item("SHELF#1", "BOOK#1")]}
    return rows if "NextToken" in body else {**rows, "NextToken": "2"}


def _each(name: str) -> Callable[[Body], Body]:
    return lambda body: {"Responses": [{"Item": item("SHELF#1", "BOOK#1")} for _ in body[name]]}


_ANSWERS: dict[str, Callable[[Body], Body]] = {
    "GetItem": lambda body: {"Item": _of(body["Key"])},
    "PutItem": lambda body: {"Attributes": body["Item"]} if body.get("ReturnValues", "NONE") != "NONE" else {},
    "UpdateItem": _written,
    "DeleteItem": _written,
    "Query": _page,
    "Scan": _page,
    "BatchGetItem": _batch,
    "BatchWriteItem": lambda _body: {"UnprocessedItems": {}},
    "TransactWriteItems": lambda _body: {},
    "TransactGetItems": lambda body: {"Responses": [{"Item": _of(one["Get"]["Key"])} for one in body["TransactItems"]]},
    "ExecuteStatement": _statement,
    "BatchExecuteStatement": _each("Statements"),
    "ExecuteTransaction": _each("TransactStatements"),
    "SearchVectors": lambda _body: {"SearchResults": [{"Item": item("SHELF#1", "BOOK#1"), "Score": 0.5}]},
    "DescribeTimeToLive": lambda _body: {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}},
    "UpdateTimeToLive": lambda _body: {},
}


async def serve() -> None:
    """Answer in a process of its own, until its standard input ends; the port is printed first."""
    orphaned = asyncio.Event()
    async with canned_dynamo() as dynamo:
        sys.stdout.write(f"{dynamo.port}\n")
        sys.stdout.flush()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), orphaned.set)
        await orphaned.wait()


if __name__ == "__main__":
    asyncio.run(serve())
