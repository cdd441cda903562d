"""A DynamoDB that answers with bytes built beforehand, in a process of its own, so that only the client is measured."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import zlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Protocol, cast

import httptools
from items import get_answer, list_answer
from pinning import pinned

HOST = "127.0.0.1"
LAST_PUT = "the-last-put"
"""A GetItem that has this text in its body is answered with the item that was last put."""


class Finder(Protocol):
    """What a canned server knows."""

    def find(self, operation: bytes, body: bytes, /) -> bytes:
        """The whole HTTP answer to a request."""
        ...


class Answers:
    """The answer to each operation, and the last item put (for the check before the timing)."""

    def __init__(self) -> None:
        self.last_put = b"{}"
        self._hundred = whole_answer(list_answer(100))
        self._thousand = whole_answer(list_answer(1_000))
        self._get = whole_answer(get_answer(1))
        self._empty = whole_answer(b"{}")
        self._unknown = whole_answer(
            b'{"__type":"com.amazon.coral.service#UnknownOperationException",'
            b'"message":"the canned server does not know this operation"}',
            status=b"400 Bad Request",
        )

    def find(self, operation: bytes, body: bytes, /) -> bytes:
        """The whole HTTP answer to a request."""
        if operation == b"GetItem":
            return whole_answer(self.last_put) if LAST_PUT.encode() in body else self._get
        if operation == b"PutItem":
            self.last_put = body
            return self._empty
        if operation == b"Query":
            return self._hundred
        if operation == b"Scan":
            return self._thousand
        return self._unknown


class CannedProtocol(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection."""

    def __init__(self, answers: Finder) -> None:
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
def canned_server(*, cpu: int | None = None, program: Path = Path(__file__)) -> Generator[int]:
    """Start the server in a process of its own.

    Args:
        cpu: the CPU to keep it on; ``None`` leaves it to the scheduler.
        program: the file that is run as the server, as ``python FILE --serve``; it calls :func:`serve`.

    Yields:
        The port it listens on, on the loopback address. The process ends with the block, or with this process.
    """
    with pinned(cpu):
        process = subprocess.Popen(  # noqa: S603 - a file of this folder, under this very interpreter
            [sys.executable, program, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
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


def plain_environment(inherited: Mapping[str, str], *, port: int) -> dict[str, str]:
    """An environment with static keys, no profile, no proxy, and the canned server as DynamoDB."""
    kept = {
        name: value
        for name, value in inherited.items()
        if not name.upper().startswith("AWS_") and not name.lower().endswith("_proxy")
    }
    return kept | {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": "missing-config",
        "AWS_SHARED_CREDENTIALS_FILE": "missing-credentials",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_DYNAMODB": f"http://{HOST}:{port}",
    }


def whole_answer(body: bytes, *, status: bytes = b"200 OK") -> bytes:
    """An HTTP answer around a body, with its right CRC32."""
    return (
        b"HTTP/1.1 %b\r\nServer: Server\r\nDate: %b\r\nContent-Type: application/x-amz-json-1.0\r\n"
        b"Content-Length: %d\r\nConnection: keep-alive\r\n"
        b"x-amzn-RequestId: CANNED0EXAMPLE0REQUEST0ID0OF0FIFTYTWO0LETTERS0000000\r\n"
        b"x-amz-crc32: %d\r\n\r\n%b"
    ) % (status, formatdate(usegmt=True).encode(), len(body), zlib.crc32(body), body)


async def serve(answers: Finder) -> None:
    """Answer on a free port of the loopback address, printed first, until standard input ends."""
    loop = asyncio.get_running_loop()
    orphaned = asyncio.Event()
    server = await loop.create_server(lambda: CannedProtocol(answers), HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Standard input turns readable only when the parent closes it or ends.
    loop.add_reader(sys.stdin.fileno(), orphaned.set)
    await orphaned.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(Answers()))
