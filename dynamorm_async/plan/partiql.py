"""PartiQL statements to requests, and answers to rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar, cast

import msgspec

from dynamorm_async.codec.answers import answer_json
from dynamorm_async.codec.page import PageContent
from dynamorm_async.codec.plain import decode_row
from dynamorm_async.codec.rows import raw_page
from dynamorm_async.errors import BadResponse, UsageError
from dynamorm_async.model.index import Index
from dynamorm_async.model.partition import named_index
from dynamorm_async.model.spec import spec_of
from dynamorm_async.model.table import Table
from dynamorm_async.plan.arguments import check_positive, check_token
from dynamorm_async.plan.statements import Statement, check_together
from dynamorm_async.plan.transactions import MAX_ACTIONS
from dynamorm_async.types import Request

R = TypeVar("R")


class _Next(msgspec.Struct, frozen=True):
    NextToken: str | None = None


_NEXT: Final = msgspec.json.Decoder(_Next)

MAX_BATCH: Final = 25


def execute_statement(statement: Statement[Any], *, consistent: bool, page_size: int | None) -> Request:
    """ExecuteStatement. Only SELECT can be repeated: after any other the table is another one.

    Raises:
        UsageError: EXISTS, which stands in transactions only, or an option of SELECT for a write.
    """
    _refuse_check(statement, "execute")
    if statement.kind == "write" and (consistent or page_size is not None):
        raise UsageError("consistent= and page_size= are for SELECT; this statement writes")
    body = _parametrised(statement, consistent=consistent)
    if page_size is not None:
        body["Limit"] = check_positive(page_size, f"page_size={page_size!r}")
    return Request(
        operation="ExecuteStatement",
        body=body,
        repeatable=statement.kind == "read",
        only_reads=statement.kind == "read",
    )


def batch_execute_statement(statements: tuple[Statement[Any], ...], *, consistent: bool) -> Request:
    """BatchExecuteStatement; repeatable only where all are SELECT.

    Raises:
        UsageError: none, more than 25, reads beside writes, EXISTS, or consistent writes.
    """
    check_together(statements, most=MAX_BATCH, what="batch")
    for statement in statements:
        _refuse_check(statement, "batch")
        if consistent and statement.kind == "write":
            raise UsageError("consistent= is for SELECT; this batch writes")
    body = {"Statements": [_parametrised(statement, consistent=consistent) for statement in statements]}
    reads = all(statement.kind == "read" for statement in statements)
    return Request(operation="BatchExecuteStatement", body=body, repeatable=reads, only_reads=reads)


def execute_transaction(statements: tuple[Statement[Any], ...], *, token: str | None) -> Request:
    """ExecuteTransaction. By its token DynamoDB knows a repeated one for ten minutes; reads repeat without one.

    Raises:
        UsageError: none, more than 100, reads beside writes, or a token that is not 1 to 36 characters.
    """
    check_together(statements, most=MAX_ACTIONS, what="transact")
    body: dict[str, Any] = {"TransactStatements": [_parametrised(statement) for statement in statements]}
    if token is not None:
        body["ClientRequestToken"] = check_token(token)
    reads = only_reads(statements)
    return Request(operation="ExecuteTransaction", body=body, repeatable=token is not None or reads, only_reads=reads)


def only_reads(statements: Sequence[Statement[Any]]) -> bool:
    """Whether all of them are SELECT."""
    return all(statement.kind == "read" for statement in statements)


def _parametrised(statement: Statement[Any], *, consistent: bool = False) -> dict[str, Any]:
    body: dict[str, Any] = {"Statement": statement.text}
    if statement.values:
        body["Parameters"] = list(statement.values)
    if consistent:
        body["ConsistentRead"] = True
    if statement.kind in ("write", "check"):
        body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return body


def _refuse_check(statement: Statement[Any], what: str) -> None:
    """Refuse EXISTS outside of a transaction.

    Raises:
        UsageError: it is one.
    """
    if statement.kind == "check":
        raise UsageError(f"{what}() of EXISTS, which stands in transactions only: pass it to db.partiql.transact()")


# --- answers --------------------------------------------------------------------------------------


def decode_rows(statement: Statement[R], body: bytes) -> list[R]:
    """The items of an ExecuteStatement's answer.

    Raises:
        DecodeError: an item does not fit the model, or the answer is not readable.
    """
    if statement.kind != "read" and b'"Items"' not in body:
        return []  # what writes return nothing in
    return page_decoder(statement)(body).items


def page_decoder(statement: Statement[R]) -> Callable[[bytes], PageContent[R]]:
    """What decodes the answers of an ExecuteStatement that have items; raises as :func:`decode_rows`."""
    if statement.into is not None:
        return spec_of(statement.into).reader.decode_page
    return partial(raw_page, make=partial(decode_item, statement))


def decode_item(statement: Statement[R], raw: Mapping[str, Any]) -> R:
    """One item as what the statement returns.

    Raises:
        DecodeError: it does not fit the model.
    """
    if statement.into is not None:
        return spec_of(statement.into).reader.decode(raw)
    return cast("R", decode_row(raw))  # a statement without a model returns plain values


def next_request(request: Request, body: bytes) -> Request | None:
    """The request of the page after an answer; ``None`` after the last one.

    Raises:
        BadResponse: the answer repeats the token of its own request, so reading would never end.
    """
    token = _NEXT.decode(body).NextToken  # passes over the items, which were decoded before
    if not token:
        return None
    if token == request.body.get("NextToken"):
        raise BadResponse(
            "a page ended at the token with which it began: the endpoint does not page correctly",
            operation=request.operation,
            table=request.table,
            sent=True,
        )
    return msgspec.structs.replace(request, body={**request.body, "NextToken": token})


def decode_responses(request: Request, statements: Sequence[Statement[Any]], body: bytes) -> list[dict[str, Any]]:
    """What an answer says of each statement, in order.

    Raises:
        BadResponse: not one response for each statement, so that it is not known whose they are.
        DecodeError: the answer is not readable.
    """
    responses: list[dict[str, Any]] = answer_json(body).get("Responses") or []
    if len(responses) != len(statements):
        raise BadResponse(
            f"the answer has {len(responses)} responses to {len(statements)} statements",
            operation=request.operation,
            table=request.table,
            sent=True,
        )
    return responses


# --- names ----------------------------------------------------------------------------------------


def quoted_table(target: type | Table, index: Index | str | None, *, prefix: str) -> str:
    """The name of a table, or of one of its indexes, as a statement takes it.

    Raises:
        UsageError: the target is neither a model nor a table, or has no such index.
    """
    table = target if isinstance(target, Table) else spec_of(target).table
    quoted = _quoted(prefix + table.name)
    if index is None:
        return quoted
    return f"{quoted}.{_quoted(named_index(table, index).name)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
