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


def fetching(send: Send, decode: Callable[[bytes], PageContent[R]], turns: Turns) -> Fetch[R]:
    """What sends a request and decodes its page.

    Args:
        send: sends a request.
        decode: decodes its answer.
        turns: decodes a large one, and lets others have their turns meanwhile.
    """

    async def fetch(request: Request) -> PageContent[R]:
        body = (await send(request, None)).body
        return decode(body) if len(body) <= LARGE else await turns.run(page_in_slices(body, decode))

    return fetch
