"""``auto_migrate``: tables become what is declared, with a backup before and data copied after, in one call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias, TypeVar, final

import msgspec

from dynamorm_async import Database, PlanRefused, UsageError, backfills
from dynamorm_async.leases import Bookkeeping
from dynamorm_async.model.spec import spec_of
from dynamorm_async.model.table import Table
from dynamorm_async.schema.applying import Applied, Progress, apply
from dynamorm_async.schema.backup import SEGMENTS, Backup, CopyBackup, OnDemandBackup, back_up, back_up_to_table
from dynamorm_async.schema.commands import plan
from dynamorm_async.schema.planning import Plan, TablePlan
from dynamorm_async.schema.steps import Permission

S = TypeVar("S")
OnMigration: TypeAlias = Callable[[Progress | backfills.Progress], Awaitable[object]]
_BATCH: Final = 100


@final
class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """What ``auto_migrate`` did.

    Attributes:
        backups: the backups, one for each table that was there and was changed.
        applied: the steps that were taken, and what is left alone.
        copied: what was copied from the source; ``None`` without one.
    """

    backups: tuple[Backup, ...]
    applied: Applied
    copied: backfills.CopyResult | None


async def auto_migrate(
    db: Database,
    *targets: type | Table,
    allow: Permission | Sequence[Permission] = (),
    backup: OnDemandBackup | CopyBackup | None = None,
    source: type[S] | None = None,
    transform: Callable[[S], Any] | None = None,
    batch_size: int = _BATCH,
    bookkeeping: Bookkeeping | None = None,
    on_progress: OnMigration | None = None,
) -> Migrated:
    """Make tables as they are declared: plan, back up, apply, and copy items from another model.

    It can be interrupted and run again: what is done is found, and copies go on where they were. It changes nothing where the
    plan holds what cannot be done, or what is declared and not allowed.

    Args:
        db: the database.
        targets: model classes or tables.
        allow: what may be taken away, as for :func:`plan`.
        backup: what is made before, of each table that is there and is to be changed.
        source: a model whose items are copied to the one model of ``targets``; what is there already stays.
        transform: makes an item of the target from one of the source, or ``None`` to leave it out; it may be async.
        batch_size: how many items are read for one page of a copy, after which there is a checkpoint.
        bookkeeping: where checkpoints of copies are kept; by default in the table ``dynamorm``.
        on_progress: an async function that is told of every step and of every page that was copied.

    Returns:
        The backups, the steps that were taken, and what was copied.

    Raises:
        UsageError: no targets; a source with other than one model as target; one copy for the backups of several tables.
        PlanRefused: DynamoDB cannot do what is declared, or it is not allowed; nothing was changed.
        BackupRefused: there is a table of the backup's name, or the copy is not whole; nothing was changed.
        PlanOutdated, TableTimeout: as :func:`apply` raises them.
        BackfillFailed: items could not be copied.
        CallError: a request failed.

    Costs what :func:`plan` and :func:`apply` cost; CreateBackup, or a Scan of the table and a PutItem for each of its items;
    and what ``backfills.copy`` costs.
    """
    into = _target(targets, source)
    if transform is not None and source is None:
        raise UsageError("auto_migrate(transform=...) without source=: name the model that it makes items from")
    planned = await plan(db, *targets, allow=allow)
    _check(planned)
    changed = [one for one in planned.tables if one.steps and one.steps[0].action != "create_table"]
    _check_places(changed, backup)
    backups = [
        await _back_up(db, one.table, backup, batch_size=batch_size, bookkeeping=bookkeeping, on_progress=on_progress)
        for one in changed
        if backup is not None
    ]
    applied = await apply(db, planned, on_progress=on_progress)
    copied = None
    if source is not None and into is not None:
        copied = await backfills.copy(
            db,
            source,
            into,
            transform,
            segments=SEGMENTS,
            page_size=batch_size,
            bookkeeping=bookkeeping,
            on_progress=on_progress,
        )
    return Migrated(backups=tuple(backups), applied=applied, copied=copied)


async def _back_up(
    db: Database,
    table: Table,
    backup: OnDemandBackup | CopyBackup,
    *,
    batch_size: int,
    bookkeeping: Bookkeeping | None,
    on_progress: OnMigration | None,
) -> Backup:
    if isinstance(backup, OnDemandBackup):
        return await back_up(db, table, backup)
    return await back_up_to_table(
        db, table, backup, page_size=batch_size, bookkeeping=bookkeeping, on_progress=on_progress
    )


def _target(targets: Sequence[type | Table], source: type | None) -> type | None:
    """The model that items are copied to."""
    if source is None:
        return None
    spec_of(source)
    if len(targets) != 1 or isinstance(targets[0], Table):
        raise UsageError(
            f"auto_migrate(source={source.__name__}) copies to one model: name that alone, and migrate the others in a call of "
            "their own"
        )
    return targets[0]


def _check(planned: Plan) -> None:
    """Refuse what would end halfway: nobody looks at the plan before it is applied."""
    held = [str(one) for one in planned.left_alone if not one.is_extra]
    reasons = [str(one) for one in planned.refused] + held
    if reasons:
        raise PlanRefused(reasons)


def _check_places(changed: Sequence[TablePlan], backup: object) -> None:
    if isinstance(backup, CopyBackup) and len(changed) > 1 and "{table}" not in backup.table:
        names = ", ".join(one.name for one in changed)
        raise UsageError(
            f'CopyBackup(table={backup.table!r}) is one table for the copies of several ({names}): write "{{table}}" in it, which '
            "stands for each name"
        )
