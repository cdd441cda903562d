"""A bound on read capacity units a second, fed by what DynamoDB reports."""

from __future__ import annotations

import asyncio

import anyio

from dynamorm_async.database.access import Send
from dynamorm_async.plan.capacity import reported_capacity, reporting
from dynamorm_async.types import Request, Response


class Budget:
    """Paces requests so that, on average, no more than a number of read units a second are consumed.

    What a request costs is known only once it was answered: the next one of any part waits until it is paid for.

    Args:
        units_per_second: read capacity units.
    """

    def __init__(self, units_per_second: float) -> None:
        self._rate = units_per_second
        self._paid_until = 0.0

    def around(self, send: Send) -> Send:
        """The same way to send, paced. Waits on the event loop; never blocks it."""

        async def paced(request: Request, timeout: float | None, /) -> Response:
            clock = asyncio.get_running_loop().time
            while (wait := self._paid_until - clock()) > 0:  # noqa: ASYNC110 - time is what is waited for
                await anyio.sleep(wait)
            response = await send(reporting(request, "total"), timeout)
            reported = reported_capacity(request.operation, response.body)
            units = 0.0 if reported is None else reported.read
            self._paid_until = max(self._paid_until, clock()) + units / self._rate
            return response

        return paced
