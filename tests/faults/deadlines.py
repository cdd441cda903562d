"""Deadline overshoot: how much longer than its timeout a call takes when nothing ever comes. In real time, on a real loop.

``overshoots`` measures this library on both lanes, ``control_overshoots`` raw aiobotocore with the nearest that it has: connect and
read time-outs of the same length.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing, suppress
from typing import Any, Final

from aiobotocore.config import AioConfig  # type: ignore[import-untyped]  # it has no types
from aiobotocore.credentials import AioDeferredRefreshableCredentials  # type: ignore[import-untyped]  # as above
from aiobotocore.session import get_session  # type: ignore[import-untyped]  # as above

from dynamorm_async import Credentials, Database, Key, Timeouts
from dynamorm_async.errors import DynamormError
from tests.engines import LANES, Lane
from tests.faults.catalogue import CATALOGUE
from tests.faults.ground import SHELF, Fixed, Thing
from tests.faults.proxy import fault_proxy
from tests.faults.scripts import always, plain
from tests.unit.transport.scripted_server import until

TIMEOUT: Final = 0.3
"""Seconds that every call is given."""

BOUND: Final = 5.0
"""Seconds after which a measurement ends, so that a call that hangs for ever counts as this much."""

Place = AbstractAsyncContextManager[str]  # gives an endpoint
_WARM: Final = 0.3
_KEY = Key(Fixed, SHELF, 1)


# --- where nothing ever comes ---------------------------------------------------------------------


@asynccontextmanager
async def _faulty(name: str) -> AsyncGenerator[str]:
    async with fault_proxy(script=always(CATALOGUE[name])) as proxy:
        yield proxy.endpoint


@asynccontextmanager
async def _blackhole() -> AsyncGenerator[str]:
    """A port whose queue of connections is full: another one is neither taken nor refused."""
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        async with AsyncExitStack() as stack:
            for _ in range(4):
                filling = stack.enter_context(closing(socket.socket()))
                filling.setblocking(False)
                with suppress(BlockingIOError):
                    filling.connect(address)
            await asyncio.sleep(0)
            yield f"http://127.0.0.1:{address[1]}"


@asynccontextmanager
async def _held_handshake() -> AsyncGenerator[str]:
    """A port that takes connections, and never says a word of TLS."""
    async with fault_proxy() as proxy:
        await proxy.on_connect(CATALOGUE["hang_on_connect"])
        yield proxy.endpoint.replace("http:", "https:")


@asynccontextmanager
async def _answering() -> AsyncGenerator[str]:
    async with fault_proxy() as proxy:
        yield proxy.endpoint


async def _get(db: Database) -> object:
    return await db.get(_KEY, timeout=TIMEOUT)


async def _get_for_ever(db: Database) -> object:
    return await db.get(_KEY)


async def _query(db: Database) -> object:
    return await db.query(Fixed).where(Fixed.shelf == SHELF).timeout(TIMEOUT)


async def _batch_get(db: Database) -> object:
    return await db.batch_get(_KEY, timeout=TIMEOUT)


async def _put_many(db: Database) -> object:
    return await db.put_many([Thing(shelf=SHELF, number=number) for number in range(60)], timeout=TIMEOUT)


async def _transaction(db: Database) -> object:
    await db.transaction(timeout=TIMEOUT).update(Key(Thing, SHELF, 1), Thing.hits.add(1))
    return None


Call = Callable[[Database], Awaitable[object]]
_PLACES: Final[Mapping[str, tuple[Callable[[], Place], Call]]] = {
    "drip": (lambda: _faulty("dripping_before"), _get),
    "drip, a query": (lambda: _faulty("dripping_before"), _query),
    "hang": (lambda: _faulty("no_answer_before"), _get),
    "hang, many puts": (lambda: _faulty("no_answer_before"), _put_many),
    "hang, a transaction": (lambda: _faulty("no_answer_before"), _transaction),
    "stalled answer": (lambda: _faulty("stalled_answer_before"), _get),
    "flood": (lambda: _faulty("endless_before"), _get),
    "throttled for ever": (lambda: _faulty("throttled_table"), _get),
    "server errors for ever": (lambda: _faulty("http_503_before"), _get),
    "unprocessed for ever, a batch get": (lambda: _faulty("batch_all_unprocessed"), _batch_get),
    "unprocessed for ever, many puts": (lambda: _faulty("batch_all_unprocessed"), _put_many),
    "blackhole": (_blackhole, _get),
    "held TLS handshake": (_held_handshake, _get),
}


class _HangingKeys:
    """Credentials that expire, and of which no others ever come."""

    def __init__(self) -> None:
        self.expired = False

    def current(self) -> Credentials | None:
        return None if self.expired else Credentials("test", "test")

    async def refresh(self, *, rejected: Credentials | None = None) -> Credentials:
        await asyncio.Event().wait()
        raise AssertionError(rejected)


def overshoots() -> dict[str, float]:
    """Seconds over the timeout, for each lane and scenario; ``0.0`` where a call ended in time."""
    return asyncio.run(measure())


async def measure() -> dict[str, float]:
    """As :func:`overshoots`, by the clock of the running loop."""
    found: dict[str, float] = {}
    for lane in LANES:
        for name, (place, call) in _PLACES.items():
            async with place() as endpoint, _database(endpoint, lane) as db:
                with suppress(DynamormError):  # what is opened once is open: imports and TLS contexts are no calls
                    await db.get(_KEY, timeout=_WARM)
                found[f"{lane}: {name}"] = await _measured(call(db))
        keys = _HangingKeys()
        async with _answering() as endpoint, _database(endpoint, lane, credentials=keys) as db:
            await db.get(_KEY)
            keys.expired = True
            found[f"{lane}: credentials that hang"] = await _measured(_get(db))
        found[f"{lane}: pool exhausted"] = await _exhausted(lane)
    return found


async def _exhausted(lane: Lane) -> float:
    async with fault_proxy() as proxy, _database(proxy.endpoint, lane, pool_size=1) as db:
        await db.get(_KEY)
        proxy.script = always(CATALOGUE["no_answer_before"])
        async with asyncio.TaskGroup() as group:
            held = group.create_task(_get_for_ever(db))
            await until(lambda: proxy.calls == 2)
            seconds = await _measured(_get(db))
            held.cancel()
        return seconds


def _database(endpoint: str, lane: Lane, **options: Any) -> Database:  # options of Database
    given: dict[str, Any] = {
        "credentials": ("test", "test"),
        "timeouts": Timeouts(call=60, read=60, connect=60, pool=60),
    } | options
    return Database(endpoint=endpoint, region="eu-west-1", lane=lane, **given)


async def _measured(call: Awaitable[object]) -> float:
    """Seconds that a call took over its timeout.

    Raises:
        AssertionError: it succeeded, or its error is none of the library's.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        async with asyncio.timeout(BOUND):
            value = await call
    except (DynamormError, TimeoutError):
        return max(0.0, loop.time() - started - TIMEOUT)
    raise AssertionError(f"nothing ever came, and yet the call returned {value!r}")


# --- the control ----------------------------------------------------------------------------------

_CONTROL: Final[Mapping[str, Callable[[], Place]]] = {
    name: place for name, (place, _) in _PLACES.items() if "," not in name and name != "flood"
}


def control_overshoots() -> dict[str, float]:
    """The same of raw aiobotocore, where it has an equal; at most :data:`BOUND` each. A flood would fill its memory."""
    return asyncio.run(control_measure())


async def control_measure() -> dict[str, float]:
    """As :func:`control_overshoots`, by the clock of the running loop."""
    found: dict[str, float] = {}
    for name, place in _CONTROL.items():
        async with place() as endpoint, _client(endpoint) as client:
            found[f"aiobotocore: {name}"] = await _control_measured(client)
    async with _answering() as endpoint, _client(endpoint, hanging_keys=True) as client:
        found["aiobotocore: credentials that hang"] = await _control_measured(client)
    async with fault_proxy() as proxy, _client(proxy.endpoint, max_pool_connections=1) as client:
        proxy.script = plain
        await client.list_tables()
        proxy.script = always(CATALOGUE["no_answer_before"])
        async with asyncio.TaskGroup() as group:
            held = group.create_task(_control_measured(client))
            await until(lambda: proxy.calls == 2)
            found["aiobotocore: pool exhausted"] = await _control_measured(client)
            held.cancel()
    return found


@asynccontextmanager
async def _client(endpoint: str, *, hanging_keys: bool = False, **options: Any) -> AsyncGenerator[Any]:  # aiobotocore's
    session: Any = get_session()
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    if hanging_keys:

        async def hang() -> None:
            await asyncio.Event().wait()

        # Where a session keeps what its chain of providers would find.
        session._credentials = AioDeferredRefreshableCredentials(refresh_using=hang, method="test")
        keys = {}
    config = AioConfig(retries={"mode": "standard"}, connect_timeout=TIMEOUT, read_timeout=TIMEOUT, **options)
    async with session.create_client(
        "dynamodb", region_name="eu-west-1", endpoint_url=endpoint, config=config, **keys
    ) as client:
        yield client


async def _control_measured(client: Any) -> float:  # aiobotocore's
    loop = asyncio.get_running_loop()
    started = loop.time()
    with suppress(Exception):  # of many kinds, or cancelled by the bound
        async with asyncio.timeout(BOUND):
            await client.get_item(TableName="fixed", Key={"shelf": {"S": SHELF}, "number": {"N": "1"}})
    return max(0.0, loop.time() - started - TIMEOUT)
