"""Secrets planted in keys, tokens, items and answers, and all that a Database shows of them to a program that looks."""

from __future__ import annotations

import gc
import traceback
from typing import Final

from dynamorm_async import Attr, Database, DynamormError, Timeouts, attr, model, partition_key
from tests.canaries import SECRET_KEY, SESSION_TOKEN, forms
from tests.engines import Lane
from tests.unit.security.peer import Peer
from tests.unit.transport.scripted_server import answer, serving

ITEM: Final = "Cn4ryIt3Qp7Vw2ZxN8"
CURSOR_SECRET: Final = "Cn4ryCu6Mf1Ka5TgY9-and-more"
ALL: Final = tuple(form for secret in (SECRET_KEY, SESSION_TOKEN, ITEM, CURSOR_SECRET) for form in forms(secret))


@model(table="users")
class User:
    id: Attr[str] = partition_key()
    note: Attr[str] = attr(default="")


ANSWERS = {
    "an item": answer(b'{"Item":{"id":{"S":"1"},"note":{"S":"%b"}}}' % ITEM.encode()),
    "a wrong item": answer(b'{"Item":{"id":{"S":"1"},"note":{"N":"1"},"other":{"S":"%b"}}}' % ITEM.encode()),
    "no JSON": answer(b"<html>" + ITEM.encode()),
    "cut JSON": answer(b'{"Item":{"id":{"S":"%b"' % ITEM.encode()),
    "a wrong CRC": answer(ITEM.encode(), x_amz_crc32="1"),
    "a failed condition": answer(
        b'{"__type":"x#ConditionalCheckFailedException","message":"no","Item":{"id":{"S":"1"},"note":{"S":"%b"}}}'
        % ITEM.encode(),
        status="400 Bad Request",
    ),
    "a strange page": answer(ITEM.encode(), status="403 Forbidden", Content_Type="text/html"),
    "a server error": answer(ITEM.encode(), status="500 Oops", Content_Type="text/html"),
    "a redirect": answer(b"", status="307 Elsewhere", Location=f"http://127.0.0.1:9/{ITEM}", x_amz_crc32=""),
    "an expired token": answer(
        b'{"__type":"x#ExpiredTokenException","message":"The security token included in the request is expired"}',
        status="400 Bad Request",
    ),
    "a wrong signature": answer(
        b'{"__type":"x#InvalidSignatureException","message":"The request signature we calculated does not match"}',
        status="400 Bad Request",
    ),
    "no HTTP": ITEM.encode() + b"\r\n\r\n",
    "half an answer": answer(b'{"Item":{"id":{"S":"1"},"note":{"S":"%b"}}}' % ITEM.encode())[:-9],
}


async def exposure(lane: Lane) -> str:
    """What a Database, its parts and its errors show after every kind of answer, line by line."""
    shown: list[str] = []
    peer = Peer(close=True)
    timeouts = Timeouts(call=0.5, read=0.3)
    async with serving(peer) as port:
        db = Database(
            endpoint=f"http://127.0.0.1:{port}",
            region="eu-west-1",
            credentials=("AKIDEXAMPLE", SECRET_KEY, SESSION_TOKEN),
            lane=lane,
            timeouts=timeouts,
            cursor_secrets=[CURSOR_SECRET],
        )
        async with db:
            for what, bytes_ in ANSWERS.items():
                peer.parts = [bytes_]
                for call in (
                    db.get(User, "1"),
                    db.put(User(id="1", note=ITEM)),
                    db.create(User(id="1", note=ITEM)),
                    db.tables.exists(User),
                ):
                    try:
                        await call
                    except DynamormError as error:
                        shown += [what, str(error), repr(error), *traceback.format_exception(error)]
            shown += [repr(part) for part in _parts(db)]
        shown += [repr(part) for part in _parts(db)]
    return "\n".join(shown)


def _parts(of: object) -> list[object]:
    """The object, and everything of this library that can be reached from it."""
    found: dict[int, object] = {}
    left = [of]
    while left:
        part = left.pop()
        if id(part) not in found and (_is_ours(part) or _is_container(part)):
            found[id(part)] = part
            left += gc.get_referents(part)
    return [part for part in found.values() if _is_ours(part)]


def _is_ours(part: object) -> bool:
    return type(part).__module__.startswith("dynamorm_async")


def _is_container(part: object) -> bool:
    return isinstance(part, list | tuple | dict | set)
