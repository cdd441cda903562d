"""dynamorm-async: the async-first DynamoDB ORM.

Models are attrs classes; a :class:`Database` reads and writes them. ``import dynamorm_async`` imports neither aiohttp
nor botocore nor cattrs: they come in when something needs them.
"""

from __future__ import annotations

import typing

from dynamorm_async.codec.plain import PlainValue, StatementParameter
from dynamorm_async.database.aggregates import Groups
from dynamorm_async.database.batch_get import BatchGet
from dynamorm_async.database.batch_operations import BatchProgress
from dynamorm_async.database.batch_stream import BatchGetStream
from dynamorm_async.database.batch_write import BatchWrite
from dynamorm_async.database.database import Database
from dynamorm_async.database.execution import Execution, RowStream
from dynamorm_async.database.metering import Meter, Statistics
from dynamorm_async.database.page import Page
from dynamorm_async.database.pages import PageStream
from dynamorm_async.database.partiql import PartiQL
from dynamorm_async.database.reading import Query, Scan
from dynamorm_async.database.stream import ItemStream
from dynamorm_async.database.tables import Tables
from dynamorm_async.database.transact_get import TransactGet
from dynamorm_async.database.transaction import Transaction
from dynamorm_async.database.updated import UpdatedAttributes
from dynamorm_async.errors import (
    AccessDenied,
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
    DuplicateItem,
    DynamormError,
    EndpointUnreachable,
    ExpiredCredentials,
    IdempotentParameterMismatch,
    InvalidExpression,
    InvalidKey,
    InvalidValue,
    ItemCollectionTooLarge,
    ItemExists,
    ItemNotFound,
    ItemTooLarge,
    LimitExceeded,
    ModelError,
    NotFound,
    NotOne,
    NotUnique,
    NoUsableIndex,
    OutcomeUnknown,
    PoolTimeout,
    Problem,
    RequestRejected,
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
    partition_key,
    sort_key,
    ttl,
    updated_at,
    version,
)
from dynamorm_async.model.define import embedded, model
from dynamorm_async.model.index import Index, index
from dynamorm_async.model.key import Key
from dynamorm_async.model.table import GSI, LSI, Table
from dynamorm_async.model.unique import Unique, unique
from dynamorm_async.plan.capacity import Capacity, Prices
from dynamorm_async.plan.choice import Candidate
from dynamorm_async.plan.explain import Explanation
from dynamorm_async.plan.statements import Statement
from dynamorm_async.plan.tables import IndexDescription, OnDemand, Provisioned, TableDescription
from dynamorm_async.transport.base import CredentialProvider, Credentials, Endpoint, Timeouts

if typing.TYPE_CHECKING:
    from dynamorm_async.codec.converter import make_converter

__all__ = [
    "GSI",
    "LSI",
    "NOT_WRITTEN",
    "AccessDenied",
    "Arithmetic",
    "Attr",
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
    "Condition",
    "ConditionFailed",
    "ConfigurationError",
    "Conflict",
    "ConnectionLost",
    "CredentialProvider",
    "Credentials",
    "CredentialsError",
    "CursorError",
    "Database",
    "DatabaseClosed",
    "DecodeError",
    "DuplicateItem",
    "DynamormError",
    "Endpoint",
    "EndpointUnreachable",
    "Execution",
    "ExpiredCredentials",
    "Explanation",
    "Groups",
    "IdempotentParameterMismatch",
    "IfNotExists",
    "Index",
    "IndexDescription",
    "InvalidExpression",
    "InvalidKey",
    "InvalidValue",
    "ItemCollectionTooLarge",
    "ItemExists",
    "ItemNotFound",
    "ItemStream",
    "ItemTooLarge",
    "Key",
    "LimitExceeded",
    "Meter",
    "ModelError",
    "NoUsableIndex",
    "NotFound",
    "NotOne",
    "NotUnique",
    "OnDemand",
    "OutcomeUnknown",
    "Page",
    "PageStream",
    "PartiQL",
    "PlainValue",
    "PoolTimeout",
    "Prices",
    "Problem",
    "Provisioned",
    "Query",
    "RequestRejected",
    "RowStream",
    "Scan",
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
    "Update",
    "UpdatedAttributes",
    "UsageError",
    "ValidationFailed",
    "VersionConflict",
    "attr",
    "created_at",
    "deleted_at",
    "embedded",
    "index",
    "make_converter",
    "model",
    "partition_key",
    "sort_key",
    "ttl",
    "unique",
    "updated_at",
    "version",
]


def __getattr__(name: str) -> typing.Any:  # a public name that costs an import
    if name == "make_converter":
        from dynamorm_async.codec.converter import make_converter  # noqa: PLC0415 - cattrs costs 40 ms

        return make_converter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
