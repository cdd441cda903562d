"""``db.partiql``: PartiQL statements, for what the rest of the library does not say."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, Final, TypeVar, final, overload

import msgspec

from dynamorm_async.codec.plain import Row, StatementParameter
from dynamorm_async.database.access import Send
from dynamorm_async.database.execution import Execution
from dynamorm_async.database.statement_failures import batch_failure, cancellation, is_failure, result_of
from dynamorm_async.database.transacting import send_under_token
from dynamorm_async.database.turns import Turns
from dynamorm_async.errors import TransactionCancelled, UsageError
from dynamorm_async.model.index import Index
from dynamorm_async.model.spec import spec_of
from dynamorm_async.model.table import Table
from dynamorm_async.plan.arguments import check_positive
from dynamorm_async.plan.partiql import (
    batch_execute_statement,
    decode_item,
    decode_responses,
    execute_statement,
    execute_transaction,
    only_reads,
    quoted_table,
)
from dynamorm_async.plan.statements import Statement
from dynamorm_async.types import Request, Sealed

M = TypeVar("M")
R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")

_NOTHING_SEALED: Final = Sealed("", (), frozenset())
"""Of a statement whose rows are read as no model, or as one without encrypted attributes."""


@final
class PartiQL:
    """PartiQL statements of a database. ``db.partiql`` is one.

    The escape hatch: statements go to DynamoDB as they are written, so the lifecycle of models (versions, times, time
    to live) is the caller's business, and so are table prefixes: :meth:`table` gives a table's quoted name. A SELECT
    whose WHERE does not fix the partition key scans the whole table.
    """

    def __init__(self, send: Send, prefix: str, turns: Turns) -> None:
        self._send = send
        self._prefix = prefix
        self._turns = turns

    def _sealed(self, request: Request, statements: Iterable[Statement[Any]]) -> Request:
        """The request, with what is encrypted of the model that each statement's rows are read as."""
        specs = [None if statement.into is None else spec_of(statement.into) for statement in statements]
        found = [() if spec is None else spec.sealed(self._prefix + spec.table.name) for spec in specs]
        if not any(found):
            return request
        return msgspec.structs.replace(request, sealed=tuple(one[0] if one else _NOTHING_SEALED for one in found))

    def table(self, target: type | Table, /, *, index: Index | str | None = None) -> str:
        """The quoted name of a table or index, prefix included: ``"staging-users"."by_email"``. Costs nothing.

        Args:
            target: a model class or a table.
            index: an index of it, or its name.

        Raises:
            UsageError: it is neither a model nor a table, or has no such index.
        """
        return quoted_table(target, index, prefix=self._prefix)

    @overload
    def execute(
        self,
        statement: str,
        /,
        *parameters: StatementParameter,
        into: None = ...,
        consistent: bool = ...,
        limit: int | None = ...,
        page_size: int | None = ...,
        timeout: float | None = ...,
    ) -> Execution[Row]: ...
    @overload
    def execute(
        self,
        statement: str,
        /,
        *parameters: StatementParameter,
        into: type[M],
        consistent: bool = ...,
        limit: int | None = ...,
        page_size: int | None = ...,
        timeout: float | None = ...,
    ) -> Execution[M]: ...
    def execute(
        self,
        statement: str,
        /,
        *parameters: StatementParameter,
        into: Any = None,  # as overloaded
        consistent: bool = False,
        limit: int | None = None,
        page_size: int | None = None,
        timeout: float | None = None,
    ) -> Execution[Any]:
        """One statement: await it for a list of its rows, or iterate it row by row. See :class:`Execution`.

        Args:
            statement: the text, with a ``?`` for each parameter; up to 8192 characters.
            parameters: a value for each ``?``, in order.
            into: the model of the rows; without one they are plain values, attribute name to value.
            consistent: a strongly consistent SELECT: twice the capacity; not for global indexes.
            limit: rows that a SELECT gives in all. Pages are read whole: see ``page_size``.
            page_size: items that a SELECT reads for one page (DynamoDB's ``Limit``, before filters).
            timeout: seconds for the whole statement where it is awaited, for each page where it is iterated.

        Returns:
            The rows: the items of a SELECT, or what RETURNING says; none for other writes.

        Raises:
            UsageError: the text is empty or too long, ``?`` and parameters differ in number, it is an EXISTS, or a write
                has options of SELECT.
            InvalidValue: a parameter that DynamoDB cannot hold.

        Costs one ExecuteStatement a page. A SELECT that was lost is sent again; any other is OutcomeUnknown then.
        """
        record: Statement[Any] = Statement(statement, *parameters, into=into)
        request = self._sealed(execute_statement(record, consistent=consistent, page_size=page_size), [record])
        if limit is not None:
            if record.kind == "write":
                raise UsageError("limit= is for SELECT; this statement writes")
            check_positive(limit, f"limit={limit!r}")
        return Execution(record, request, self._send, self._turns, limit=limit, timeout=timeout)

    @overload
    async def batch(
        self, a: Statement[A], /, *, consistent: bool = ..., timeout: float | None = ...
    ) -> tuple[A | None]: ...
    @overload
    async def batch(
        self, a: Statement[A], b: Statement[B], /, *, consistent: bool = ..., timeout: float | None = ...
    ) -> tuple[A | None, B | None]: ...
    @overload
    async def batch(
        self,
        a: Statement[A],
        b: Statement[B],
        c: Statement[C],
        /,
        *,
        consistent: bool = ...,
        timeout: float | None = ...,
    ) -> tuple[A | None, B | None, C | None]: ...
    @overload
    async def batch(
        self,
        a: Statement[A],
        b: Statement[B],
        c: Statement[C],
        d: Statement[D],
        /,
        *,
        consistent: bool = ...,
        timeout: float | None = ...,
    ) -> tuple[A | None, B | None, C | None, D | None]: ...
    @overload
    async def batch(
        self, /, *statements: Statement[R], consistent: bool = ..., timeout: float | None = ...
    ) -> tuple[R | None, ...]: ...
    async def batch(
        self, /, *statements: Statement[Any], consistent: bool = False, timeout: float | None = None
    ) -> tuple[Any, ...]:  # as overloaded
        """Up to 25 statements in one request: all SELECT, or all writes. Each succeeds or fails by itself.

        Args:
            statements: each about one item; a SELECT fixes the whole key in its WHERE.
            consistent: strongly consistent SELECTs: twice the capacity.
            timeout: seconds for the whole call.

        Returns:
            For each statement, in order, its item: of a SELECT (``None`` where there is none), or of a write what
            RETURNING says (else ``None``).

        Raises:
            BatchStatementsFailed: some statements failed (or an item does not fit its model), and the others were
                executed. Its ``results`` has the item, ``None`` or the error of each, its ``failures`` the errors by
                position. Nothing of it is sent again.
            UsageError: no statements, more than 25, SELECT beside writes, or EXISTS.
            OutcomeUnknown: the answer of writes was lost: each of them may or may not have been applied.

        Costs one BatchExecuteStatement, and the capacity of each statement; failed conditions cost as well.
        """
        request = self._sealed(batch_execute_statement(statements, consistent=consistent), statements)
        response = await self._send(request, timeout)
        responses = decode_responses(request, statements, response.body)
        results = tuple(
            result_of(request, statement, each, response.request_id)
            for statement, each in zip(statements, responses, strict=True)
        )
        if any(map(is_failure, results)):
            raise batch_failure(request, results, response.attempts)
        return results

    @overload
    async def transact(
        self, a: Statement[A], /, *, token: str | None = ..., timeout: float | None = ...
    ) -> tuple[A | None]: ...
    @overload
    async def transact(
        self, a: Statement[A], b: Statement[B], /, *, token: str | None = ..., timeout: float | None = ...
    ) -> tuple[A | None, B | None]: ...
    @overload
    async def transact(
        self,
        a: Statement[A],
        b: Statement[B],
        c: Statement[C],
        /,
        *,
        token: str | None = ...,
        timeout: float | None = ...,
    ) -> tuple[A | None, B | None, C | None]: ...
    @overload
    async def transact(
        self,
        a: Statement[A],
        b: Statement[B],
        c: Statement[C],
        d: Statement[D],
        /,
        *,
        token: str | None = ...,
        timeout: float | None = ...,
    ) -> tuple[A | None, B | None, C | None, D | None]: ...
    @overload
    async def transact(
        self, /, *statements: Statement[R], token: str | None = ..., timeout: float | None = ...
    ) -> tuple[R | None, ...]: ...
    async def transact(
        self, /, *statements: Statement[Any], token: str | None = None, timeout: float | None = None
    ) -> tuple[Any, ...]:  # as overloaded
        """Up to 100 statements, all or nothing: all SELECT, or all writes with EXISTS checks among them.

        Args:
            statements: each about another item; a SELECT fixes the whole key in its WHERE.
            token: 1 to 36 characters that name this transaction of writes: the same statements with the same token are
                applied once within ten minutes, also from another process. By default one is made for this call.
            timeout: seconds for the whole call.

        Returns:
            For each statement, in order, the item of a SELECT (``None`` where there is none); ``None`` for others.

        Raises:
            TransactionCancelled: nothing was written; ``failures`` says which statements failed and why, with the items
                that were there.
            IdempotentParameterMismatch: the token was used before, with other statements.
            UsageError: no statements, more than 100, SELECT beside writes, or a token of another length.
            DecodeError: an item does not fit its model.
            OutcomeUnknown: the answer of writes was lost, again and again; the message has the token.

        Costs one ExecuteTransaction, and twice the capacity of the statements. It is safe to repeat, and is repeated
        with the same token where its answer was lost.
        """
        reads = only_reads(statements)
        if token is None and not reads:
            token = str(uuid.uuid4())  # one for the call: every attempt sends the same
        request = self._sealed(execute_transaction(statements, token=token), statements)
        try:
            if not reads:
                again = f"Send the same statements again with token={token!r}: within ten minutes that is harmless"
                await send_under_token(self._send, request, timeout, again)
                return (None,) * len(statements)  # DynamoDB returns nothing of writes
            response = await self._send(request, timeout)
        except TransactionCancelled as error:
            raise cancellation(request, statements, error) from None
        responses = decode_responses(request, statements, response.body)
        return tuple(
            None if each.get("Item") is None else decode_item(statement, each["Item"])
            for statement, each in zip(statements, responses, strict=True)
        )
