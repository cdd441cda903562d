"""The pytest plugin: an embedded DynamoDB and an open database on it.

The async fixture runs through anyio's pytest plugin, which comes with anyio: mark the test ``@pytest.mark.anyio`` and
let an ``anyio_backend`` fixture return ``"asyncio"``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest

from dynamorm_async.testing.moto_server import MotoServer

if TYPE_CHECKING:
    from dynamorm_async import Database


@pytest.fixture(scope="session")
def dynamodb_server() -> Iterator[MotoServer]:
    """The embedded server, one for the whole run."""
    with MotoServer() as server:
        yield server


@pytest.fixture(scope="session")
def dynamodb_endpoint(dynamodb_server: MotoServer) -> str:
    """The embedded server's URL; any region and any credentials work."""
    return dynamodb_server.endpoint


@pytest.fixture
async def dynamodb(dynamodb_server: MotoServer) -> AsyncIterator[Database]:
    """An open ``Database`` on the embedded server; every table is dropped after the test."""
    from dynamorm_async import Database  # noqa: PLC0415 - a plugin is imported in every run, used or not

    try:
        async with Database(
            endpoint=dynamodb_server.endpoint, region="eu-west-1", credentials=("test", "test")
        ) as database:
            yield database
    finally:
        dynamodb_server.reset()
