"""The bytes of spoilt, foreign and partial answers."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from tests.faults.fault import Call, Moment
from tests.unit.transport.scripted_server import answer

Maker: TypeAlias = Callable[[Moment], bytes]
Wire: TypeAlias = dict[str, Any]  # wire JSON

HTML = (
    b"<html><head><title>Proxy</title></head><body>"
    + b"<p>An intermediary wrote this page.</p>" * 8
    + b"</body></html>"
)
FOREIGN_SECOND = "Thu, 01 Jan 2032 00:00:00 GMT"
OVERSIZE = 21_500_000
NESTING = 20_000
ITEM = b'{"Attributes":{"note":{"S":"an answer that the engine did not give"}}}'


# --- what is there: the engine's answer, or a plausible one --------------------------------------


def whole(moment: Moment) -> bytes:
    """The engine's answer; where it was not asked, one that looks like it."""
    return answer(ITEM) if moment.reply is None else moment.reply.raw


def body_of(moment: Moment) -> bytes:
    return ITEM if moment.reply is None else moment.reply.body


def rewritten(moment: Moment, body: bytes | None = None, **headers: str) -> bytes:
    """The same answer with another body or other headers."""
    status = "200 OK" if moment.reply is None else f"{moment.reply.status} Rewritten"
    return answer(body_of(moment) if body is None else body, status=status, **headers)


# --- makers -----------------------------------------------------------------------------------


def error(
    code: str, message: str, *, status: str = "400 Bad Request", more: Wire | None = None, **headers: str
) -> Maker:
    """An error as DynamoDB sends it."""
    content = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message} | (more or {})
    return raw(answer(json.dumps(content).encode(), status=status, **headers))


def page(status: str, body: bytes = HTML, **headers: str) -> Maker:
    """A page that is not DynamoDB's, with the headers of an intermediary."""
    ours = {"Content_Type": "text/html", "x_amzn_RequestId": "", "x_amz_crc32": "", "Server": "proxy"} | headers
    return raw(answer(body, status=status, **ours))


def ok(body: bytes, **headers: str) -> Maker:
    """A 200 with this body, its CRC32 right."""
    return raw(answer(body, **headers))


def raw(content: bytes) -> Maker:
    """These bytes, whatever they are."""
    return lambda _: content


def redirect(status: str) -> Maker:
    """A redirect to the origin that must never see a byte."""
    return lambda moment: answer(b"", status=status, Location=f"{moment.foreign}/", Content_Type="text/html")


def half(moment: Moment) -> bytes:
    """The first half of the answer, headers included."""
    complete = whole(moment)
    return complete[: len(complete) // 2]


def cut(moment: Moment) -> bytes:
    """All headers, and the body without its last byte."""
    return whole(moment)[:-1]


def cut_json(moment: Moment) -> bytes:
    """An answer whose headers fit its body, but whose JSON ends in the middle, or after its first brace."""
    body = body_of(moment)
    return rewritten(moment, body[: max(1, len(body) // 2)])


def unclosed_json(moment: Moment) -> bytes:
    """An answer of which only the last brace is missing, so that it still ends with one."""
    return rewritten(moment, ITEM[:-1])


def zipped(moment: Moment) -> bytes:
    """The answer's body in gzip, which no header says."""
    return rewritten(moment, gzip.compress(body_of(moment), mtime=0))


def oversized(_: Moment) -> bytes:
    """More bytes than an answer may have, announced and sent."""
    body = b'{"Attributes":{' + b" " * OVERSIZE + b"}}"
    return answer(body)


def crowded(moment: Moment) -> bytes:
    """The answer after ten thousand headers."""
    start, _, rest = whole(moment).partition(b"\r\n")
    return start + b"\r\n" + b"".join(b"x-crowd-%d: stranger\r\n" % number for number in range(10_000)) + rest


def after_interim(moment: Moment) -> bytes:
    """The answer after two that only announce it."""
    return b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n" + whole(moment)


def wrong_crc(moment: Moment) -> bytes:
    return rewritten(moment, x_amz_crc32=str(zlib.crc32(body_of(moment)) ^ 1))


def head_only(moment: Moment) -> bytes:
    """The headers and the first byte of the body."""
    head, separator, body = whole(moment).partition(b"\r\n\r\n")
    return head + separator + body[:1]


def endless_head(_: Moment) -> bytes:
    """Headers that announce chunks, and the first of them, whose size is never reached."""
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ntransfer-encoding: chunked\r\n\r\nfffffffff\r\n{"


# --- transactions -----------------------------------------------------------------------------


def cancelled(*codes: str) -> Maker:
    """A cancelled transaction; the codes are those of its first operations, all others had no part in it."""

    def make(moment: Moment) -> bytes:
        number = len(_request(moment.call)["TransactItems"])
        reasons: list[Wire] = [{"Code": "None"}] * number
        reasons[: len(codes)] = [{"Code": code, "Message": f"{code} of this operation"} for code in codes[:number]]
        listed = ", ".join(reason["Code"] for reason in reasons)
        message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{listed}]"
        return error("TransactionCanceledException", message, more={"CancellationReasons": reasons})(moment)

    return make


# --- batches and pages ------------------------------------------------------------------------


def first_half(call: Call) -> bytes | None:
    """A batch with the first half of its entries; of an odd number the larger half, so that an end is in sight."""
    content = _request(call)
    entries = _entries(content)
    kept = entries[: (len(entries) + 1) // 2]
    return json.dumps(content | {"RequestItems": _grouped(content, kept)}).encode()


def rest_unprocessed(moment: Moment) -> bytes:
    """The engine's answer to the first half, with the other half as not processed."""
    reply, content = moment.reply, _request(moment.call)
    if reply is None or reply.status != 200:
        return whole(moment)
    entries = _entries(content)
    rest = _grouped(content, entries[(len(entries) + 1) // 2 :])
    merged = cast("Wire", json.loads(reply.body)) | {_leftover(moment.call): rest}
    return answer(json.dumps(merged).encode())


def all_unprocessed(moment: Moment) -> bytes:
    """Every entry as not processed."""
    content = _request(moment.call)
    body: Wire = {_leftover(moment.call): content["RequestItems"]}
    if moment.call.operation == "BatchGetItem":
        body["Responses"] = {table: [] for table in content["RequestItems"]}
    return answer(json.dumps(body).encode())


_CURSORS = {"ListTables": ("ExclusiveStartTableName", "LastEvaluatedTableName"), "ExecuteStatement": ("NextToken",) * 2}


def same_cursor(moment: Moment) -> bytes:
    """A page that ends where it began; a first page is the engine's own."""
    reply = moment.reply
    asked, given = _CURSORS.get(moment.call.operation, ("ExclusiveStartKey", "LastEvaluatedKey"))
    start = _request(moment.call).get(asked)
    if reply is None or reply.status != 200 or start is None:
        return whole(moment)
    return answer(json.dumps(cast("Wire", json.loads(reply.body)) | {given: start}).encode())


def _request(call: Call) -> Wire:
    return cast("Wire", json.loads(call.body))


def _leftover(call: Call) -> str:
    return "UnprocessedKeys" if call.operation == "BatchGetItem" else "UnprocessedItems"


def _entries(content: Wire) -> list[tuple[str, Wire]]:
    """Every key or write of a batch with its table, in order."""
    tables: Mapping[str, Any] = content["RequestItems"]  # wire JSON
    return [
        (table, entry)
        for table, asked in tables.items()
        for entry in cast("list[Wire]", asked if isinstance(asked, list) else asked["Keys"])
    ]


def _grouped(content: Wire, entries: Sequence[tuple[str, Wire]]) -> Wire:
    """Entries by table again, each table's options kept."""
    grouped: Wire = {}
    for table, entry in entries:
        asked = content["RequestItems"][table]
        if isinstance(asked, list):
            grouped.setdefault(table, []).append(entry)
        else:
            grouped.setdefault(table, cast("Wire", asked) | {"Keys": []})["Keys"].append(entry)
    return grouped
