"""One page: sent for, and decoded at once or, where it is large, in slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dynamorm_async.codec.page import PageContent
from dynamorm_async.codec.slices import page_in_slices
from dynamorm_async.database.access import Send
from dynamorm_async.database.source import Fetch
from dynamorm_async.database.turns import LARGE, Turns
from dynamorm_async.types import Request

R = TypeVar("R")


def fetching(send: Send, decode: Callable[[bytes], PageContent[R]], turns: Turns, *, at_once: int = LARGE) -> Fetch[R]:
    """What sends a request and decodes its page.

    Args:
        send: sends a request.
        decode: decodes its answer.
        turns: tell when the loop has room for decoding it, at once or, where it is large, in slices.
        at_once: how many bytes it may have to be decoded at once.
    """

    async def fetch(request: Request) -> PageContent[R]:
        body = (await send(request, None)).body
        if len(body) > at_once:
            return await turns.run(page_in_slices(body, decode))
        await turns.room.take(len(body), at_once)
        return decode(body)

    return fetch
