"""PartiQL requests and answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dynamorm_async import (
    GSI,
    Attr,
    BadResponse,
    DecodeError,
    Statement,
    Table,
    UsageError,
    attr,
    index,
    model,
    partition_key,
)
from dynamorm_async.plan.partiql import (
    batch_execute_statement,
    decode_responses,
    decode_rows,
    execute_statement,
    execute_transaction,
    next_request,
    quoted_table,
)

SELECT = 'SELECT * FROM "users" WHERE org = ?'
UPDATE = 'UPDATE "users" SET age = ? WHERE org = ?'
EXISTS = "EXISTS(SELECT * FROM \"users\" WHERE org = 'a')"


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    age: Attr[int] = attr(default=0)
    email: Attr[str] = attr(default="x")

    by_email = index(partition="email", name="email-index")


def body(**answer: Any) -> bytes:
    return json.dumps(answer).encode()


def test_a_select() -> None:
    """Can be repeated; options are sent only where they were given; no parameters, no list of them."""
    request = execute_statement(Statement(SELECT, "a"), consistent=False, page_size=None)
    assert (request.operation, request.repeatable) == ("ExecuteStatement", True)
    assert request.body == {"Statement": SELECT, "Parameters": [{"S": "a"}]}
    request = execute_statement(Statement('SELECT * FROM "users"'), consistent=True, page_size=10)
    assert request.body == {"Statement": 'SELECT * FROM "users"', "ConsistentRead": True, "Limit": 10}


@pytest.mark.parametrize(
    "text", [UPDATE, "INSERT INTO users VALUE {'a': ?, 'org': ?}", "DELETE FROM u WHERE a=? AND b=?"]
)
def test_a_write(text: str) -> None:
    """Is not safe to repeat, and asks for the item that was there where a condition fails."""
    request = execute_statement(Statement(text, 1, "a"), consistent=False, page_size=None)
    assert not request.repeatable
    assert request.body["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"


def test_what_is_not_known_is_left_to_dynamodb() -> None:
    """A word of the future is sent, and not repeated."""
    request = execute_statement(Statement("MERGE INTO users"), consistent=True, page_size=1)
    assert not request.repeatable
    assert request.body == {"Statement": "MERGE INTO users", "ConsistentRead": True, "Limit": 1}
    assert not batch_execute_statement((Statement("MERGE INTO users"),), consistent=False).repeatable


def test_options_of_select_are_refused_for_writes() -> None:
    """DynamoDB would pass over them, or refuse."""
    with pytest.raises(UsageError, match="are for SELECT"):
        execute_statement(Statement(UPDATE, 1, "a"), consistent=True, page_size=None)
    with pytest.raises(UsageError, match="are for SELECT"):
        execute_statement(Statement(UPDATE, 1, "a"), consistent=False, page_size=3)
    with pytest.raises(UsageError, match="consistent= is for SELECT"):
        batch_execute_statement((Statement(UPDATE, 1, "a"),), consistent=True)
    with pytest.raises(UsageError, match=r"page_size=0: a whole number of 1 or more"):
        execute_statement(Statement(SELECT, "a"), consistent=False, page_size=0)


def test_exists_stands_in_transactions_only() -> None:
    """It is refused by itself and in batches; a transaction takes it among writes."""
    with pytest.raises(UsageError, match=r"execute\(\) of EXISTS.*transact"):
        execute_statement(Statement(EXISTS), consistent=False, page_size=None)
    with pytest.raises(UsageError, match=r"batch\(\) of EXISTS.*transact"):
        batch_execute_statement((Statement(EXISTS),), consistent=False)
    request = execute_transaction((Statement(UPDATE, 1, "a"), Statement(EXISTS)), token="t")
    assert [entry["ReturnValuesOnConditionCheckFailure"] for entry in request.body["TransactStatements"]] == [
        "ALL_OLD",
        "ALL_OLD",
    ]


def test_a_batch() -> None:
    """Repeatable where all are reads; each statement has its own parameters and options."""
    reads = batch_execute_statement((Statement(SELECT, "a"), Statement(SELECT, "b")), consistent=True)
    assert (reads.operation, reads.repeatable) == ("BatchExecuteStatement", True)
    assert reads.body == {
        "Statements": [
            {"Statement": SELECT, "Parameters": [{"S": value}], "ConsistentRead": True} for value in ("a", "b")
        ]
    }
    assert not batch_execute_statement((Statement(UPDATE, 1, "a"),), consistent=False).repeatable


def test_a_transaction() -> None:
    """Writes are repeatable by their token only; reads need none."""
    writes = execute_transaction((Statement(UPDATE, 1, "a"),), token="t" * 36)
    assert (writes.operation, writes.repeatable) == ("ExecuteTransaction", True)
    assert writes.body["ClientRequestToken"] == "t" * 36
    assert not execute_transaction((Statement(UPDATE, 1, "a"),), token=None).repeatable
    reads = execute_transaction((Statement(SELECT, "a"),), token=None)
    assert reads.repeatable
    assert reads.body == {"TransactStatements": [{"Statement": SELECT, "Parameters": [{"S": "a"}]}]}


@pytest.mark.parametrize("token", ["", "t" * 37])
def test_a_token_has_1_to_36_characters(token: str) -> None:
    """DynamoDB's own bounds."""
    with pytest.raises(UsageError, match="a text of 1 to 36 characters"):
        execute_transaction((Statement(UPDATE, 1, "a"),), token=token)


def test_how_many_go_together() -> None:
    """1 to 25 in a batch, 1 to 100 in a transaction."""
    one = Statement(SELECT, "a")
    assert len(batch_execute_statement((one,) * 25, consistent=False).body["Statements"]) == 25
    assert len(execute_transaction((one,) * 100, token=None).body["TransactStatements"]) == 100
    for number in (0, 26):
        with pytest.raises(UsageError, match=rf"batch\(\) with {number} statements: DynamoDB takes 1 to 25"):
            batch_execute_statement((one,) * number, consistent=False)
    for number in (0, 101):
        with pytest.raises(UsageError, match=rf"transact\(\) with {number} statements: DynamoDB takes 1 to 100"):
            execute_transaction((one,) * number, token=None)


def test_reads_and_writes_do_not_go_together() -> None:
    """DynamoDB refuses them in one request."""
    mixed = (Statement(SELECT, "a"), Statement(UPDATE, 1, "a"))
    with pytest.raises(UsageError, match="all reads or all writes"):
        batch_execute_statement(mixed, consistent=False)
    with pytest.raises(UsageError, match="all reads or all writes"):
        execute_transaction(mixed, token=None)


def test_only_statements_go_together() -> None:
    """A plain text is refused with what to write."""
    wrong: Any = SELECT
    with pytest.raises(UsageError, match=r"transact\(\) takes Statement\(\.\.\.\) records, got 'SELECT"):
        execute_transaction((wrong,), token=None)


def test_rows_of_an_answer() -> None:
    """Models where one is named, else plain values; no items, no rows."""
    answer = body(Items=[{"org": {"S": "a"}, "age": {"N": "3"}}])
    (user,) = decode_rows(Statement("SELECT 1", into=User), answer)
    assert (user.org, user.age, user.email) == ("a", 3, "x")
    assert decode_rows(Statement("SELECT 1"), answer) == [{"org": "a", "age": 3}]
    assert decode_rows(Statement("SELECT 1"), body(Items=[])) == []
    assert decode_rows(Statement("SELECT 1", into=User), body(Items=[])) == []
    assert decode_rows(Statement("DELETE FROM users WHERE 1", into=User), b"{}") == []


def test_rows_that_do_not_fit() -> None:
    """The error names the model and what is wrong; an unreadable answer is a DecodeError as well."""
    with pytest.raises(DecodeError, match="org: is missing"):
        decode_rows(Statement("SELECT 1", into=User), body(Items=[{"age": {"N": "3"}}]))
    for statement in (Statement("SELECT 1", into=User), Statement("SELECT 1")):
        with pytest.raises(DecodeError, match="not readable JSON"):
            decode_rows(statement, b"{]}")


def test_the_next_page() -> None:
    """The same request with the token; none after the last page; a token that repeats itself is no paging."""
    request = execute_statement(Statement(SELECT, "a"), consistent=False, page_size=2)
    following = next_request(request, body(Items=[], NextToken="n1"))
    assert following is not None
    assert following.repeatable
    assert following.body == {**request.body, "NextToken": "n1"}
    assert next_request(following, body(Items=[])) is None
    with pytest.raises(BadResponse, match="does not page correctly"):
        next_request(following, body(NextToken="n1"))


def test_each_statement_has_its_response() -> None:
    """An answer that leaves some out says of none whose it is."""
    request = execute_transaction((Statement(SELECT, "a"),), token=None)
    assert decode_responses(request, [Statement(SELECT, "a")], body(Responses=[{}])) == [{}]
    for answer in (body(), body(Responses=[]), body(Responses=[{}, {}])):
        with pytest.raises(BadResponse, match="responses to 1 statements"):
            decode_responses(request, [Statement(SELECT, "a")], answer)


def test_names_are_quoted() -> None:
    """With prefix and index; a quote in a name is doubled."""
    table = Table("shop", partition_key="pk", indexes=[GSI("by_x", "x")])
    assert quoted_table(User, None, prefix="") == '"users"'
    assert quoted_table(User, User.by_email, prefix="staging-") == '"staging-users"."email-index"'
    assert quoted_table(table, "by_x", prefix='a"b-') == '"a""b-shop"."by_x"'
    with pytest.raises(UsageError, match="table users has no index 'by_email'; it has email-index"):
        quoted_table(User, "by_email", prefix="")
    with pytest.raises(UsageError, match=r"has no index .x.; it has none"):
        quoted_table(Table("shop", partition_key="pk"), "x", prefix="")
    with pytest.raises(UsageError, match="is not a model"):
        quoted_table(int, None, prefix="")
