"""Every error that this library raises, in one tree.

::

    DynamormError
    ├── UsageError                  your mistake; raised before any I/O, says what to write instead
    │   ├── ModelError              a model's declaration (class, attribute, fix)
    │   ├── InvalidKey              a key value is missing, empty, too long or of the wrong type
    │   ├── InvalidValue            a value that DynamoDB cannot store (NaN, 39 digits, naive datetime …)
    │   ├── InvalidExpression       a condition or update that DynamoDB would refuse
    │   ├── ItemTooLarge            over 400 KB
    │   ├── NoUsableIndex           a query that only a scan could answer
    │   ├── ConfigurationError      region, endpoint, lane, profile, CA bundle
    │   ├── MigrationInvalid        files of migrations that cannot be run as they stand
    │   └── DatabaseClosed          a call after the database was closed
    ├── CursorError                 a page cursor that is not this query's, was changed, or has expired
    ├── NotOne                      one(): no item, or more than one
    ├── CredentialsError            no credentials, or they could not be refreshed
    ├── DecodeError                 an item that does not fit its model; lists every wrong attribute
    ├── TableTimeout                a table did not become active, or was not gone, in time
    ├── TableMismatch               a table in DynamoDB is not what the model declares
    ├── BackfillMismatch            a backfill of this name was begun with other settings
    ├── BackfillFailed              a backfill that left items as they were; carries their keys and why
    ├── PlanRefused                 schema: what DynamoDB cannot do to a table, or was not allowed
    ├── PlanOutdated                schema: a table changed since the plan was made
    ├── BackupRefused               schema: a backup's table is there already, or the copy is not whole
    ├── LeaseHeld                   somebody else holds the lease
    ├── LeaseLost                   the lease is not held any more
    ├── MigrationRefused            migrations: the files and the ledger do not fit; nothing was run
    ├── MigrationFailed             a migration raised; what it has done is in the ledger
    ├── FileError                   a file of items that is cut, changed, or of something else
    ├── ImportFailed                an import that stopped; carries what was written and where to go on
    ├── JobFailed, JobTimeout       an export to S3 or an import from it that failed, or takes longer
    └── CallError                   one call failed; carries operation, table, attempts
        ├── TransportError          no whole answer came from DynamoDB
        │   ├── EndpointUnreachable no connection: DNS, refused, TLS, connect timeout
        │   ├── ConnectionLost      the connection broke before the whole answer was there
        │   ├── CallTimeout         the answer, or the whole call, took too long
        │   ├── PoolTimeout         no free connection in time
        │   └── BadResponse         an answer that is not DynamoDB's: HTML, redirect, wrong CRC32, cut JSON
        ├── OutcomeUnknown          a write that may or may not have been applied
        ├── BatchStatementsFailed   some statements of a PartiQL batch failed; the others were executed
        ├── BatchGetFailed          batch_get: what arrived, and what did not
        ├── BatchWriteFailed        a batch that was not written whole; carries the report
        └── ServiceError            DynamoDB said no; carries code, status, request id
            ├── ConditionFailed     with the item that was there
            │   ├── ItemExists      create: the key is taken
            │   ├── ItemNotFound    update, save: there is no such item
            │   ├── VersionConflict somebody else wrote since this version was read
            │   ├── SchemaConflict  the item is of an older or newer schema than the write
            │   └── NotUnique       the value of a unique attribute is taken
            ├── TransactionCancelled  with a failure for each operation that failed
            ├── Throttled, TableNotFound, TableInUse, AccessDenied, ValidationFailed, …
            └── (an unknown code falls back by HTTP status: RequestRejected for 4xx, ServerError for 5xx)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, final

import msgspec

if TYPE_CHECKING:
    from datetime import datetime


def _restored(kind: type[DynamormError], arguments: tuple[object, ...], state: dict[str, Any]) -> DynamormError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


class DynamormError(Exception):
    """The root of every error of this library. Each can be copied and pickled, with the facts that it carries."""

    def __reduce__(self) -> tuple[Any, ...]:  # what object.__reduce__ returns
        # Exception's own way calls the class with the message alone, which misses the keyword arguments.
        return _restored, (type(self), self.args, self.__dict__)


# --- your mistake -----------------------------------------------------------------------------


class UsageError(DynamormError):
    """The call cannot work as written. Raised before any I/O."""


class ModelError(UsageError):
    """A model, embedded class or table declaration is wrong. The message names class, attribute and fix."""


class InvalidKey(UsageError):
    """A key value is missing, empty, too long, or of a type that does not match the key attribute."""


class InvalidValue(UsageError):
    """A value that DynamoDB cannot hold, or that does not match its attribute's type."""


class InvalidExpression(UsageError):
    """A condition, update or projection that DynamoDB would refuse."""


class ItemTooLarge(UsageError):
    """An item of more than 400 KB.

    Attributes:
        size: the item's size in bytes, by DynamoDB's rules.
    """

    def __init__(self, message: str, *, size: int) -> None:
        super().__init__(message)
        self.size = size


class NoUsableIndex(UsageError):
    """No table key or index can answer the query; the message says which condition or index would."""


class ConfigurationError(UsageError):
    """A region, endpoint, lane, profile or CA bundle that is missing or cannot be used."""


class DatabaseClosed(UsageError):
    """The database was closed before this call was made."""


class MigrationInvalid(UsageError):
    """Files of migrations cannot be run as they stand: names, numbers, or what is in them.

    Attributes:
        reasons: one sentence for each; each names its file.
    """

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        lines = "".join(f"\n  {reason}" for reason in self.reasons)
        super().__init__(f"the migrations cannot be run as they stand:{lines}")


# --- everything else that is not one failed call ----------------------------------------------


class CursorError(DynamormError):
    """A cursor that is not one, was changed, has expired, or belongs to another query. Begin at the first page."""


class NotOne(DynamormError):
    """``one()``: there was no item, or more than one.

    Attributes:
        found: 0, or 2 for more than one.
    """

    def __init__(self, message: str, *, found: int) -> None:
        super().__init__(message)
        self.found = found


class CredentialsError(DynamormError):
    """AWS credentials were not found, or could not be refreshed."""


class Problem:
    """One attribute that does not fit: its path in the item and what is wrong with it."""

    __slots__ = ("message", "path")

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        self.message = message

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"

    def __repr__(self) -> str:
        return f"Problem({self.path!r}, {self.message!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problem) and (self.path, self.message) == (other.path, other.message)

    def __hash__(self) -> int:
        return hash((self.path, self.message))


OF_ANSWER: Final = "of the answer"
"""What a :class:`DecodeError` says in the place of a model, where not an item but the answer around it is wrong."""


class DecodeError(DynamormError):
    """An item in the table does not fit its model.

    Attributes:
        model: the model's name.
        key: the item's key attributes as plain values (empty where the item had none).
        problems: every attribute that does not fit, as path and message.
    """

    _misfit = "does not fit model"

    def __init__(self, model: str, key: Mapping[str, object], problems: Sequence[Problem]) -> None:
        self.model = model
        self.key = dict(key)
        self.problems = tuple(problems)
        where = ", ".join(f"{name}={value!r}" for name, value in self.key.items()) or "without a key"
        lines = "".join(f"\n  {problem}" for problem in self.problems)
        wrong = f"the item {where} {self._misfit} {model}"
        if model == OF_ANSWER:
            wrong = "the shape of the answer is not DynamoDB's"
        super().__init__(f"{wrong}:{lines}")
        # What a parser said on the way quotes values, of secret attributes as well: a trace must not print it.
        self.__suppress_context__ = True


class DecryptError(DecodeError):
    """An encrypted attribute could not be decrypted, or holds what was never encrypted. No value is in the message.

    It was changed, or copied from another item, attribute or table; its key is not known to ``Database(keys=...)``; or it was
    written before the attribute was ``encrypted()``.
    """

    _misfit = "cannot be decrypted as model"


class UnrecognizedItem(DecodeError):
    """An item of a collection is of no model that is known: another program's, or of a model that is not imported.

    Attributes:
        model: the name of the table.
        type: what its discriminator says; ``None`` where it has none.
    """

    _misfit = "is of no model that lives in table"
    type: str | None = None


class TableTimeout(DynamormError):
    """A table did not reach the wanted state in time. The request itself was accepted.

    Attributes:
        table: the table's name.
        status: the last status seen.
    """

    def __init__(self, message: str, *, table: str, status: str) -> None:
        super().__init__(message)
        self.table = table
        self.status = status


class TableMismatch(DynamormError):
    """A table exists, but is not what the model or :class:`Table` declares.

    Attributes:
        table: the table's name.
        differences: one sentence for each difference.
    """

    def __init__(self, table: str, differences: Sequence[str]) -> None:
        self.table = table
        self.differences = tuple(differences)
        lines = "".join(f"\n  {difference}" for difference in self.differences)
        super().__init__(f"table {table} is not what is declared:{lines}")


class PlanRefused(DynamormError):
    """A plan holds what DynamoDB cannot do to a table, or what it was not allowed. Nothing was changed.

    Attributes:
        reasons: one sentence for each refusal; each names its table.
    """

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        lines = "".join(f"\n  {reason}" for reason in self.reasons)
        super().__init__(f"the plan cannot be applied, and nothing was changed:{lines}")


class PlanOutdated(DynamormError):
    """A table changed since the plan was made: what would take something away now was not in the plan. Plan again.

    Attributes:
        table: the table's name.
        reasons: one sentence for each step that came up.
    """

    def __init__(self, table: str, reasons: Sequence[str]) -> None:
        self.table = table
        self.reasons = tuple(reasons)
        lines = "".join(f"\n  {reason}" for reason in self.reasons)
        super().__init__(
            f"table {table} changed since the plan was made; make a new plan, which would now hold:{lines}"
        )


class BackupRefused(DynamormError):
    """A backup cannot be made: its table is there already, or the copy is not what was copied. Nothing was overwritten.

    Attributes:
        table: the table that was to be backed up.
    """

    def __init__(self, message: str, *, table: str) -> None:
        super().__init__(message)
        self.table = table


class LeaseHeld(DynamormError):
    """Somebody else holds the lease, and still did when the time to wait was over.

    Attributes:
        name: the lease's name.
        owner: who holds it.
        token: the holder's fencing token.
        acquired: when the holder acquired it, by the clock of its machine; ``None`` where it has not written that down.
        renewed: when the holder renewed it last, by that clock as well.
        watched: for how many seconds it was seen here without a renewal. It is taken over after its whole duration.
    """

    def __init__(
        self,
        message: str,
        *,
        name: str,
        owner: str,
        token: int,
        acquired: datetime | None,
        renewed: datetime,
        watched: float,
    ) -> None:
        super().__init__(message)
        self.name = name
        self.owner = owner
        self.token = token
        self.acquired = acquired
        self.renewed = renewed
        self.watched = watched


class LeaseLost(DynamormError):
    """The lease is not held any more: it could not be renewed in time, or somebody else has taken it.

    Attributes:
        name: the lease's name.
        token: the fencing token that is not good any more.
    """

    def __init__(self, message: str, *, name: str, token: int) -> None:
        super().__init__(message)
        self.name = name
        self.token = token


class MigrationRefused(DynamormError):
    """The files of migrations and the ledger of what was applied do not fit, or a file cannot be loaded. Nothing was run.

    Attributes:
        reasons: one sentence for each refusal; each names its migration and says what to do.
    """

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        lines = "".join(f"\n  {reason}" for reason in self.reasons)
        super().__init__(f"no migration was run:{lines}")


class MigrationFailed(DynamormError):
    """A migration raised; the exception is the ``__cause__``. What it has done stays done, and is in the ledger.

    Attributes:
        number: the migration's number.
        name: the name of its file, without ``.py``.
        direction: what it was at: ``up`` or ``down``.
        step: the step that raised; ``None`` where it was none.
        steps: the steps that are done, which the next run passes over.
    """

    def __init__(
        self,
        message: str,
        *,
        number: int,
        name: str,
        direction: Literal["up", "down"],
        step: str | None = None,
        steps: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.number = number
        self.name = name
        self.direction = direction
        self.step = step
        self.steps = tuple(steps)


class FileError(DynamormError):
    """A file of items is not what it should be: cut, changed, of another format or of other models.

    Attributes:
        file: its name, where it has one.
        line: the line that it was noticed at, from 1; ``None`` where it concerns the whole file.
    """

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        where = ", ".join([*([] if file is None else [file]), *([] if line is None else [f"line {line}"])])
        super().__init__(f"{where}: {message}" if where else message)
        self.file = file
        self.line = line


class ImportFailed(DynamormError):
    """An import has stopped before its end. ``__cause__`` is what stopped it.

    Attributes:
        result: what became of the lines before, an ``ImportResult``; ``import_items(..., start_at=error.result.next_line)``
            goes on from there.
    """

    def __init__(self, message: str, *, result: Any) -> None:  # a record of a layer above
        super().__init__(message)
        self.result = result


class JobFailed(DynamormError):
    """DynamoDB could not finish an export to S3 or an import from it.

    Attributes:
        arn: the job.
        code: DynamoDB's code of the failure, for example ``S3NoSuchBucket``.
        reason: its message.
    """

    def __init__(self, message: str, *, arn: str, code: str, reason: str) -> None:
        super().__init__(message)
        self.arn = arn
        self.code = code
        self.reason = reason


class JobTimeout(DynamormError):
    """A job of DynamoDB's has not ended in time. It goes on: wait again.

    Attributes:
        arn: the job.
        status: the last status seen.
    """

    def __init__(self, message: str, *, arn: str, status: str) -> None:
        super().__init__(message)
        self.arn = arn
        self.status = status


# --- one call failed --------------------------------------------------------------------------


class BackfillMismatch(DynamormError):
    """A backfill of this name was begun with other settings, so its checkpoints are not of this one.

    Attributes:
        name: the backfill's name.
        differences: one sentence for each setting that differs.
    """

    def __init__(self, name: str, differences: Sequence[str]) -> None:
        self.name = name
        self.differences = tuple(differences)
        lines = "".join(f"\n  {difference}" for difference in self.differences)
        super().__init__(f"the backfill {name!r} was begun with other settings: use another name, or reset() it{lines}")


@final
class BackfillFailure(msgspec.Struct, frozen=True):
    """One item that a backfill could not bring up to date, and left as it was.

    Attributes:
        key: the item's key attributes by their names in DynamoDB, as plain values.
        kind: the name of the exception's class.
        message: what the exception said.
    """

    key: Mapping[str, object]
    kind: str
    message: str

    def __str__(self) -> str:
        where = ", ".join(f"{name}={value!r}" for name, value in self.key.items())
        return f"the item {where}: {self.kind}: {self.message}"


class BackfillFailed(DynamormError):
    """A backfill left items as they were, or could not go on. What it has done stays done: run it again to try those again.

    Attributes:
        name: the backfill's name.
        failures: the items, and what was wrong with each.
        result: the counts, where all the other items are done (a ``BackfillResult``); ``None`` where it ended before.
    """

    def __init__(
        self, message: str, *, name: str, failures: Sequence[BackfillFailure] = (), result: Any = None
    ) -> None:
        self.name = name
        self.failures = tuple(failures)
        self.result = result  # of a layer that this one does not know
        shown = "".join(f"\n  {failure}" for failure in self.failures[:10])
        more = f"\n  … {len(self.failures) - 10} more" if len(self.failures) > 10 else ""  # noqa: PLR2004 - as shown above
        super().__init__(f"{message}{shown}{more}")


class CallError(DynamormError):
    """One call to DynamoDB failed.

    Attributes:
        operation: the DynamoDB operation, for example ``GetItem``.
        table: the table's name, where the operation has one.
        attempts: how many times the request was sent or tried.
        retryable: whether the same call may work a moment later.
        maybe_applied: whether the request may have been carried out all the same, so that a write may have changed the
            table: the answer of the last attempt, or of one before it, was lost.
    """

    retryable: bool = False
    maybe_applied: bool = False

    def __init__(self, message: str, *, operation: str, table: str | None = None, attempts: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.operation = operation
        self.table = table
        self.attempts = attempts

    def __str__(self) -> str:
        where = f"{self.operation} on table {self.table}" if self.table else self.operation
        tries = f" (after {self.attempts} attempts)" if self.attempts > 1 else ""
        return f"{where}: {self.message}{tries}"


class TransportError(CallError):
    """No whole answer came back.

    Attributes:
        sent: whether the request may have reached DynamoDB, and so may have been applied.
    """

    retryable = True

    def __init__(
        self, message: str, *, operation: str, table: str | None = None, attempts: int = 1, sent: bool = False
    ) -> None:
        super().__init__(message, operation=operation, table=table, attempts=attempts)
        self.sent = sent


class EndpointUnreachable(TransportError):
    """No connection to the endpoint: its name, port, TLS certificate or the network is wrong."""


class ConnectionLost(TransportError):
    """The connection broke before the whole answer was there."""


class CallTimeout(TransportError):
    """No whole answer within the read timeout, or the call's deadline has passed."""


class PoolTimeout(TransportError):
    """All connections were busy for longer than the pool timeout."""


class BadResponse(TransportError):
    """The answer is not a whole DynamoDB answer: a redirect, an HTML page, a wrong CRC32, cut or oversized JSON."""


class OutcomeUnknown(CallError):
    """The answer of a write was lost: it may or may not have been applied.

    Every write ends so whose fate is not known, whatever its last attempt failed with. The cause (``__cause__``) says how.

    Attributes:
        retryable: whether the same call may be made again: applying it twice leaves the item as applying it once does.
        key: of the item, so that ``await db.get(error.key, consistent=True)`` shows what is there; ``None`` of requests
            with several items, and of PartiQL.
        written: what the item has if the write was applied, by attribute: the new version and the times of the write,
            where the model has such attributes and the write was of an instance. A version that is still
            lower was not applied; the same version with the same time of the write was.
    """

    maybe_applied = True
    key: Any = None  # Key[M] of the write's own model, which callers know
    written: Mapping[str, Any] = {}  # values of any type

    def __init__(
        self, message: str, *, operation: str, table: str | None = None, attempts: int = 1, retryable: bool = False
    ) -> None:
        super().__init__(message, operation=operation, table=table, attempts=attempts)
        self.retryable = retryable


class BatchStatementsFailed(CallError):
    """Some statements of a PartiQL batch failed; the others were executed, and stay so.

    Attributes:
        results: for each statement, in order: its item, ``None``, or its error.
    """

    results: Sequence[Any] = ()

    @property
    def failures(self) -> Mapping[int, ServiceError | DecodeError]:
        """The errors by position, from 0: what DynamoDB refused, and items that do not fit their model."""
        kinds = (ServiceError, DecodeError)
        return {position: result for position, result in enumerate(self.results) if isinstance(result, kinds)}


class BatchGetFailed(CallError):
    """``batch_get`` did not get everything. What it got is here, so that none of it has to be read again.

    Every distinct key is in exactly one of ``found``, ``unprocessed`` and ``misfits``; of a stream, those that it has
    handed out are in none. The cause (``__cause__``) is what stopped it: ``Throttled`` with code ``UnprocessedKeys``
    where DynamoDB left keys unprocessed again and again, ``CallTimeout`` where the time was over, another ``CallError``, or
    a ``DecodeError``: of the first misfit, or of an answer that is none.

    Attributes:
        found: what arrived, by key: the item, or ``None`` where it is known that there is none.
        unprocessed: the keys that were not read.
        misfits: the ``DecodeError`` of each item that does not fit its model, by key.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str,
        table: str | None = None,
        attempts: int = 1,
        found: Mapping[Any, Any] | None = None,  # items of any model, by Key
        unprocessed: Sequence[Any] = (),  # Keys of any model
        misfits: Mapping[Any, DecodeError] | None = None,  # by Key
    ) -> None:
        super().__init__(message, operation=operation, table=table, attempts=attempts)
        self.found: Mapping[Any, Any] = found or {}  # as above
        self.unprocessed = unprocessed
        self.misfits: Mapping[Any, DecodeError] = misfits or {}  # as above


class ServiceError(CallError):
    """DynamoDB refused the request.

    Attributes:
        code: DynamoDB's error code, for example ``ValidationException``.
        status: the HTTP status.
        request_id: the id of the request, for AWS support.
        retry_after: seconds that DynamoDB asks to wait before another attempt, where it does.
    """

    retry_after: float | None = None

    def __init__(
        self,
        message: str,
        *,
        operation: str,
        table: str | None = None,
        attempts: int = 1,
        code: str = "",
        status: int = 400,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, operation=operation, table=table, attempts=attempts)
        self.code = code
        self.status = status
        self.request_id = request_id

    def __str__(self) -> str:
        code = f" [{self.code}]" if self.code else ""
        request = f" (request id {self.request_id})" if self.request_id else ""
        return f"{super().__str__()}{code}{request}"


class ConditionFailed(ServiceError):
    """The condition of a write did not hold; nothing was written.

    Attributes:
        item: the item that was there, as its model; ``None`` where there was none, or it was not returned,
            or it does not fit the model (then ``raw_item`` still has it).
        raw_item: the same as DynamoDB sent it: attribute name to AttributeValue.
    """

    item: Any = None
    raw_item: Mapping[str, Any] | None = None


class ItemExists(ConditionFailed):
    """``create``: an item with this key is already there (``item``)."""


class ItemNotFound(ConditionFailed):
    """``update``, ``save`` or ``restore``: there is no item with this key."""


class VersionConflict(ConditionFailed):
    """The item was written by somebody else since this version of it was read.

    Attributes:
        expected: the version in memory.
        found: the version in the table; ``None`` where the item is gone or was not returned.
    """

    expected: int = 0
    found: int | None = None


class SchemaConflict(ConditionFailed):
    """The item has another schema version than the write goes by: it is not migrated yet, or a newer program wrote it.

    Attributes:
        expected: the schema version that the write goes by.
        found: the one in the table; 1 where the item has none, ``None`` where what it has is none.
    """

    expected: int = 0
    found: int | None = None


class Throttled(ServiceError):
    """Too many requests, for the table, an index, a partition or the account.

    Attributes:
        reasons: DynamoDB's throttling reasons, each a mapping with ``reason`` and ``resource``, where it sent any.
    """

    retryable = True
    reasons: Sequence[Mapping[str, str]] = ()


class ServerError(ServiceError):
    """DynamoDB failed inside (5xx). A write may have been applied."""

    retryable = True


class RequestRejected(ServiceError):
    """DynamoDB refused the request with a 4xx code that has no class of its own."""


class ValidationFailed(ServiceError):
    """DynamoDB found the request invalid."""


class AccessDenied(ServiceError):
    """The credentials are unknown, expired, wrongly signed, or not allowed to do this."""


class ExpiredCredentials(AccessDenied):
    """The session token has expired."""

    retryable = True


class ClockSkew(AccessDenied):
    """This machine's clock is too far from DynamoDB's."""

    retryable = True


class NotFound(ServiceError):
    """A table, index, backup, export, import, policy or stream that is not there."""


class TableNotFound(NotFound):
    """The table (or the resource that the operation names) does not exist in this region and account."""

    def __str__(self) -> str:
        return f"{super().__str__()}; is it in this region and account? db.tables.ensure(Model) makes it"


class TableInUse(ServiceError):
    """The table exists already, or is being created, changed or deleted."""


class Conflict(ServiceError):
    """Another operation on the same resource is under way, or was there first."""


class LimitExceeded(ServiceError):
    """An account limit: tables, indexes, or table operations at the same time."""

    retryable = True


class ItemCollectionTooLarge(ServiceError):
    """The items of one partition key, with their local indexes, are over 10 GB."""


class NotUnique(ConditionFailed):
    """The value of a unique attribute is taken by another item; nothing was written.

    Attributes:
        attributes: the Python names of the attributes that must be unique (together).
        owner: the :class:`Key` of the item that has the value; ``None`` where it is not known.
    """

    attributes: Sequence[str] = ()
    owner: Any = None


class TransactionFailure:
    """Why one operation of a transaction failed.

    Attributes:
        index: which operation, from 0, in the order in which they were given.
        operation: what it was, for example ``update of User(org='acme', user_id='u1') at shop.py:12``.
        error: what failed: ``ConditionFailed`` and its kinds, with the item that was there, or another ``ServiceError``.
    """

    __slots__ = ("error", "index", "operation")

    def __init__(self, index: int, operation: str, error: ServiceError) -> None:
        self.index = index
        self.operation = operation
        self.error = error

    def __str__(self) -> str:
        return f"operation {self.index + 1}, {self.operation}: {self.error.message}"

    def __repr__(self) -> str:
        return f"TransactionFailure({self.index}, {self.operation!r}, {self.error!r})"


class TransactionCancelled(ServiceError):
    """A transaction was cancelled; nothing of it was written.

    ``retryable`` where every reason is contention or throttling; such a transaction was tried again before this was raised.

    Attributes:
        failures: the operations that failed, in order. The others did not fail; they were just not made.
        reasons: DynamoDB's own reasons, one mapping for each action, with ``Code``, and ``Message`` and ``Item`` where
            it sent them. The code ``None`` stands for an action that had no part in it.
    """

    failures: Sequence[TransactionFailure] = ()
    reasons: Sequence[Mapping[str, Any]] = ()


class TransactionConflict(ServiceError):
    """Another transaction holds the item, or others changed its unique values again and again; nothing was written."""

    retryable = True


class TransactionInProgress(ServiceError):
    """A transaction with the same token is still under way."""

    retryable = True


class IdempotentParameterMismatch(ServiceError):
    """A transaction token was used again with other operations."""


class DuplicateItem(ServiceError):
    """PartiQL INSERT: the key is taken."""


class StreamError(ServiceError):
    """A stream iterator has expired, or its records were trimmed."""


class TransientConflict(ServiceError):
    """A replicated write lost against a write in another region; try again."""

    retryable = True


# --- a batch failed ----------------------------------------------------------------------------


def _some(records: Sequence[object]) -> str:
    """A repr of the first few."""
    most = 3
    more = [f"… {len(records) - most} more"] if len(records) > most else []
    return f"({', '.join([*map(repr, records[:most]), *more])})"


@final
class BatchOperation(msgspec.Struct, frozen=True):
    """One operation of a batch that was not written. Its repr shows the key, never the item.

    Attributes:
        kind: ``put`` or ``delete``.
        model: the model's class.
        key: the :class:`Key` of the item, as it was when the operation was added.
        item: the instance that was put, or given to delete; ``None`` where delete was given a Key.
    """

    kind: Literal["put", "delete"]
    model: type[Any]  # of any model
    key: Any  # a Key, which this layer does not know
    item: Any = None  # an instance of the model

    def __str__(self) -> str:
        return f"{self.kind} of {self.key!r}"

    def __repr__(self) -> str:
        return f"BatchOperation({self.kind} {self.key!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # as of msgspec.Struct
        """What the package rich shows, which otherwise asks for every field."""
        return [("kind", self.kind), ("key", self.key)]


@final
class BatchFailure(msgspec.Struct, frozen=True):
    """Why one operation of a batch was refused, or not known to be done.

    Attributes:
        operation: which one.
        error: what the same call of the database would have raised: ``VersionConflict``, ``NotUnique`` …
    """

    operation: BatchOperation
    error: Exception

    def __str__(self) -> str:
        return f"{self.operation}: {self.error}"


@final
class BatchReport(msgspec.Struct, frozen=True):
    """What became of the operations of a batch: each is counted in exactly one of these.

    Attributes:
        written: how many DynamoDB has confirmed.
        replaced: how many were not sent, because a later operation on the same key took their place.
        unprocessed: those that are not known to be written, in order: not sent, not processed, or their request failed
            or was cancelled. They can be made again; one that insists on a version, and was written after all, then
            fails.
        failed: those that were sent by themselves and failed, with their errors.
    """

    written: int
    replaced: int
    unprocessed: tuple[BatchOperation, ...] = ()
    failed: tuple[BatchFailure, ...] = ()

    def __repr__(self) -> str:
        counts = f"written={self.written}, replaced={self.replaced}"
        return f"BatchReport({counts}, unprocessed={_some(self.unprocessed)}, failed={_some(self.failed)})"


class BatchWriteFailed(CallError):
    """Not every operation of a batch was written. ``__cause__`` is what stopped it, or the first that failed.

    Attributes:
        report: what was written and what was not, when nothing of the batch was under way any more.
    """

    def __init__(
        self, message: str, *, operation: str, report: BatchReport, table: str | None = None, attempts: int = 1
    ) -> None:
        super().__init__(message, operation=operation, table=table, attempts=attempts)
        self.report = report


# --- which class stands for which code ---------------------------------------------------------


ERROR_CODES: Mapping[str, type[ServiceError]] = {
    "AccessDenied": AccessDenied,
    "AccessDeniedException": AccessDenied,
    "BackupInUseException": Conflict,
    "BackupNotFoundException": NotFound,
    "ConditionalCheckFailed": ConditionFailed,  # of one operation in a transaction or batch; so are its short siblings
    "ConditionalCheckFailedException": ConditionFailed,
    "ContinuousBackupsUnavailableException": Conflict,
    "DuplicateItem": DuplicateItem,
    "DuplicateItemException": DuplicateItem,
    "ExpiredIteratorException": StreamError,
    "ExpiredToken": ExpiredCredentials,
    "ExpiredTokenException": ExpiredCredentials,
    "ExportConflictException": Conflict,
    "ExportNotFoundException": NotFound,
    "GlobalTableAlreadyExistsException": TableInUse,
    "GlobalTableNotFoundException": NotFound,
    "IdempotentParameterMismatchException": IdempotentParameterMismatch,
    "ImportConflictException": Conflict,
    "ImportNotFoundException": NotFound,
    "IncompleteSignature": AccessDenied,
    "IncompleteSignatureException": AccessDenied,
    "IndexNotFoundException": NotFound,
    "InternalFailure": ServerError,
    "InternalServerError": ServerError,
    "InternalServerErrorException": ServerError,
    "InvalidClientTokenId": AccessDenied,
    "InvalidEndpointException": RequestRejected,
    "InvalidExportTimeException": ValidationFailed,
    "InvalidRestoreTimeException": ValidationFailed,
    "InvalidSignatureException": AccessDenied,
    "ItemCollectionSizeLimitExceeded": ItemCollectionTooLarge,
    "ItemCollectionSizeLimitExceededException": ItemCollectionTooLarge,
    "LimitExceededException": LimitExceeded,
    "MissingAuthenticationToken": AccessDenied,
    "MissingAuthenticationTokenException": AccessDenied,
    "NotAuthorized": AccessDenied,
    "OptInRequired": AccessDenied,
    "PointInTimeRecoveryUnavailableException": Conflict,
    "PolicyNotFoundException": NotFound,
    "ProvisionedThroughputExceeded": Throttled,
    "ProvisionedThroughputExceededException": Throttled,
    "ReplicaAlreadyExistsException": TableInUse,
    "ReplicaNotFoundException": NotFound,
    "ReplicatedWriteConflictException": TransientConflict,
    "RequestExpired": ClockSkew,
    "RequestLimitExceeded": Throttled,
    "RequestTimeTooSkewed": ClockSkew,
    "ResourceInUseException": TableInUse,
    "ResourceNotFound": TableNotFound,
    "ResourceNotFoundException": TableNotFound,
    "SerializationException": ValidationFailed,
    "ServiceUnavailable": ServerError,
    "ServiceUnavailableException": ServerError,
    "SignatureDoesNotMatch": AccessDenied,
    "SlowDown": Throttled,
    "TableAlreadyExistsException": TableInUse,
    "TableInUseException": TableInUse,
    "TableNotFoundException": TableNotFound,
    "ThrottledException": Throttled,
    "Throttling": Throttled,
    "ThrottlingError": Throttled,
    "ThrottlingException": Throttled,
    "TooManyRequestsException": Throttled,
    "TransactionCanceledException": TransactionCancelled,
    "TransactionConflict": TransactionConflict,
    "TransactionConflictException": TransactionConflict,
    "TransactionInProgressException": TransactionInProgress,
    "TrimmedDataAccessException": StreamError,
    "UnrecognizedClientException": AccessDenied,
    "ValidationError": ValidationFailed,
    "ValidationException": ValidationFailed,
}
"""Every error code of DynamoDB and of the signing front end, and the class that stands for it."""


def error_class(code: str, status: int) -> type[ServiceError]:
    """The class for an error code; for an unknown code, the family of its HTTP status.

    Args:
        code: the code without its namespace, for example ``ValidationException``.
        status: the HTTP status of the answer.
    """
    known = ERROR_CODES.get(code)
    if known is not None:
        return known
    if status == 429:  # noqa: PLR2004 - too many requests
        return Throttled
    if status >= 500:  # noqa: PLR2004 - the server's own failures
        return ServerError
    if status in (401, 403):
        return AccessDenied
    return RequestRejected
