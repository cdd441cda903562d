"""Every public operation of a database that makes requests, and how the public surface is looked over."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Final

from dynamorm_async.database.aggregates import Groups
from dynamorm_async.database.batch_get import BatchGet
from dynamorm_async.database.batch_stream import BatchGetStream
from dynamorm_async.database.batch_write import BatchWrite
from dynamorm_async.database.collection import Collection
from dynamorm_async.database.database import Database
from dynamorm_async.database.execution import Execution, RowStream
from dynamorm_async.database.pages import PageStream
from dynamorm_async.database.partiql import PartiQL
from dynamorm_async.database.reading import Query, Scan
from dynamorm_async.database.stream import ItemStream
from dynamorm_async.database.tables import Tables
from dynamorm_async.database.transact_get import TransactGet
from dynamorm_async.database.transaction import Transaction
from tests.faults.changes import CHANGES
from tests.faults.many import MANY, TABLES
from tests.faults.operation import Operation
from tests.faults.reads import READS
from tests.faults.writes import WRITES

OPERATIONS: Final = (*READS, *WRITES, *CHANGES, *MANY, *TABLES)
BY_NAME: Final[Mapping[str, Operation]] = {operation.name: operation for operation in OPERATIONS}

SURFACE: Final = (
    BatchGet,
    BatchGetStream,
    BatchWrite,
    Collection,
    Database,
    Execution,
    Groups,
    ItemStream,
    PageStream,
    PartiQL,
    Query,
    RowStream,
    Scan,
    Tables,
    TransactGet,
    Transaction,
)
"""What a caller of a database comes to hold."""

AWAITING: Final = frozenset({"__await__", "__aiter__", "__anext__", "__aexit__"})

WITHOUT_REQUESTS: Final[Mapping[str, str]] = {
    "Database.endpoint": "tells where requests go",
    "Database.lane": "tells how they go",
    "Database.measure": "counts",
    "Database.partiql": "its methods stand for themselves",
    "Database.statistics": "counts",
    "Database.tables": "its methods stand for themselves",
    "Database.aclose": "closes",
    "Database.__aexit__": "closes",
    "BatchGetStream.aclose": "ends the stream",
    "BatchGetStream.__aiter__": "returns itself",
    "ItemStream.__aiter__": "returns itself",
    "PageStream.__aiter__": "returns itself",
    "RowStream.__aiter__": "returns itself",
}
"""What asks nothing of DynamoDB."""


def methods_that_wait() -> set[str]:
    """Every public method that a caller awaits or iterates, as ``Class.method``; of Database every public name."""
    waiting = {
        f"{cls.__name__}.{name}"
        for cls in SURFACE
        for name, member in inspect.getmembers(cls, inspect.isfunction)
        if name in AWAITING or (not name.startswith("_") and inspect.iscoroutinefunction(member)) or name == "__call__"
    }
    return waiting | {f"Database.{name}" for name in dir(Database) if not name.startswith("_")}


def uncovered() -> set[str]:
    """Those that no operation stands for."""
    covered = {name for operation in OPERATIONS for name in operation.covers}
    methods = {name.partition(".")[2] for name in covered if name.startswith(("Query.", "Scan.", "Collection."))}

    def by_a_sibling(name: str) -> bool:
        cls, _, method = name.partition(".")
        return cls in ("Query", "Scan", "Collection") and method in methods

    return {name for name in methods_that_wait() - covered - WITHOUT_REQUESTS.keys() if not by_a_sibling(name)}
