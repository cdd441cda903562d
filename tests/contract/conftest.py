"""Every contract test runs on each engine through each lane."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import AsyncIterator, Callable

import pytest

from dynamorm_async import Database
from tests.canaries import KEYS
from tests.contract.models import connect, create_tables
from tests.engines import ENGINES, LANES, Lane, endpoint_of

TARGETS = list(itertools.product(ENGINES, LANES))


@pytest.fixture(params=TARGETS, ids="-".join)
def target(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> tuple[str, Lane]:
    target: tuple[str, Lane] = request.param
    record_property("contract", " x ".join(target))
    return target


@pytest.fixture
def engine(target: tuple[str, Lane]) -> str:
    return target[0]


@pytest.fixture
def lane(target: tuple[str, Lane]) -> Lane:
    return target[1]


@pytest.fixture
def endpoint(engine: str, request: pytest.FixtureRequest) -> str:
    return endpoint_of(engine, request)


@pytest.fixture
async def db(endpoint: str, lane: Lane) -> AsyncIterator[Database]:
    """An open database whose tables no other test sees: each test has a prefix of its own."""
    async with Database(
        endpoint=endpoint,
        region="eu-west-1",
        credentials=KEYS,
        lane=lane,
        table_prefix=f"t{uuid.uuid4().hex[:12]}-",
    ) as database:
        yield database


@pytest.fixture(scope="session")
def prepared() -> set[str]:
    """The endpoints of the engines that have the shared tables."""
    return set()


@pytest.fixture
async def store(endpoint: str, lane: Lane, prepared: set[str]) -> AsyncIterator[Database]:
    """An open database with the tables of the suite's models; all tests share them, so each uses keys of its own."""
    if endpoint not in prepared:
        create_tables(endpoint)
        prepared.add(endpoint)
    async with connect(endpoint, lane) as database:
        yield database
