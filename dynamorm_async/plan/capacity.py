"""Consumed capacity, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final, Literal, final

import msgspec

from dynamorm_async.codec.answers import parse_answer
from dynamorm_async.types import Request

Report = Literal["none", "total", "indexes"]
"""What DynamoDB is asked to report: nothing, units of the table, or of the table and each index."""


@final
class Capacity(msgspec.Struct, frozen=True):
    """Capacity units that calls consumed.

    Attributes:
        read: read units.
        write: write units.
        tables: units by table, read and write together.
        indexes: units by ``table/index``, where that was asked for.
        searched_bytes: what vector searches examined; DynamoDB counts these in bytes, apart from all units.
        vector_bytes: what was written to vector indexes, in bytes, where that was asked for.
    """

    read: float = 0.0
    write: float = 0.0
    tables: Mapping[str, float] = msgspec.field(default_factory=dict[str, float])
    indexes: Mapping[str, float] = msgspec.field(default_factory=dict[str, float])
    searched_bytes: float = 0.0
    vector_bytes: float = 0.0

    @property
    def units(self) -> float:
        """Read and write units together."""
        return self.read + self.write

    def __add__(self, other: Capacity) -> Capacity:
        return Capacity(
            self.read + other.read,
            self.write + other.write,
            _merged(self.tables, other.tables),
            _merged(self.indexes, other.indexes),
            self.searched_bytes + other.searched_bytes,
            self.vector_bytes + other.vector_bytes,
        )

    def cost(self, prices: Prices) -> Decimal:
        """What on-demand calls cost, in the currency of the prices."""
        million = Decimal(1_000_000)
        units = Decimal(str(self.read)) * prices.read_per_million + Decimal(str(self.write)) * prices.write_per_million
        searched = Decimal(str(self.searched_bytes)) * prices.search_per_gb
        return units / million + (searched + Decimal(str(self.vector_bytes)) * prices.vector_write_per_gb) / _GB


@final
class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """On-demand prices of a region: see the pricing page of DynamoDB for yours.

    Attributes:
        read_per_million: for a million read request units.
        write_per_million: for a million write request units.
        search_per_gb: for a gigabyte that vector searches examine.
        vector_write_per_gb: for a gigabyte written to vector indexes.
    """

    read_per_million: Decimal
    write_per_million: Decimal
    search_per_gb: Decimal = Decimal(0)
    vector_write_per_gb: Decimal = Decimal(0)


class _Used(msgspec.Struct, frozen=True):
    CapacityUnits: float = 0.0


class _Vectors(msgspec.Struct, frozen=True):
    VectorWriteRequestBytes: float = 0.0


class _Record(msgspec.Struct, frozen=True):
    TableName: str = ""
    CapacityUnits: float = 0.0
    ReadCapacityUnits: float | None = None  # of transactions: one that is repeated by its token reads what it wrote
    WriteCapacityUnits: float | None = None
    LocalSecondaryIndexes: dict[str, _Used] | None = None
    GlobalSecondaryIndexes: dict[str, _Used] | None = None
    VectorIndexes: dict[str, _Vectors] | None = None
    VectorSearchRequestBytes: float = 0.0  # all that a search reports: neither units nor a table


class _Reported(msgspec.Struct, frozen=True):
    ConsumedCapacity: _Record | list[_Record] | None = None


_GB: Final = 1024**3
_READS: Final = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems", "SearchVectors"})
_STATEMENTS: Final = {"BatchExecuteStatement": "Statements", "ExecuteTransaction": "TransactStatements"}


@cache
def _decoder() -> msgspec.json.Decoder[_Reported]:  # made with the first report: most databases ask for none
    return msgspec.json.Decoder(_Reported)


def is_read(request: Request) -> bool:
    """Whether what a request consumes is read units; of PartiQL its first statement tells."""
    if request.operation in _READS:
        return True
    many = _STATEMENTS.get(request.operation)
    if many is None and request.operation != "ExecuteStatement":
        return False
    from dynamorm_async.plan.statements import statement_kind  # noqa: PLC0415 - loaded when first used

    first = request.body if many is None else request.body[many][0]
    return statement_kind(first["Statement"]) == "read"


def reported_capacity(operation: str, body: bytes, *, reads: bool | None = None) -> Capacity | None:
    """What an answer reports, ``None`` where it reports nothing. Passes over the rest of the answer.

    Args:
        operation: what was called.
        body: the answer.
        reads: whether the units are read units (see :func:`is_read`); by default as the operation says.

    Raises:
        DecodeError: the answer is not readable.
    """
    reported: _Record | list[_Record] | None = parse_answer(body, _decoder()).ConsumedCapacity
    return None if reported is None else _capacity(reported, reads=operation in _READS if reads is None else reads)


def parse_capacity(operation: str, raw: Any) -> Capacity:  # JSON: a ConsumedCapacity or a list of them
    """What one answer reports."""
    return _capacity(msgspec.convert(raw, type=_Record | list[_Record]), reads=operation in _READS)


def _capacity(reported: _Record | list[_Record], *, reads: bool) -> Capacity:
    total = Capacity()
    for record in reported if isinstance(reported, list) else (reported,):
        indexes = (record.LocalSecondaryIndexes or {}) | (record.GlobalSecondaryIndexes or {})
        read, write = _units(record, reads=reads)
        total += Capacity(
            read,
            write,
            {record.TableName: record.CapacityUnits} if record.TableName else {},
            {f"{record.TableName}/{index}": used.CapacityUnits for index, used in indexes.items()},
            record.VectorSearchRequestBytes,
            sum(used.VectorWriteRequestBytes for used in (record.VectorIndexes or {}).values()),
        )
    return total


def _units(record: _Record, *, reads: bool) -> tuple[float, float]:
    """Read and write units of a record: as it tells them apart, else all of the one kind."""
    if record.ReadCapacityUnits is not None or record.WriteCapacityUnits is not None:
        return record.ReadCapacityUnits or 0.0, record.WriteCapacityUnits or 0.0
    return (record.CapacityUnits, 0.0) if reads else (0.0, record.CapacityUnits)


def _merged(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    merged = dict(one)
    for name, units in other.items():
        merged[name] = merged.get(name, 0.0) + units
    return merged


def reporting(request: Request, report: Report) -> Request:
    """The same request, asking DynamoDB to report what it consumes."""
    if report == "none" or "ReturnConsumedCapacity" in request.body:
        return request
    return msgspec.structs.replace(request, body={**request.body, "ReturnConsumedCapacity": report.upper()})
