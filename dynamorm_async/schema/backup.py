"""Backups before a table is changed: DynamoDB's own, or a copy to a table that must not exist."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, final

import anyio
import msgspec

from dynamorm_async import (
    Attr,
    BackupRefused,
    Conflict,
    Database,
    LimitExceeded,
    OutcomeUnknown,
    TableInUse,
    TableTimeout,
    model,
    partition_key,
    sort_key,
)
from dynamorm_async.backfills import CopyResult, OnProgress, copy
from dynamorm_async.leases import Bookkeeping
from dynamorm_async.model.spec import spec_of
from dynamorm_async.model.table import KeyPart, Table

_PLACE: Final = "{table}"
_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
SEGMENTS: Final = 16
"""In how many parts a table is copied: what several processes can share, and little enough for small tables."""
_BACKUP_SECONDS: Final = 3600.0
_TYPES: Final[Mapping[str, Any]] = {"S": Attr[str], "N": Attr[Decimal], "B": Attr[bytes]}


@final
class OnDemandBackup(msgspec.Struct, frozen=True, kw_only=True):
    """DynamoDB's own backup of a table, made before it is changed. To restore it is to make a new table of it.

    Attributes:
        name: the backup's name, 3 to 255 of ``a-z A-Z 0-9 _ . -``; backups may have the same name.
    """

    name: str


@final
class CopyBackup(msgspec.Struct, frozen=True, kw_only=True):
    """A copy of a table's items in another one, made before it is changed. It is no snapshot: stop the writers meanwhile.

    The other table must not exist. A table that is there is never deleted and never written to, except by another run of
    a copy that was interrupted.

    Attributes:
        table: the other table's name, without the database's prefix; ``{table}`` in it stands for the table's own.
    """

    table: str


@final
class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was made.

    Attributes:
        table: the full name of the table that it is of.
        arn: of DynamoDB's own backup; ``None`` of a copy.
        copy_table: the full name of the table that holds the copy; ``None`` of DynamoDB's own.
        copied: what was copied and counted; ``None`` of DynamoDB's own.
    """

    table: str
    arn: str | None = None
    copy_table: str | None = None
    copied: CopyResult | None = None


async def back_up(db: Database, table: Table, how: OnDemandBackup, *, timeout: float = _BACKUP_SECONDS) -> Backup:
    """Make an on-demand backup, and wait until it is available.

    Raises:
        TableTimeout: it is not available in time.
        CallError: a request failed.

    Costs ListBackups, CreateBackup, and DescribeBackup until it is available.
    """
    name = db.tables.name(table)
    arn: str | None = None
    with anyio.move_on_after(timeout):
        known = await _arns(db, name, how.name)
        arn = await _create(db, name, how.name, known)
        pause = _PAUSE
        while True:
            answer = await db.call("DescribeBackup", {"BackupArn": arn}, table=name)
            if answer["BackupDescription"]["BackupDetails"]["BackupStatus"] == "AVAILABLE":
                return Backup(table=name, arn=arn)
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
    raise TableTimeout(
        f"the backup {how.name} of table {name} is not available after {timeout:g} seconds; nothing else was changed",
        table=name,
        status="CREATING" if arn else "not begun",
    )


async def _create(db: Database, table: str, name: str, known: frozenset[str]) -> str:
    pause = _PAUSE
    while True:
        try:
            answer = await db.call("CreateBackup", {"TableName": table, "BackupName": name})
        except OutcomeUnknown:
            made = await _arns(db, table, name) - known
            if made:
                return next(iter(made))
        except (Conflict, LimitExceeded, TableInUse):  # something else is under way: it is waited for
            pass
        else:
            return str(answer["BackupDetails"]["BackupArn"])
        await anyio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


async def _arns(db: Database, table: str, name: str) -> frozenset[str]:
    """The backups of a table that have a name."""
    arns: set[str] = set()
    more: dict[str, Any] = {}
    while True:
        answer = await db.call("ListBackups", {"TableName": table, **more})
        arns |= {one["BackupArn"] for one in answer.get("BackupSummaries") or () if one["BackupName"] == name}
        if not answer.get("LastEvaluatedBackupArn"):
            return frozenset(arns)
        more = {"ExclusiveStartBackupArn": answer["LastEvaluatedBackupArn"]}


async def back_up_to_table(
    db: Database,
    table: Table,
    how: CopyBackup,
    *,
    bookkeeping: Bookkeeping | None = None,
    page_size: int = 100,
    on_progress: OnProgress | None = None,
) -> Backup:
    """Copy every item of a table, of whatever model, to a new table with the same key; count and compare.

    Interrupted, it goes on where it was when it is run again.

    Args:
        db: the database.
        table: the table.
        how: where to.
        bookkeeping: where it is noted whose the other table is; by default in the table ``dynamorm``.
        page_size: how many items are read for one page, after which there is a checkpoint.
        on_progress: is told how far the copy is.

    Raises:
        BackupRefused: the other table is there, and is not an unfinished copy of this one; or it has fewer items in the end.
        BackfillFailed: items could not be copied.
        CallError: a request failed.

    Costs a Scan of the table, a PutItem for each item, a Scan of both tables to count, and a few requests of bookkeeping.
    """
    source = db.tables.name(table)
    target = Table(
        how.table.replace(_PLACE, table.name),
        partition_key=table.partition_key.name,
        sort_key=None if table.sort_key is None else table.sort_key.name,
        types={part.name: part.tag for part in table.key_parts()},
        discriminator=None,
    )
    books = bookkeeping or Bookkeeping(db)
    await books.ensure()
    note = _Note(db, books, source=source, target=db.tables.name(target))
    exists = await db.tables.exists(target)
    run = await note.begin(exists=exists)
    await (db.tables.ensure(target) if exists else _make(db, target, source))
    done = await copy(
        db,
        _items(table),
        (whole := _items(target)),
        lambda item: _as(item, whole),
        name=f"backup of {source} as {note.target} ({run})",
        guarded=False,
        segments=SEGMENTS,
        page_size=page_size,
        bookkeeping=books,
        on_progress=on_progress,
    )
    if done.missing:
        raise BackupRefused(
            f"the copy of table {source} in {note.target} has {done.target_items} items, the table has {done.source_items}: "
            "it was written to while it was copied. Nothing was changed; stop the writers and copy to another table, or use "
            "OnDemandBackup",
            table=source,
        )
    await note.finish()
    return Backup(table=source, copy_table=note.target, copied=done)


class _Note:
    """The item of the bookkeeping table that says whose copy a table is, and whether it is whole."""

    def __init__(self, db: Database, books: Bookkeeping, *, source: str, target: str) -> None:
        self._db = db
        self._table = books.table_name
        self._key = {"pk": {"S": f"backup#{target}"}, "sk": {"S": "-"}}
        self._source = source
        self.target = target
        self._run = ""

    async def begin(self, *, exists: bool) -> str:
        """The id of the run that is to be made, or to be gone on with.

        Raises:
            BackupRefused: the other table is there, and no unfinished copy of this one.
        """
        answer = await self._call("GetItem", Key=self._key, ConsistentRead=True)
        item: dict[str, dict[str, str]] = answer.get("Item") or {}
        note = {name: value["S"] for name, value in item.items()}
        if exists:
            self._check(note)
            self._run = note["run"]
        else:
            self._run = uuid.uuid4().hex
            await self._put("copying")
        return self._run

    def _check(self, note: Mapping[str, str]) -> None:
        if note.get("source") == self._source and note.get("state") == "copying":
            return
        finished = note.get("source") == self._source
        what = (
            "it is a finished backup of this table"
            if finished
            else "it is nothing that this library made as a copy of it"
        )
        raise BackupRefused(
            f"table {self._source} cannot be backed up as {self.target}: there is such a table, and {what}. It is neither "
            "deleted nor written to, and nothing was changed; give the backup another name",
            table=self._source,
        )

    async def finish(self) -> None:
        await self._put("whole")

    async def _put(self, state: str) -> None:
        facts = {"source": self._source, "run": self._run, "state": state}
        await self._call("PutItem", Item={**self._key, **{name: {"S": fact} for name, fact in facts.items()}})

    async def _call(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self._db.call(operation, {"TableName": self._table, **params})


def _items(table: Table) -> type[Any]:
    """A model of every item of a table, whatever it is: the key, and all else as it is stored."""
    bare = Table(
        table.name,
        partition_key=table.partition_key.name,
        sort_key=None if table.sort_key is None else table.sort_key.name,
        types={part.name: part.tag for part in table.key_parts()},
        discriminator=None,
    )
    parts: dict[str, tuple[KeyPart, Any]] = {
        "key": (table.partition_key, partition_key(name=table.partition_key.name)),
    }
    if table.sort_key is not None:
        parts["sort"] = table.sort_key, sort_key(name=table.sort_key.name)
    body = {name: declared for name, (_, declared) in parts.items()}
    annotations = {name: _TYPES[part.tag] for name, (part, _) in parts.items()}
    return model(bare, unknown="keep")(type("AnyItem", (), {**body, "__annotations__": annotations}))


def _as(item: object, whole: type[Any]) -> Any:
    """The same item in the other table's model."""
    return spec_of(whole).codec.decode(spec_of(type(item)).codec.encode(item))


async def _make(db: Database, target: Table, source: str) -> None:
    try:
        await db.tables.create(target)
    except TableInUse as error:
        raise BackupRefused(
            f"table {db.tables.name(target)} was made by somebody else just now, and is not touched: copy table {source} to "
            "another one",
            table=source,
        ) from error
