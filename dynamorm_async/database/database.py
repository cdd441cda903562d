"""``Database``: what applications open once and call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, final, overload

from dynamorm_async.database.access import Access
from dynamorm_async.database.connection import Connection
from dynamorm_async.database.metering import Meter, Statistics
from dynamorm_async.database.reading import Query, Scan
from dynamorm_async.database.tables import Tables
from dynamorm_async.database.targets import read_target
from dynamorm_async.database.transaction import Transaction
from dynamorm_async.database.writing import send_write
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.expressions.updates import Update
from dynamorm_async.model.key import Key
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.capacity import Report
from dynamorm_async.plan.cursors import CursorCodec
from dynamorm_async.plan.items import get_item
from dynamorm_async.plan.transactions import check_token
from dynamorm_async.plan.write import Returns
from dynamorm_async.plan.writes import Writes
from dynamorm_async.transport.base import CredentialProvider, Credentials, Endpoint, Timeouts
from dynamorm_async.transport.lanes import LaneChoice, LaneName, TransportSettings
from dynamorm_async.types import UNSET

M = TypeVar("M")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@final
class Database:
    """DynamoDB in one region and account, through one pool of connections.

    Open it once in an application (``async with Database(...) as db``) and share it between tasks. It belongs to the
    event loop that first used it. Nothing is opened or read before the first call.

    Args:
        region: the AWS region; by default ``AWS_REGION``, ``AWS_DEFAULT_REGION``, or the profile's.
        endpoint: the endpoint's URL, for local engines and the like; by default ``AWS_ENDPOINT_URL_DYNAMODB``,
            ``AWS_ENDPOINT_URL``, or the region's own.
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
        clock: the time for ``created_at`` and ``updated_at``: a function that returns an aware datetime.

    Every call may raise ``CallError`` (a request failed), ``CredentialsError``, ``ConfigurationError`` (on first use)
    and ``DatabaseClosed``; ``UsageError`` says that a call cannot work as written, before anything is sent.
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
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        settings = TransportSettings(
            region=region,
            endpoint=endpoint,
            profile=profile,
            credentials=credentials,
            lane=lane,
            pool_size=pool_size,
            timeouts=timeouts or Timeouts(),
            ca_bundle=None if ca_bundle is None else Path(ca_bundle),
        )
        self._connection = Connection(settings, report=capacity)
        cursors = CursorCodec(cursor_secrets, lifetime=cursor_lifetime, now=lambda: clock().timestamp())
        self._access = Access(send=self._connection.send, cursors=cursors)
        self._prefix = table_prefix
        self._writes = Writes(prefix=table_prefix, clock=clock)
        self._tables = Tables(self._connection, table_prefix)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Wait for calls under way, then close every connection; later calls raise ``DatabaseClosed``."""
        await self._connection.aclose()

    @property
    def tables(self) -> Tables:
        """Create, ensure, describe and delete tables."""
        return self._tables

    @property
    def lane(self) -> LaneName | None:
        """Which lane was taken; ``None`` before the first call."""
        return self._connection.lane

    @property
    def endpoint(self) -> Endpoint | None:
        """Where requests go; ``None`` before the first call."""
        return self._connection.endpoint

    def statistics(self) -> Statistics:
        """Requests, retries and consumed capacity so far."""
        return self._connection.metering.total.statistics

    def measure(self) -> AbstractContextManager[Meter]:
        """Count what a block does, tasks that it starts included::

        with db.measure() as meter:
            await db.get(User, "acme", "u1")
        print(meter.statistics.capacity.read)
        """
        return self._connection.metering.measure()

    def __repr__(self) -> str:
        endpoint = self._connection.endpoint
        return f"<Database {endpoint.url if endpoint else 'not connected yet'}>"

    @overload
    async def get(
        self,
        target: type[M],
        partition: object,
        sort: object = ...,
        /,
        *,
        consistent: bool = ...,
        timeout: float | None = ...,
    ) -> M | None: ...
    @overload
    async def get(self, target: Key[M], /, *, consistent: bool = ..., timeout: float | None = ...) -> M | None: ...
    async def get(
        self,
        target: type[M] | Key[M],
        partition: object = UNSET,
        sort: object = UNSET,
        /,
        *,
        consistent: bool = False,
        timeout: float | None = None,
    ) -> M | None:
        """One item by its key, or ``None``.

        Args:
            target: a :class:`Key`, or a model class followed by its key values.
            partition: the partition key's value.
            sort: the sort key's value, where the model has a sort key.
            consistent: a strongly consistent read: twice the capacity.
            timeout: seconds for the whole call.

        Raises:
            InvalidKey: a key value is missing, empty, or of another type than its attribute.
            DecodeError: the item does not fit the model.

        Costs one GetItem.
        """
        spec, values = read_target(target, partition, sort)
        request = get_item(self._prefix + spec.table.name, spec.codec.encode_key(*values), consistent=consistent)
        return spec.codec.decode_get((await self._connection.send(request, timeout)).body)

    def query(self, model: type[M]) -> Query[M]:
        """Items of one partition key: ``db.query(User).where(User.org == "acme")``. See :class:`Query`."""
        spec = spec_of(model)
        return Query(spec, self._prefix + spec.table.name, self._access)

    def scan(self, model: type[M]) -> Scan[M]:
        """All items of a model's table, which reads and costs the whole table. See :class:`Scan`."""
        spec = spec_of(model)
        return Scan(spec, self._prefix + spec.table.name, self._access)

    def transaction(
        self, *, token: str | None = None, at: datetime | None = None, timeout: float | None = None
    ) -> Transaction:
        """Writes and checks that are made all or not at all. See :class:`Transaction`.

        Args:
            token: makes a repeated call harmless for ten minutes: 1 to 36 characters, the same for the same operations.
                One of our own, kept over retries, by default.
            at: the time for ``created_at`` and ``updated_at``. With a ``token`` give it the time of your caller's request:
                a repeated transaction has to be the same to the byte, or it is an ``IdempotentParameterMismatch``.
            timeout: seconds for each request.

        Raises:
            UsageError: the token is empty or too long.
        """
        writes = self._writes if at is None else Writes(prefix=self._prefix, clock=lambda: at)
        return Transaction(
            self._connection.send, writes, token=None if token is None else check_token(token), timeout=timeout
        )

    async def create(self, item: M, *, timeout: float | None = None) -> M:
        """Write a new item.

        Sets ``created_at`` (unless it was given), ``updated_at`` and ``version`` 1; on the instance after success.

        Args:
            item: an instance of a model.
            timeout: seconds for the whole call.

        Returns:
            The same instance.

        Raises:
            ItemExists: the key is taken; the error carries the item that is there.
            InvalidValue, InvalidKey, ItemTooLarge: the item cannot be stored.
            OutcomeUnknown: the answer was lost, so the item may or may not have been written.

        Costs one PutItem.
        """
        await send_write(self._connection.send, self._writes.create(item), timeout)
        return item

    @overload
    async def put(
        self,
        item: object,
        *,
        where: Condition | None = ...,
        returns: Literal["none"] = ...,
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
        timeout: float | None = None,
    ) -> M | None:
        """Write an item whole, over whatever has its key.

        A model with a ``version()`` is written only over the version that the instance has (a new instance: over no
        item), so that nobody's change is lost. ``created_at`` is kept where the instance has one.

        Args:
            item: an instance of a model.
            where: what must hold of the item that is there.
            returns: ``old`` returns the item that was overwritten, or ``None`` where there was none.
            timeout: seconds for the whole call.

        Raises:
            VersionConflict: the item was written since this version of it was read.
            ConditionFailed: ``where`` does not hold; the error carries the item that is there.
            InvalidValue, InvalidKey, ItemTooLarge: the item cannot be stored.
            OutcomeUnknown: the answer of a conditional write was lost.

        Costs one PutItem.
        """
        write = self._writes.put(item, where=where, returns=returns)
        response = await send_write(self._connection.send, write, timeout)
        return write.spec.codec.decode_written(response.body) if returns == "old" else None

    @overload
    async def update(
        self,
        key: Key[M],
        /,
        *changes: Update,
        where: Condition | None = ...,
        upsert: bool = ...,
        returns: Literal["new"] = ...,
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
        returns: Literal["none"],
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
        timeout: float | None = None,
    ) -> M | None:
        """Change some attributes of an item without reading it first.

        Sets ``updated_at`` and moves ``version``. An item that is not there is an error unless ``upsert`` is set:
        DynamoDB itself would make one of the changed attributes alone.

        Args:
            key: which item.
            changes: such as ``User.age.add(1)``, ``User.email.set("a@b.c")``, ``User.tags.discard({"x"})``.
            where: what must hold of the item that is there.
            upsert: make the item where there is none.
            returns: the item as it is then (``new``), as it was (``old``; ``None`` where there was none), or ``none``.
            timeout: seconds for the whole call.

        Raises:
            ItemNotFound: there is no such item.
            ConditionFailed: ``where`` does not hold; the error carries the item that is there.
            UsageError: no changes, or a change of a key or of the version.
            InvalidExpression: two changes of the same path.
            DecodeError: the change was made, but the item does not fit the model.
            OutcomeUnknown: the answer of a change that is not safe to repeat was lost.

        Costs one UpdateItem.
        """
        write = self._writes.update(key, changes, where=where, upsert=upsert, returns=returns)
        response = await send_write(self._connection.send, write, timeout)
        return None if returns == "none" else write.spec.codec.decode_written(response.body)

    async def save(self, item: M, *, timeout: float | None = None) -> M:
        """Write what changed on an instance since it was read or written; nothing changed costs no request.

        Attributes that the model does not have, and those that did not change here, stay as they are in the table.
        Under the instance's version, where the model has one. An instance that was neither read nor written (a new
        one, or the result of ``attrs.evolve``) is created.

        Args:
            item: an instance of a model.
            timeout: seconds for the whole call.

        Returns:
            The same instance.

        Raises:
            VersionConflict: the item was written, or deleted, since this version of it was read.
            ItemNotFound: the item is gone (a model without a version).
            ItemExists: a new instance whose key is taken.
            UsageError: a key attribute was changed.
            InvalidValue, ItemTooLarge: the item cannot be stored.
            OutcomeUnknown: the answer of a versioned write was lost.

        Costs one UpdateItem, or none.
        """
        write = self._writes.save(item)
        if write is not None:
            await send_write(self._connection.send, write, timeout)
        return item

    @overload
    async def delete(
        self,
        target: object,
        /,
        *,
        where: Condition | None = ...,
        returns: Literal["none"] = ...,
        timeout: float | None = ...,
    ) -> None: ...
    @overload
    async def delete(
        self, target: Key[M], /, *, where: Condition | None = ..., returns: Literal["old"], timeout: float | None = ...
    ) -> M | None: ...
    @overload
    async def delete(
        self, target: M, /, *, where: Condition | None = ..., returns: Literal["old"], timeout: float | None = ...
    ) -> M | None: ...
    async def delete(
        self,
        target: Any,
        /,
        *,
        where: Condition | None = None,
        returns: Literal["none", "old"] = "none",
        timeout: float | None = None,
    ) -> Any:  # as overloaded
        """Delete an item. One that is not there is fine, unless ``where`` says otherwise.

        Args:
            target: a :class:`Key`, or an instance; an instance of a versioned model under its version.
            where: what must hold of the item that is there.
            returns: ``old`` returns the item that was deleted, or ``None`` where there was none.
            timeout: seconds for the whole call.

        Raises:
            VersionConflict: the item was written since this instance was read.
            ConditionFailed: ``where`` does not hold; the error carries the item that is there.
            OutcomeUnknown: the answer of a conditional delete was lost.

        Costs one DeleteItem.
        """
        write = self._writes.delete(target, where=where, returns=returns)
        response = await send_write(self._connection.send, write, timeout)
        return write.spec.codec.decode_written(response.body) if returns == "old" else None
