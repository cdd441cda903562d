"""What DynamoDB reports of consumed capacity, added up, and in money."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from dynamorm_async import Capacity, DecodeError, Prices
from dynamorm_async.plan.capacity import Report, is_read, parse_capacity, reported_capacity, reporting
from dynamorm_async.types import Request

REQUEST = Request(operation="Query", body={"TableName": "t"}, table="t")


@pytest.mark.parametrize("operation", ["GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"])
def test_reads(operation: str) -> None:
    """Units of reads are read units."""
    capacity = parse_capacity(operation, {"TableName": "t", "CapacityUnits": 1.5})
    assert capacity == Capacity(read=1.5, tables={"t": 1.5})
    assert capacity.units == 1.5


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"])
def test_writes(operation: str) -> None:
    """Units of writes are write units."""
    assert parse_capacity(operation, {"TableName": "t", "CapacityUnits": 2}) == Capacity(write=2.0, tables={"t": 2.0})


def test_several_tables_and_indexes() -> None:
    """A list of records, with local and global indexes, is added up by table and by index."""
    capacity = parse_capacity(
        "Query",
        [
            {
                "TableName": "t",
                "CapacityUnits": 3.0,
                "Table": {"CapacityUnits": 1.0},
                "LocalSecondaryIndexes": {"l": {"CapacityUnits": 0.5}},
                "GlobalSecondaryIndexes": {"g": {"CapacityUnits": 1.5}},
            },
            {"TableName": "t", "CapacityUnits": 1.0, "GlobalSecondaryIndexes": {"g": {"CapacityUnits": 1.0}}},
            {"TableName": "u", "CapacityUnits": 0.5},
        ],
    )
    assert capacity == Capacity(read=4.5, tables={"t": 4.0, "u": 0.5}, indexes={"t/l": 0.5, "t/g": 2.5})


def test_adding() -> None:
    """Capacities add up without changing each other."""
    one = Capacity(read=1.0, tables={"t": 1.0}, indexes={"t/i": 1.0})
    other = Capacity(read=0.5, write=2.0, tables={"t": 0.5, "u": 2.0})
    assert one + other == Capacity(1.5, 2.0, {"t": 1.5, "u": 2.0}, {"t/i": 1.0})
    assert one == Capacity(1.0, 0.0, {"t": 1.0}, {"t/i": 1.0})
    assert one + Capacity() == one


def test_what_an_answer_reports() -> None:
    """Read from the whole answer; nothing where it reports nothing."""
    body = msgspec.json.encode(
        {"Items": [{"a": {"S": "x"}}], "ConsumedCapacity": {"TableName": "t", "CapacityUnits": 2}}
    )
    assert reported_capacity("Scan", body) == Capacity(read=2.0, tables={"t": 2.0})
    assert reported_capacity("Scan", b'{"Items": []}') is None
    assert reported_capacity("BatchGetItem", b'{"ConsumedCapacity": []}') == Capacity()


def test_an_answer_that_is_not_readable_is_an_error_of_this_library() -> None:
    """What an answer reports is looked at before the items are."""
    with pytest.raises(DecodeError, match="not readable JSON"):
        reported_capacity("GetItem", b'{"Item":{"id":{"S":"a"}}')


def test_money() -> None:
    """Exact in the currency of the prices."""
    prices = Prices(read_per_million=Decimal("0.125"), write_per_million=Decimal("0.625"))
    assert Capacity(read=1_000_000.0, write=2_000_000.0).cost(prices) == Decimal("1.375")
    assert Capacity(read=0.5).cost(prices) == Decimal("0.0000000625")
    assert Capacity().cost(prices) == 0


@pytest.mark.parametrize(("report", "asked"), [("total", "TOTAL"), ("indexes", "INDEXES")])
def test_asking(report: Report, asked: str) -> None:
    """A request asks for a report; one that asks already is left as it is, and none is asked for unasked."""
    assert reporting(REQUEST, report).body == {"TableName": "t", "ReturnConsumedCapacity": asked}
    assert REQUEST.body == {"TableName": "t"}
    assert reporting(REQUEST, "none") is REQUEST
    asking = reporting(REQUEST, "total")
    assert reporting(asking, "indexes") is asking


SELECT, UPDATE = "SELECT * FROM t", "UPDATE t SET n = 1 WHERE pk = 'a'"


BODIES: dict[str, Callable[[str], dict[str, Any]]] = {
    "ExecuteStatement": lambda text: {"Statement": text},
    "BatchExecuteStatement": lambda text: {"Statements": [{"Statement": text}]},
    "ExecuteTransaction": lambda text: {"TransactStatements": [{"Statement": text}]},
}


@pytest.mark.parametrize("operation", BODIES)
def test_statements_say_whether_they_read(operation: str) -> None:
    """Units of PartiQL are read units where the statements are SELECT, else write units."""
    answer = msgspec.json.encode({"ConsumedCapacity": [{"TableName": "t", "CapacityUnits": 2}]})
    for text, capacity in (
        (SELECT, Capacity(read=2.0, tables={"t": 2.0})),
        (UPDATE, Capacity(write=2.0, tables={"t": 2.0})),
    ):
        reads = is_read(Request(operation=operation, body=BODIES[operation](text)))
        assert reported_capacity(operation, answer, reads=reads) == capacity


def test_units_that_are_told_apart() -> None:
    """Transactions report read and write units by name; one that is repeated by its token only reads."""
    record = {"TableName": "t", "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0}
    assert parse_capacity("TransactWriteItems", [record]) == Capacity(read=4.0, tables={"t": 4.0})
    record = {"TableName": "t", "CapacityUnits": 4.0, "WriteCapacityUnits": 4.0}
    assert parse_capacity("TransactWriteItems", [record]) == Capacity(write=4.0, tables={"t": 4.0})


def test_other_requests_read_by_their_operation() -> None:
    """The operation's name is enough."""
    assert is_read(REQUEST)
    assert not is_read(Request(operation="PutItem", body={}))


def test_a_search_reports_bytes() -> None:
    """Neither units nor a table: DynamoDB counts what a vector search examined apart from everything else."""
    body = b'{"SearchResults": [], "ConsumedCapacity": {"VectorSearchRequestBytes": 61484.0}}'
    assert reported_capacity("SearchVectors", body) == Capacity(searched_bytes=61484.0)
    assert is_read(Request(operation="SearchVectors", body={"TableName": "t"}, table="t"))


def test_a_write_reports_what_went_to_vector_indexes() -> None:
    """All vector indexes together, beside the units of the table and its other indexes."""
    record = {
        "TableName": "t",
        "CapacityUnits": 1.0,
        "Table": {"CapacityUnits": 1.0},
        "VectorIndexes": {"one": {"VectorWriteRequestBytes": 1024.0}, "two": {"VectorWriteRequestBytes": 2048.0}},
    }
    assert parse_capacity("PutItem", record) == Capacity(write=1.0, tables={"t": 1.0}, vector_bytes=3072.0)


def test_bytes_are_added_up_and_cost_by_the_gigabyte() -> None:
    """Prices without them leave them out."""
    used = Capacity(read=1_000_000, searched_bytes=2**30) + Capacity(searched_bytes=2**30, vector_bytes=2**29)
    assert (used.searched_bytes, used.vector_bytes) == (2**31, 2**29)
    units = {"read_per_million": Decimal("0.125"), "write_per_million": Decimal(1)}
    assert used.cost(Prices(**units)) == Decimal("0.125")
    prices = Prices(**units, search_per_gb=Decimal("0.002"), vector_write_per_gb=Decimal("0.5"))
    assert used.cost(prices) == Decimal("0.379")
