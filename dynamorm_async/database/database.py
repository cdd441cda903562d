"""``Database``: what applications open once and call."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, SupportsFloat, TypeVar, final, overload

from dynamorm_async.database.access import Access, utc_now
from dynamorm_async.database.connection import Connection
from dynamorm_async.database.metering import Meter, Statistics
from dynamorm_async.database.noting import noting
from dynamorm_async.database.targets import read_target
from dynamorm_async.database.writing import send_write
from dynamorm_async.errors import BatchReport
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.expressions.updates import Update
from dynamorm_async.model.key import Key
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.arguments import ATTEMPTS, check_positive, check_token
from dynamorm_async.plan.capacity import Report
from dynamorm_async.plan.cursors import CursorCodec
from dynamorm_async.plan.hiding import is_hidden
from dynamorm_async.plan.items import get_item
from dynamorm_async.plan.write import Returns, Write
from dynamorm_async.plan.writes import Writes
from dynamorm_async.transport.base import CredentialProvider, Credentials, Endpoint, Timeouts
from dynamorm_async.transport.lanes import LaneChoice, LaneName, TransportSettings
from dynamorm_async.types import Request, Response

if TYPE_CHECKING:
    from pathlib import Path

    from dynamorm_async.database.batch_get import BatchGet
    from dynamorm_async.database.batch_sender import OnProgress
    from dynamorm_async.database.batch_write import BatchWrite
    from dynamorm_async.database.collection import Collections
    from dynamorm_async.database.keyring import KeyProvider
    from dynamorm_async.database.partiql import PartiQL
    from dynamorm_async.database.reading import Query, Scan
    from dynamorm_async.database.tables import Tables
    from dynamorm_async.database.transact_get import TransactGet
    from dynamorm_async.database.transaction import Transaction
    from dynamorm_async.database.updated import UpdatedAttributes
    from dynamorm_async.database.vectors import SearchHit
    from dynamorm_async.expressions.vectorattr import VectorAttr
    from dynamorm_async.model.vector_index import ModelVectorIndex

M = TypeVar("M")
A = TypeVar("A")
B = TypeVar("B")


@final
class Database:
    """DynamoDB in one region and account, through one pool of connections.

    Open it once in an application (``async with Database(...) as db``) and share it between tasks. It belongs to the
    event loop that first used it. Nothing is opened or read before the first call.

    Args:
        region: the AWS region; by default ``AWS_REGION``, ``AWS_DEFAULT_REGION``, or the profile's.
        endpoint: the endpoint's URL, for local engines and the like; by default ``AWS_ENDPOINT_URL_DYNAMODB``,
            ``AWS_ENDPOINT_URL``, or the region's own. Plain http to a public host is taken from this argument alone.
        credentials: ``(access_key, secret_key)`` or ``(access_key, secret_key, token)``, or a provider of them; by
            default the environment's keys, then everything that the AWS SDK looks at.
        profile: a profile of the shared AWS files; it beats keys in the environment.
        lane: ``direct`` (our own HTTP client), ``sdk`` (aiobotocore), or ``auto``: sdk where a proxy applies.
        pool_size: connections at most.
        timeouts: how long to wait, in seconds.
        table_prefix: put before every table's name, for example ``"staging-"``.
        ca_bundle: a file of CA certificates in PEM form; by default ``AWS_CA_BUNDLE``, then the system's.
        cursor_secrets: secrets that encrypt and authenticate page cursors, at least 16 bytes each. The first makes
            cursors, all are accepted: put a new one in front to rotate. Without any, cursors are readable, and not for
            clients that are not trusted. Needs ``dynamorm-async[crypto]``.
        cursor_lifetime: seconds that a cursor is good for.
        capacity: what DynamoDB is asked to report of consumed capacity: ``none``, ``total``, or ``indexes``.
        clock: the time for ``created_at``, ``updated_at`` and ``deleted_at``, and by which items have expired: a
            function that returns an aware datetime.
        keys: the keys of :func:`encrypted` attributes, such as a :class:`LocalKeyring`. Needs ``dynamorm-async[crypto]``.

    Every call may raise ``CallError`` (a request failed), ``CredentialsError``, ``ConfigurationError`` (on first use)
    and ``DatabaseClosed``; ``UsageError`` says that a call cannot work as written, before anything is sent.

    Writes that touch ``unique()`` attributes are transactions: they may also raise ``NotUnique`` and
    ``TransactionConflict``, and cost what :func:`unique` says.
    """

    def __init__(
        self,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        credentials: Credentials | tuple[str, str] | tuple[str, str, str] | CredentialProvider | None = None,
        profile: str | None = None,
        lane: LaneChoice = "auto",
        pool_size: int = 50,
        timeouts: Timeouts | None = None,
        table_prefix: str = "",
        ca_bundle: Path | str | None = None,
        cursor_secrets: Sequence[str | bytes] = (),
        cursor_lifetime: float = 86_400.0,
        capacity: Report = "none",
        clock: Callable[[], datetime] = utc_now,
        keys: KeyProvider | None = None,
    ) -> None:
        settings = TransportSettings(
            region=region,
            endpoint=endpoint,
            profile=profile,
            credentials=credentials,
            lane=lane,
            pool_size=pool_size,
            timeouts=timeouts or Timeouts(),
            ca_bundle=ca_bundle,
        )
        self._connection = Connection(settings, report=capacity, keys=keys)
        cursors = CursorCodec(cursor_secrets, lifetime=cursor_lifetime, now=lambda: clock().timestamp())
        self._note = self._connection.metering.read
        self._time = self._connection.whole
        self._access = Access(
            send=self._connection.send, cursors=cursors, clock=clock, note=self._note, begin=self._connection.begin
        )
        self._prefix = table_prefix
        self._writes = Writes(prefix=table_prefix, clock=clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Wait for calls under way, then close every connection; later calls raise ``DatabaseClosed``.

        It waits for ``Timeouts.call`` at most, and no longer where it is cancelled. Calls that are under way after that end:
        writes that were sent with ``OutcomeUnknown``, all others with ``DatabaseClosed``. Closing again ends a cancelled close.

        Raises:
            UsageError: the database was first used in another event loop or process.
        """
        await self._connection.aclose()

    @property
    def tables(self) -> Tables:
        """Create, ensure, describe and delete tables."""
        from dynamorm_async.database.tables import Tables  # noqa: PLC0415 - loaded when first used

        return Tables(self._connection, self._prefix)

    @property
    def partiql(self) -> PartiQL:
        """PartiQL statements: one, a batch, or a transaction of them."""
        from dynamorm_async.database.partiql import PartiQL  # noqa: PLC0415 - loaded when first used

        return PartiQL(self._connection.send, self._prefix, self._access.turns)

    @property
    def lane(self) -> LaneName | None:
        """Which lane was taken; ``None`` before the first call."""
        return self._connection.lane

    @property
    def endpoint(self) -> Endpoint | None:
        """Where requests go; ``None`` before the first call."""
        return self._connection.endpoint

    # Any: an operation's parameters and answer are as open as DynamoDB's API.
    async def call(
        self, operation: str, params: Mapping[str, Any], *, table: str | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Call any operation of DynamoDB's API with the SDK's parameters, for what has no method here::

            await db.call("CreateBackup", {"TableName": db.tables.name(User), "BackupName": "before-spring"})

        It goes through the aiobotocore client. What only reads (``Describe…``, ``List…``, ``Get…``) is tried again as reads
        of items are; all else only where the failure says that it was not applied.

        Args:
            operation: its name, for example ``UpdateTable``.
            params: its parameters; tables by their full names, binary content as ``bytes``.
            table: the table that it concerns, for errors; by default the ``TableName`` of the parameters.
            timeout: seconds for the whole call, all attempts and pauses included.

        Returns:
            The answer, without ``ResponseMetadata``; binary content as ``bytes``, timestamps as ``datetime``.

        Raises:
            OutcomeUnknown: an operation that changes something may or may not have been applied: look before you repeat it.
            ConfigurationError: there is no such operation in the installed botocore.

        Costs one request. It is not in :meth:`statistics`.
        """
        named = params.get("TableName") if table is None else table
        of_table = named if isinstance(named, str) else None
        return await self._connection.call(operation, params, table=of_table, timeout=timeout)

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:
        """Send a request that was planned already: what extensions use that have their own way of reading answers.

        It goes as every other call does: through the lane, with retries as the request allows, encrypted attributes sealed
        and opened, counted by :meth:`statistics`.

        Args:
            request: the operation and its body in DynamoDB's JSON form; tables by their full names.
            timeout: seconds for the whole call.

        Returns:
            The answer as it was sent, checked to be whole.

        Raises:
            ServiceError, TransportError, OutcomeUnknown: as DynamoDB or the network says; a failed condition is a
                ``ConditionFailed`` with ``raw_item``.

        Costs one request.
        """
        return await self._connection.send(request, timeout)

    def statistics(self) -> Statistics:
        """Requests, retries, consumed capacity and upcast items so far."""
        return self._connection.metering.total.statistics

    def measure(self, *, capacity: Report = "none") -> AbstractContextManager[Meter]:
        """Count what a block does, tasks that it starts included::

            with db.measure(capacity="total") as meter:
                await db.get(User, "acme", "u1")
            print(meter.statistics.capacity.read)

        Args:
            capacity: what DynamoDB is asked to report of the block's requests, where the database itself asks for less.
        """
        return self._connection.metering.measure(capacity)

    def __repr__(self) -> str:
        endpoint = self._connection.endpoint
        return f"<Database {endpoint.url if endpoint else 'not connected yet'}>"

    @overload
    async def get(
        self,
        target: type[M],
        value: object,
        /,
        *values: object,
        consistent: bool = ...,
        hidden: bool = ...,
        timeout: float | None = ...,
    ) -> M | None: ...
    @overload
    async def get(
        self, target: Key[M], /, *, consistent: bool = ..., hidden: bool = ..., timeout: float | None = ...
    ) -> M | None: ...
    async def get(
        self,
        target: type[M] | Key[M],
        /,
        *values: object,
        consistent: bool = False,
        hidden: bool = False,
        timeout: float | None = None,
    ) -> M | None:
        """One item by its key, or ``None``.

        Args:
            target: a :class:`Key`, or a model class followed by its key values.
            values: the partition key's value, then the sort key's, where the model has one; of a model with key templates,
                the attributes that its key is made of.
            consistent: a strongly consistent read: twice the capacity.
            hidden: return the item though it has expired (of a model that hides those) or is soft-deleted.
            timeout: seconds for the whole call.

        Raises:
            InvalidKey: a key value is missing, empty, or of another type than its attribute.
            UsageError: no model, no key values, or key values beside a Key.
            DecodeError: the item does not fit the model.

        Costs one GetItem.
        """
        if self._connection.crowded:
            timeout = await self._connection.turn("GetItem", timeout)
        spec, values = read_target(target, values)
        table = self._prefix + spec.table.name
        request = get_item(table, spec.codec.encode_key(*values), consistent=consistent, sealed=spec.sealed(table))
        decode = noting(spec, spec.reader.decode_get, self._note)
        item = decode((await self._connection.send(request, timeout)).body)
        if spec.hides and not hidden and item is not None and is_hidden(spec, item, self._access.clock()):
            return None
        return item

    @overload
    def batch_get(
        self, *keys: Key[M], consistent: bool = ..., concurrency: int = ..., timeout: float | None = ...
    ) -> BatchGet[M]: ...
    @overload
    def batch_get(
        self,
        a: Key[A],
        b: Key[B],
        /,
        *more: Key[A] | Key[B],
        consistent: bool = ...,
        concurrency: int = ...,
        timeout: float | None = ...,
    ) -> BatchGet[A | B]: ...
    @overload
    def batch_get(
        self, *keys: Key[Any], consistent: bool = ..., concurrency: int = ..., timeout: float | None = ...
    ) -> BatchGet[Any]: ...
    def batch_get(
        self, *keys: Key[Any], consistent: bool = False, concurrency: int = 4, timeout: float | None = None
    ) -> BatchGet[Any]:
        """Items of many keys, of one model or several: awaited a list, iterated pairs of key and item.

        ``await`` gives one item for each key, in their order, ``None`` for a miss. ``async for key, item in ...`` gives
        each distinct key once, as they arrive. See :class:`BatchGet`.

        Args:
            keys: any number; an item that is asked for twice is read once.
            consistent: strongly consistent reads: twice the capacity.
            concurrency: how many requests at the same time.
            timeout: seconds for the whole call where it is awaited, pauses included; for each request where it is
                iterated.

        Raises:
            UsageError: something is no Key, or ``concurrency`` is less than 1.
            InvalidKey: a key value is empty, too long, or of another type than its attribute.
            BatchGetFailed: on await or iteration: a request failed, keys stayed unprocessed, the time was over, or items
                do not fit their model. It carries what arrived, and what did not.

        Costs one BatchGetItem for each 100 distinct items, and one for each round of what was left unprocessed.
        """
        from dynamorm_async.database.batch_get import BatchGet  # noqa: PLC0415 - loaded when first used
        from dynamorm_async.plan.batch_get import plan_batch_get  # noqa: PLC0415 - loaded when first used

        plan = plan_batch_get(keys, self._prefix, consistent=consistent)
        check_positive(concurrency, f"concurrency={concurrency!r}")
        return BatchGet(plan, self._access, concurrency=concurrency, timeout=timeout)

    @property
    def transact_get(self) -> TransactGet:
        """``user, order = await db.transact_get(Key(User, ...), Key(Order, ...))``: as they were at one moment.

        See :class:`TransactGet`.
        """
        from dynamorm_async.database.transact_get import TransactGet  # noqa: PLC0415 - loaded when first used

        return TransactGet(self._connection.send, self._prefix, self._access.clock, self._note, self._access.turns)

    def query(self, model: type[M]) -> Query[M]:
        """Items of one partition key: ``db.query(User).where(User.org == "acme")``. See :class:`Query`."""
        from dynamorm_async.database.reading import Query  # noqa: PLC0415 - loaded when first used

        spec = spec_of(model)
        return Query(spec, self._prefix + spec.table.name, self._access)

    def scan(self, model: type[M]) -> Scan[M]:
        """All items of a model's table, which reads and costs the whole table. See :class:`Scan`."""
        from dynamorm_async.database.reading import Scan  # noqa: PLC0415 - loaded when first used

        spec = spec_of(model)
        return Scan(spec, self._prefix + spec.table.name, self._access)

    async def search(
        self,
        attribute: VectorAttr[M, Any],
        vector: Iterable[SupportsFloat],
        /,
        *,
        top_k: int = 10,
        where: Condition | None = None,
        using: ModelVectorIndex | str | None = None,
        hydrate: bool = False,
        with_vector: bool = False,
        hidden: bool = False,
        timeout: float | None = None,
    ) -> list[SearchHit[M]]:
        """The items whose vectors are nearest to a given one, through a vector index.

        The index lags behind the table, and nearness is approximate. What it holds of an item is a partial model, without
        the vector: reading what is not there raises ``AttributeError``, and writing it is refused.

        Args:
            attribute: the attribute that holds the vectors, such as ``Article.embedding``.
            vector: numbers, as many as the index has dimensions, made by the same embedding model; NumPy arrays, too.
            top_k: how many hits, 1 to 100.
            where: what must hold of the items: ``==`` of the index's partition key, which a search needs where the index has
                one, and conditions on its filters.
            using: which index, where the attribute has several.
            hydrate: read whole items from the table.
            with_vector: the vectors of the hits, too; the index holds them as 32-bit floats.
            hidden: soft-deleted items, and expired ones of a model that hides them, too.
            timeout: seconds for the whole call.

        Returns:
            The hits, the nearest first; fewer where the index has no more.

        Raises:
            UsageError: no attribute of a model, ``top_k`` out of range, a condition that the index cannot take, or an index
                that does not hold what hidden items are known by.
            NoUsableIndex: the attribute has no such vector index, or several and none was named.
            InvalidValue: the vector has another length, or elements that are no finite 32-bit floats.
            InvalidExpression: more in ``where`` than DynamoDB takes in an expression.
            ValidationFailed: the index is not ready yet, also shortly after the table was made.
            ConfigurationError: the installed botocore does not know the operation (sdk lane).
            DecodeError: an item does not fit the model.

        Costs one SearchVectors, and one or two more where hidden items were among the nearest; ``hydrate``: a BatchGetItem each.
        """
        from dynamorm_async.database.vectors import Search  # noqa: PLC0415 - loaded when first used
        from dynamorm_async.plan.vectors import plan_search  # noqa: PLC0415 - loaded when first used

        plan = plan_search(
            attribute,
            vector,
            prefix=self._prefix,
            top_k=top_k,
            where=where,
            using=using,
            hydrate=hydrate,
            with_vector=with_vector,
            hidden=hidden,
        )
        return await Search(plan, self._connection.search, self._access, hidden=hidden, timeout=timeout).run()

    @property
    def collection(self) -> Collections:
        """Everything in one partition: ``db.collection(shop, "CUSTOMER#42").of(Customer, Order)``. See :class:`Collections`."""
        from dynamorm_async.database.collection import Collections  # noqa: PLC0415 - loaded when first used

        return Collections(self._access, self._prefix)

    def transaction(
        self, *, token: str | None = None, at: datetime | None = None, timeout: float | None = None
    ) -> Transaction:
        """Writes and checks that are made all or not at all. See :class:`Transaction`.

        Args:
            token: makes a repeated call harmless for ten minutes: 1 to 36 characters, the same for the same operations.
                One of our own, kept over retries, by default.
            at: the time for ``created_at`` and ``updated_at``. With a ``token`` give it the time of your caller's request:
                a repeated transaction has to be the same to the byte, or it is an ``IdempotentParameterMismatch``. So it
                is, too, where a change of a unique value is repeated after it was applied.
            timeout: seconds for the whole call.

        Raises:
            UsageError: the token is empty or too long.
        """
        from dynamorm_async.database.transaction import Transaction  # noqa: PLC0415 - loaded when first used

        writes = self._writes if at is None else Writes(prefix=self._prefix, clock=lambda: at)
        return Transaction(
            self._connection.send, writes, token=None if token is None else check_token(token), timeout=timeout
        )

    def batch_write(
        self, *, concurrency: int = 4, on_progress: OnProgress | None = None, timeout: float | None = None
    ) -> BatchWrite:
        """Many puts and deletes, 25 in a request: ``async with db.batch_write() as batch:``. See :class:`BatchWrite`.

        Args:
            concurrency: requests under way at the same time, at most.
            on_progress: an async function that is told how far the batch is, after each answer and never twice at
                once. What it raises stops the batch and is raised from the block.
            timeout: seconds for all of it, from the start of the block on; nothing is under way when they are over, and
                ``BatchWriteFailed`` says what was written. By default each request has ``Timeouts.call``.

        Raises:
            UsageError: ``concurrency`` is no whole number of at least 1.

        Costs one BatchWriteItem for 25 operations, and one for what was left unprocessed; one request for each operation
        of a versioned instance, or of a model with unique attributes.
        """
        from dynamorm_async.database.batch_write import BatchWrite  # noqa: PLC0415 - loaded when first used

        return BatchWrite(
            self._connection.send, self._writes, concurrency=concurrency, on_progress=on_progress, timeout=timeout
        )

    async def put_many(
        self,
        items: Iterable[object] | AsyncIterable[object],
        *,
        concurrency: int = 4,
        on_progress: OnProgress | None = None,
        timeout: float | None = None,
    ) -> BatchReport:
        """Put many instances, of any models, as one :meth:`batch_write`.

        Args:
            items: the instances; no more are taken from it than there is room for.
            concurrency: requests under way at the same time, at most.
            on_progress: an async function that is told how far it is; see :meth:`batch_write`.
            timeout: seconds for all of it, the time that the iterable takes included.

        Returns:
            What was written.

        Raises:
            BatchWriteFailed: not everything was written; its report says what was not.
            InvalidValue, InvalidKey, ItemTooLarge: an item cannot be stored; nothing is sent from then on.
            UsageError: ``concurrency`` is less than 1, or something among the items is no instance of a model.

        Costs what :meth:`batch_write` does.
        """
        from dynamorm_async.database.batch_write import put_many  # noqa: PLC0415 - loaded when first used

        batch = self.batch_write(concurrency=concurrency, on_progress=on_progress, timeout=timeout)
        return await put_many(batch, items)

    async def create(self, item: M, *, exactly_once: bool = False, timeout: float | None = None) -> M:
        """Write a new item.

        Sets ``created_at`` (unless it was given), ``updated_at`` and the next ``version``; on the instance after success.

        Args:
            item: an instance of a model.
            exactly_once: send it as a transaction of its own, as :meth:`update` does.
            timeout: seconds for the whole call.

        Returns:
            The same instance.

        Raises:
            ItemExists: the key is taken, if only by a soft-deleted item; the error carries the item that is there.
            NotUnique: another item has the value of a ``unique()`` attribute.
            InvalidValue, InvalidKey, ItemTooLarge: the item cannot be stored.
            UsageError: it is no instance of a model.
            OutcomeUnknown: the answer was lost, and the item that is there does not tell whose it is. It does tell where the
                model has a ``created_at()``, or ``version()`` and ``updated_at()``.

        Costs one PutItem.
        """
        if self._connection.crowded:
            timeout = await self._connection.turn("PutItem", timeout)
        write = self._writes.create(item)
        await send_write(self._connection.send, write, self._time(timeout), exactly_once=exactly_once)
        return item

    @overload
    async def put(
        self,
        item: object,
        *,
        where: Condition | None = ...,
        returns: Literal["none"] = ...,
        exactly_once: bool = ...,
        timeout: float | None = ...,
    ) -> None: ...
    @overload
    async def put(
        self, item: M, *, where: Condition | None = ..., returns: Literal["old"], timeout: float | None = ...
    ) -> M | None: ...
    async def put(
        self,
        item: M,
        *,
        where: Condition | None = None,
        returns: Literal["none", "old"] = "none",
        exactly_once: bool = False,
        timeout: float | None = None,
    ) -> M | None:
        """Write an item whole, over whatever has its key.

        A model with a ``version()`` is written only over the version that the instance has (a new instance: over no
        item), so that nobody's change is lost. ``created_at`` is kept where the instance has one.

        Args:
            item: an instance of a model.
            where: what must hold of the item that is there.
            returns: ``old`` returns the item that was overwritten, or ``None`` where there was none.
            exactly_once: send it as a transaction of its own, as :meth:`update` does; not with ``returns``.
            timeout: seconds for the whole call.

        Raises:
            VersionConflict: the item was written since this version of it was read.
            ConditionFailed: ``where`` does not hold; the error carries the item that is there.
            NotUnique: another item has the value of a ``unique()`` attribute.
            InvalidValue, InvalidKey, ItemTooLarge: the item cannot be stored.
            InvalidExpression: more in ``where`` than DynamoDB takes in an expression.
            UsageError: it is no instance of a model, or ``where`` is of another one.
            DecodeError: it was written, but the item that was overwritten does not fit the model.
            OutcomeUnknown: the answer was lost. A put under a version is settled by the item that is there, where its model
                has an ``updated_at()``; its ``retryable`` says whether the same call may be made again.

        Costs one PutItem.
        """
        if self._connection.crowded:
            timeout = await self._connection.turn("PutItem", timeout)
        write = self._writes.put(item, where=where, returns=returns)
        response = await send_write(self._connection.send, write, self._time(timeout), exactly_once=exactly_once)
        return self._decoded(write, response) if returns == "old" else None

    @overload
    async def update(
        self,
        key: Key[M],
        /,
        *changes: Update,
        where: Condition | None = ...,
        upsert: bool = ...,
        returns: Literal["new"] = ...,
        exactly_once: bool = ...,
        timeout: float | None = ...,
    ) -> M: ...
    @overload
    async def update(
        self,
        key: Key[M],
        /,
        *changes: Update,
        where: Condition | None = ...,
        upsert: bool = ...,
        returns: Literal["old"],
        timeout: float | None = ...,
    ) -> M | None: ...
    @overload
    async def update(
        self,
        key: Key[M],
        /,
        *changes: Update,
        where: Condition | None = ...,
        upsert: bool = ...,
        returns: Literal["updated_old", "updated_new"],
        timeout: float | None = ...,
    ) -> UpdatedAttributes: ...
    @overload
    async def update(
        self,
        key: Key[M],
        /,
        *changes: Update,
        where: Condition | None = ...,
        upsert: bool = ...,
        returns: Literal["none"],
        exactly_once: bool = ...,
        timeout: float | None = ...,
    ) -> None: ...
    async def update(
        self,
        key: Key[M],
        /,
        *changes: Update,
        where: Condition | None = None,
        upsert: bool = False,
        returns: Returns = "new",
        exactly_once: bool = False,
        timeout: float | None = None,
    ) -> M | UpdatedAttributes | None:
        """Change some attributes of an item without reading it first.

        Sets ``updated_at`` and moves ``version``. An item that is not there is an error unless ``upsert`` is set:
        DynamoDB itself would make one of the changed attributes alone. Templated keys of indexes are made anew from the key,
        from plain values that are set, and from what ``where`` insists on with ``==``; where that is not enough, it is refused.

        Args:
            key: which item.
            changes: such as ``User.age.add(1)``, ``User.age.set(User.limit - 1)``, ``User.tags.discard({"x"})``.
            where: what must hold of the item that is there.
            upsert: make the item where there is none. Defaults of what is not given are not written, nor in keys of indexes.
            returns: the item as it is then (``new``), as it was (``old``; ``None`` where there was none), only what was
                changed (``updated_new``, ``updated_old``; see :class:`UpdatedAttributes`), or ``none``.
            exactly_once: send it as a transaction of its own, whose token tells DynamoDB that a request is the same one again:
                also ``add`` and ``append`` are sent again where an answer was lost, and take effect once. With
                ``returns`` ``new``, which reads the item afterwards, or ``none``.
            timeout: seconds for the whole call.

        Raises:
            ItemNotFound: there is no such item.
            ConditionFailed: ``where`` does not hold, or a key of an index would be made from what the item does not have (the
                Key has another time of the same day); the error carries the item that is there.
            NotUnique: another item has the value of a ``unique()`` attribute.
            SchemaConflict: the item is of another schema than the model: read it and ``save()`` it, or use :meth:`modify`.
            UsageError: no Key, no changes, a change of a key or of the version, something of another model; or a change of
                what a key of an index is made from, where the rest of it is not known.
            InvalidKey, InvalidValue: a key value, or a value of a key of an index, is empty, too long, or of another type.
            InvalidExpression: two changes of the same path, or more than DynamoDB takes in an expression.
            ValidationFailed: the item does not have what the changes compute with, or the map that a path leads through.
            DecodeError: the change was made, but the item does not fit the model.
            OutcomeUnknown: the answer was lost, and the change is not safe to repeat (or its ``retryable`` is set); with
                ``exactly_once``, also where the change was made, but the item could not be read afterwards.

        Costs one UpdateItem; with ``exactly_once`` a TransactWriteItems at twice the capacity, and a GetItem for ``new``.
        """
        if self._connection.crowded:
            timeout = await self._connection.turn("UpdateItem", timeout)
        write = self._writes.update(key, changes, where=where, upsert=upsert, returns=returns)
        response = await send_write(self._connection.send, write, self._time(timeout), exactly_once=exactly_once)
        if returns == "none":
            return None
        if returns in ("updated_old", "updated_new"):
            from dynamorm_async.database.updated import updated_attributes  # noqa: PLC0415 - loaded when first used

            return updated_attributes(write, response.body)
        new: M | None = self._decoded(write, response)
        return new

    async def save(
        self, item: M, *, where: Condition | None = None, exactly_once: bool = False, timeout: float | None = None
    ) -> M:
        """Write what changed on an instance since it was read or written; nothing changed costs no request.

        Attributes that the model does not have, and those that did not change here, stay as they are in the table. So do the
        entries of maps, at any depth: of nested classes, of dicts, and in ``Any``. Lists, sets, values of unions and what is
        stored as JSON or compressed are replaced whole. Under the instance's version, where the model has one. Keys of
        indexes that are made by templates are those of the whole item, with the defaults that they are made from; where the
        table has others, or none, that is a change, too. An instance that was neither read nor written (a new one, or the
        result of ``attrs.evolve``) is created. One that was read from an older schema is migrated: everything that differs
        from the old item is written, also where nothing was changed here.

        Args:
            item: an instance of a model.
            where: what must hold of the item that is there besides; nothing is insisted on where nothing changed.
            exactly_once: send it as a transaction of its own, as :meth:`update` does.
            timeout: seconds for the whole call.

        Returns:
            The same instance.

        Raises:
            VersionConflict: the item was written, or deleted, since this version of it was read.
            ItemNotFound: the item is gone (a model without a version).
            ConditionFailed: ``where`` does not hold; a map that entries were changed of is gone, or is no map any more; or, without a version,
                somebody else changed what a key of an index is made from.
            SchemaConflict: the item is not of the schema that it was read from: somebody else migrated it.
            ItemExists: a new instance whose key is taken.
            NotUnique: another item has the value of a ``unique()`` attribute.
            UsageError: a key attribute was changed, or is not that of the item's key, or it is no instance of a model; or
                ``where`` of an instance that is new.
            InvalidValue, InvalidKey, ItemTooLarge: the item cannot be stored.
            InvalidExpression: some 200 attributes or more changed, which one request cannot say.
            OutcomeUnknown: the answer of a write under a version or ``where`` was lost, and the item that is there does not tell
                whether it was applied. It does tell where the model has a version and an ``updated_at()``, unless others wrote
                since.

        Costs one UpdateItem, or none.
        """
        if self._connection.crowded:
            timeout = await self._connection.turn("UpdateItem", timeout)
        write = self._writes.save(item, where=where)
        if write is not None:
            await send_write(self._connection.send, write, self._time(timeout), exactly_once=exactly_once)
        return item

    async def modify(
        self, key: Key[M], change: Callable[[M], object], *, attempts: int = ATTEMPTS, timeout: float | None = None
    ) -> M:
        """Read an item, let a function change it, and save it under its version; again from the start on a conflict.

        Concurrent calls lose no update: each change is made on the item as it is then, soft-deleted or expired ones
        included. Between attempts, it waits a
        random time of at most 25 ms, 50 ms, 100 ms … up to two seconds. For a change that does not depend on what is
        there, :meth:`update` costs less.

        Args:
            key: which item. Its model has a ``version()``.
            change: changes the instance that it is given, in place; it may be an async function. It is called once an
                attempt, so it should do nothing else that must not happen twice. What it raises is raised; nothing is written.
            attempts: how often to read, change and save, at most.
            timeout: seconds for all attempts, pauses and an async ``change`` together; by default each request has
                ``Timeouts.call``, and there is no bound besides.

        Returns:
            The item as it was saved. An item that the function leaves as it was is not written.

        Raises:
            ItemNotFound: there is no such item.
            VersionConflict: somebody else wrote in between at every attempt, or when there was no time for another.
            ConditionFailed: a map that entries were changed of is gone, or is no map any more.
            NotUnique: another item has the value of a ``unique()`` attribute.
            UsageError: no Key, ``attempts`` is less than 1, the model has no version, or the function returned another
                instance, or changed the version or a key.
            InvalidKey, InvalidValue, ItemTooLarge: the key is none, or the item cannot be stored as it was changed.
            InvalidExpression: so many attributes changed that one request cannot say it.
            DecodeError: the item does not fit the model.
            CallTimeout: the time is over.
            OutcomeUnknown: the answer of a save was lost, and reading the item did not tell whether it was applied. It
                does tell where the model has an ``updated_at()``, unless others wrote more than once since.

        Costs one GetItem, at twice the capacity, and one UpdateItem an attempt; one GetItem where nothing changed.
        """
        from dynamorm_async.database.modify import Modification  # noqa: PLC0415 - loaded when first used

        return await Modification(
            self._connection.send, self._writes, key, change, attempts=attempts, timeout=timeout, note=self._note
        ).run()

    @overload
    async def delete(
        self,
        target: object,
        /,
        *,
        where: Condition | None = ...,
        returns: Literal["none"] = ...,
        hard: bool = ...,
        exactly_once: bool = ...,
        timeout: float | None = ...,
    ) -> None: ...
    @overload
    async def delete(
        self,
        target: Key[M],
        /,
        *,
        where: Condition | None = ...,
        returns: Literal["old"],
        hard: bool = ...,
        timeout: float | None = ...,
    ) -> M | None: ...
    @overload
    async def delete(
        self,
        target: M,
        /,
        *,
        where: Condition | None = ...,
        returns: Literal["old"],
        hard: bool = ...,
        timeout: float | None = ...,
    ) -> M | None: ...
    async def delete(
        self,
        target: Any,
        /,
        *,
        where: Condition | None = None,
        returns: Literal["none", "old"] = "none",
        hard: bool = False,
        exactly_once: bool = False,
        timeout: float | None = None,
    ) -> Any:  # as overloaded
        """Delete an item. One that is not there is fine, unless ``where`` says otherwise.

        Of a model with ``deleted_at()`` the item is soft-deleted: it stays, with the time of its deletion, and reads leave
        it out. That sets ``updated_at`` and moves ``version``; on the instance after success. One that is soft-deleted
        already counts as not there.

        Args:
            target: a :class:`Key`, or an instance; an instance of a versioned model under its version.
            where: what must hold of the item that is there.
            returns: ``old`` returns the item that was deleted, or ``None`` where there was none.
            hard: really delete the item, soft-deleted or not.
            exactly_once: send it as a transaction of its own, as :meth:`update` does; not with ``returns``.
            timeout: seconds for the whole call.

        Raises:
            VersionConflict: the item was written since this instance was read.
            ConditionFailed: ``where`` does not hold; the error carries the item that is there.
            InvalidKey: a key value is empty, too long, or of another type than its attribute.
            InvalidExpression: more in ``where`` than DynamoDB takes in an expression.
            UsageError: neither a Key nor an instance of a model, or ``where`` is of another one; too little is known for a key
                of an index that depends on the mark (pass the instance), or its attributes make another key than it has.
            DecodeError: it was deleted, but does not fit the model.
            OutcomeUnknown: the answer was lost, of a conditional delete or one that returns the old item. Of an instance that
                is deleted under its version it is raised where the item is still there, or there again.

        Costs one DeleteItem; a soft delete, one UpdateItem.
        """
        if self._connection.crowded:
            timeout = await self._connection.turn("DeleteItem", timeout)
        write = self._writes.delete(target, where=where, returns=returns, hard=hard)
        response = await send_write(self._connection.send, write, self._time(timeout), exactly_once=exactly_once)
        return self._decoded(write, response) if returns == "old" else None

    @overload
    async def restore(self, target: Key[M], /, *, timeout: float | None = ...) -> M: ...
    @overload
    async def restore(self, target: M, /, *, timeout: float | None = ...) -> M: ...
    async def restore(self, target: Any, /, *, timeout: float | None = None) -> Any:  # as overloaded
        """Undo a soft delete. Of an item that is not soft-deleted nothing changes.

        Sets ``updated_at`` and moves ``version``; on the instance after success.

        Args:
            target: a :class:`Key`, or an instance; an instance of a versioned model under its version.
            timeout: seconds for the whole call.

        Returns:
            The item as it is then, read from the table.

        Raises:
            ItemNotFound: there is no such item.
            VersionConflict: the item was written since this instance was read.
            UsageError: the model has no ``deleted_at()`` attribute, or it is neither a Key nor an instance of a model; or as
                :meth:`delete` does for templated keys.
            InvalidKey: a key value is empty, too long, or of another type than its attribute.
            DecodeError: the item was restored, but does not fit the model.

        Costs one UpdateItem.
        """
        if self._connection.crowded:
            timeout = await self._connection.turn("UpdateItem", timeout)
        write = self._writes.restore(target, returns="new")
        response = await send_write(self._connection.send, write, self._time(timeout))
        return self._decoded(write, response)

    def _decoded(self, write: Write, response: Response) -> Any:  # an instance of the write's model, or None
        """The item that a write returned."""
        return noting(write.spec, write.spec.reader.decode_written, self._note)(response.body)
