"""dynamorm-async: the async-first DynamoDB ORM.

Models are attrs classes; a :class:`Database` reads and writes them. ``import dynamorm_async`` imports neither aiohttp
nor botocore nor cattrs: they come in when something needs them.
"""

from __future__ import annotations

import importlib
import typing

from dynamorm_async.database.database import Database
from dynamorm_async.database.metering import Meter, Statistics
from dynamorm_async.errors import (
    AccessDenied,
    BackfillFailed,
    BackfillFailure,
    BackfillMismatch,
    BackupRefused,
    BadResponse,
    BatchFailure,
    BatchGetFailed,
    BatchOperation,
    BatchReport,
    BatchStatementsFailed,
    BatchWriteFailed,
    CallError,
    CallTimeout,
    ClockSkew,
    ConditionFailed,
    ConfigurationError,
    Conflict,
    ConnectionLost,
    CredentialsError,
    CursorError,
    DatabaseClosed,
    DecodeError,
    DecryptError,
    DuplicateItem,
    DynamormError,
    EndpointUnreachable,
    ExpiredCredentials,
    FileError,
    IdempotentParameterMismatch,
    ImportFailed,
    InvalidExpression,
    InvalidKey,
    InvalidValue,
    ItemCollectionTooLarge,
    ItemExists,
    ItemNotFound,
    ItemTooLarge,
    JobFailed,
    JobTimeout,
    LeaseHeld,
    LeaseLost,
    LimitExceeded,
    MigrationFailed,
    MigrationInvalid,
    MigrationRefused,
    ModelError,
    NotFound,
    NotOne,
    NotUnique,
    NoUsableIndex,
    OutcomeUnknown,
    PlanOutdated,
    PlanRefused,
    PoolTimeout,
    Problem,
    RequestRejected,
    SchemaConflict,
    ServerError,
    ServiceError,
    StreamError,
    TableInUse,
    TableMismatch,
    TableNotFound,
    TableTimeout,
    Throttled,
    TransactionCancelled,
    TransactionConflict,
    TransactionFailure,
    TransactionInProgress,
    TransientConflict,
    TransportError,
    UnrecognizedItem,
    UsageError,
    ValidationFailed,
    VersionConflict,
)
from dynamorm_async.expressions.arithmetic import Arithmetic, IfNotExists
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.expressions.updates import Update
from dynamorm_async.model.attributes import (
    NOT_WRITTEN,
    attr,
    created_at,
    deleted_at,
    encrypted,
    partition_key,
    sort_key,
    ttl,
    updated_at,
    version,
)
from dynamorm_async.model.define import embedded, model
from dynamorm_async.model.derived import IndexKey
from dynamorm_async.model.index import Index, index
from dynamorm_async.model.key import Key
from dynamorm_async.model.partition import Partition, partition
from dynamorm_async.model.table import GSI, LSI, Table
from dynamorm_async.model.unique import Unique, unique
from dynamorm_async.model.upcast import Upcaster, upcast
from dynamorm_async.model.vector import VectorIndex
from dynamorm_async.model.vector_index import ModelVectorIndex, vector_index
from dynamorm_async.plan.capacity import Capacity, Prices
from dynamorm_async.plan.choice import Candidate
from dynamorm_async.transport.base import CredentialProvider, Credentials, Endpoint, Timeouts

if typing.TYPE_CHECKING:
    from dynamorm_async.codec.converter import make_converter
    from dynamorm_async.codec.plain import PlainValue, StatementParameter
    from dynamorm_async.database.aggregates import Groups
    from dynamorm_async.database.batch_get import BatchGet
    from dynamorm_async.database.batch_operations import BatchProgress
    from dynamorm_async.database.batch_stream import BatchGetStream
    from dynamorm_async.database.batch_write import BatchWrite
    from dynamorm_async.database.collection import Collection, Collections
    from dynamorm_async.database.execution import Execution, RowStream
    from dynamorm_async.database.grouped import Grouped, UnknownItem
    from dynamorm_async.database.keyring import DataKey, KeyProvider, KeyUse, LocalKeyring
    from dynamorm_async.database.page import Page
    from dynamorm_async.database.pages import PageStream
    from dynamorm_async.database.partiql import PartiQL
    from dynamorm_async.database.reading import Query, Scan
    from dynamorm_async.database.stream import ItemStream
    from dynamorm_async.database.tables import Tables
    from dynamorm_async.database.transact_get import TransactGet
    from dynamorm_async.database.transaction import Transaction
    from dynamorm_async.database.updated import UpdatedAttributes
    from dynamorm_async.database.vectors import SearchHit
    from dynamorm_async.expressions.vectorattr import VectorAttr
    from dynamorm_async.model.outdated import outdated
    from dynamorm_async.model.settings import (
        IndexSettings,
        OnDemand,
        Provisioned,
        Replica,
        TableSettings,
        WarmThroughput,
    )
    from dynamorm_async.plan.explain import Explanation
    from dynamorm_async.plan.pattern import AccessPattern
    from dynamorm_async.plan.patterns import AccessPatterns, UniqueValues, access_patterns
    from dynamorm_async.plan.policy import iam_policy
    from dynamorm_async.plan.sharing import ItemCollection
    from dynamorm_async.plan.statements import Statement
    from dynamorm_async.plan.tables import IndexDescription, TableDescription
    from dynamorm_async.plan.vector_tables import VectorIndexDescription
    from dynamorm_async.transport.sdk_logging import quiet_sdk_logging

__all__ = [
    "GSI",
    "LSI",
    "NOT_WRITTEN",
    "AccessDenied",
    "AccessPattern",
    "AccessPatterns",
    "Arithmetic",
    "Attr",
    "BackfillFailed",
    "BackfillFailure",
    "BackfillMismatch",
    "BackupRefused",
    "BadResponse",
    "BatchFailure",
    "BatchGet",
    "BatchGetFailed",
    "BatchGetStream",
    "BatchOperation",
    "BatchProgress",
    "BatchReport",
    "BatchStatementsFailed",
    "BatchWrite",
    "BatchWriteFailed",
    "CallError",
    "CallTimeout",
    "Candidate",
    "Capacity",
    "ClockSkew",
    "Collection",
    "Collections",
    "Condition",
    "ConditionFailed",
    "ConfigurationError",
    "Conflict",
    "ConnectionLost",
    "CredentialProvider",
    "Credentials",
    "CredentialsError",
    "CursorError",
    "DataKey",
    "Database",
    "DatabaseClosed",
    "DecodeError",
    "DecryptError",
    "DuplicateItem",
    "DynamormError",
    "Endpoint",
    "EndpointUnreachable",
    "Execution",
    "ExpiredCredentials",
    "Explanation",
    "FileError",
    "Grouped",
    "Groups",
    "IdempotentParameterMismatch",
    "IfNotExists",
    "ImportFailed",
    "Index",
    "IndexDescription",
    "IndexKey",
    "IndexSettings",
    "InvalidExpression",
    "InvalidKey",
    "InvalidValue",
    "ItemCollection",
    "ItemCollectionTooLarge",
    "ItemExists",
    "ItemNotFound",
    "ItemStream",
    "ItemTooLarge",
    "JobFailed",
    "JobTimeout",
    "Key",
    "KeyProvider",
    "KeyUse",
    "LeaseHeld",
    "LeaseLost",
    "LimitExceeded",
    "LocalKeyring",
    "Meter",
    "MigrationFailed",
    "MigrationInvalid",
    "MigrationRefused",
    "ModelError",
    "ModelVectorIndex",
    "NoUsableIndex",
    "NotFound",
    "NotOne",
    "NotUnique",
    "OnDemand",
    "OutcomeUnknown",
    "Page",
    "PageStream",
    "PartiQL",
    "Partition",
    "PlainValue",
    "PlanOutdated",
    "PlanRefused",
    "PoolTimeout",
    "Prices",
    "Problem",
    "Provisioned",
    "Query",
    "Replica",
    "RequestRejected",
    "RowStream",
    "Scan",
    "SchemaConflict",
    "SearchHit",
    "ServerError",
    "ServiceError",
    "Statement",
    "StatementParameter",
    "Statistics",
    "StreamError",
    "Table",
    "TableDescription",
    "TableInUse",
    "TableMismatch",
    "TableNotFound",
    "TableSettings",
    "TableTimeout",
    "Tables",
    "Throttled",
    "Timeouts",
    "TransactGet",
    "Transaction",
    "TransactionCancelled",
    "TransactionConflict",
    "TransactionFailure",
    "TransactionInProgress",
    "TransientConflict",
    "TransportError",
    "Unique",
    "UniqueValues",
    "UnknownItem",
    "UnrecognizedItem",
    "Upcaster",
    "Update",
    "UpdatedAttributes",
    "UsageError",
    "ValidationFailed",
    "VectorAttr",
    "VectorIndex",
    "VectorIndexDescription",
    "VersionConflict",
    "WarmThroughput",
    "access_patterns",
    "attr",
    "created_at",
    "deleted_at",
    "embedded",
    "encrypted",
    "iam_policy",
    "index",
    "make_converter",
    "model",
    "outdated",
    "partition",
    "partition_key",
    "quiet_sdk_logging",
    "sort_key",
    "ttl",
    "unique",
    "upcast",
    "updated_at",
    "vector_index",
    "version",
]


_HOMES: typing.Final = {
    "codec.converter": ("make_converter",),
    "codec.plain": ("PlainValue", "StatementParameter"),
    "database.aggregates": ("Groups",),
    "database.batch_get": ("BatchGet",),
    "database.batch_operations": ("BatchProgress",),
    "database.batch_stream": ("BatchGetStream",),
    "database.batch_write": ("BatchWrite",),
    "database.collection": ("Collection", "Collections"),
    "database.execution": ("Execution", "RowStream"),
    "database.grouped": ("Grouped", "UnknownItem"),
    "database.keyring": ("DataKey", "KeyProvider", "KeyUse", "LocalKeyring"),
    "database.page": ("Page",),
    "database.pages": ("PageStream",),
    "database.partiql": ("PartiQL",),
    "database.reading": ("Query", "Scan"),
    "database.stream": ("ItemStream",),
    "database.tables": ("Tables",),
    "database.transact_get": ("TransactGet",),
    "database.transaction": ("Transaction",),
    "database.updated": ("UpdatedAttributes",),
    "database.vectors": ("SearchHit",),
    "expressions.vectorattr": ("VectorAttr",),
    "model.outdated": ("outdated",),
    "model.settings": ("IndexSettings", "OnDemand", "Provisioned", "Replica", "TableSettings", "WarmThroughput"),
    "plan.explain": ("Explanation",),
    "plan.pattern": ("AccessPattern",),
    "plan.patterns": ("AccessPatterns", "UniqueValues", "access_patterns"),
    "plan.policy": ("iam_policy",),
    "plan.sharing": ("ItemCollection",),
    "plan.statements": ("Statement",),
    "plan.tables": ("IndexDescription", "TableDescription"),
    "plan.vector_tables": ("VectorIndexDescription",),
    "transport.sdk_logging": ("quiet_sdk_logging",),
}
"""Modules that the first calls of a program need not have, with the public names that are in them."""

_LATER: typing.Final = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> typing.Any:  # any of the public names
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
