"""Starting exports to S3 and imports from it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from dynamorm_async import Database, OnDemand, Provisioned, Table
from dynamorm_async.errors import Conflict, OutcomeUnknown, UsageError
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.tables import create_table
from dynamorm_async.transfer.s3_descriptions import described_export, described_import
from dynamorm_async.transfer.s3_jobs import ExportJob, ImportJob

View: TypeAlias = Literal["new_and_old_images", "new_image"]
"""What the changes of an incremental export have of an item."""

Compression: TypeAlias = Literal["gzip", "zstd", "none"]
"""How the files of an import are compressed."""

_VIEWS: Final = {"new_and_old_images": "NEW_AND_OLD_IMAGES", "new_image": "NEW_IMAGE"}
_TRIES: Final = 3


async def start_export(
    db: Database,
    target: type | Table,
    *,
    bucket: str,
    prefix: str | None = None,
    at: datetime | None = None,
    changes: tuple[datetime, datetime] | None = None,
    view: View = "new_and_old_images",
    bucket_owner: str | None = None,
    kms_key: str | None = None,
    token: str | None = None,
) -> ExportJob:
    """Begin an export of a whole table to S3, from its point-in-time recovery. It costs no capacity of the table.

    Args:
        db: knows the table.
        target: a model or table; all items of the table are exported.
        bucket: the S3 bucket.
        prefix: what stands before ``AWSDynamoDB/`` in the keys.
        at: the moment that is exported, in the time of the recovery; by default now.
        changes: of an incremental export, the first moment and the one after the last, 15 minutes to 24 hours apart.
        view: of an incremental export, whether changes have the old images as well.
        bucket_owner: the account of the bucket, where it is another one.
        kms_key: the key that the files are encrypted with; by default S3's own.
        token: makes a repeated call harmless for eight hours; one of our own by default.

    Returns:
        The job; ``await job.wait()`` waits for its end.

    Raises:
        Conflict: point-in-time recovery of the table is off, or the token was used for another export.
        ValidationFailed: the moment is outside the recovery, or the bucket cannot be written.
        LimitExceeded: too many exports at the same time.
        UsageError: a moment without a time zone, or both ``at`` and ``changes``.
        CallError: a request failed.

    Costs one DescribeTable and one ExportTableToPointInTime.
    """
    params: dict[str, Any] = {"S3Bucket": bucket, "ExportFormat": "DYNAMODB_JSON"}
    given: dict[str, Any] = {"S3Prefix": prefix, "S3BucketOwner": bucket_owner, "ExportTime": at}
    if at is not None and changes is not None:
        raise UsageError("at= is of a full export and changes= of an incremental one: leave one out")
    for moment in (at, *(changes or ())):
        if moment is not None and moment.tzinfo is None:
            raise UsageError(f"{moment!r} has no time zone: pass an aware datetime")
    if changes is not None:
        specification = {"ExportFromTime": changes[0], "ExportToTime": changes[1], "ExportViewType": _VIEWS[view]}
        given |= {"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": specification}
    if kms_key is not None:
        given |= {"S3SseAlgorithm": "KMS", "S3SseKmsKeyId": kms_key}
    name = db.tables.name(target)
    params |= {parameter: value for parameter, value in given.items() if value is not None}
    params |= {"TableArn": (await db.tables.describe(target)).arn, "ClientToken": token or str(uuid.uuid4())}
    try:
        answer = await _under_token(db, "ExportTableToPointInTime", params, table=name)
    except Conflict as error:
        if error.code != "PointInTimeRecoveryUnavailableException":
            raise
        raise _recovery_is_off(error, name) from error
    return ExportJob(db, described_export(answer, "ExportTableToPointInTime").arn)


async def start_import(
    db: Database,
    target: type | Table,
    *,
    bucket: str,
    prefix: str | None = None,
    compression: Compression = "gzip",
    billing: OnDemand | Provisioned | None = None,
    bucket_owner: str | None = None,
    token: str | None = None,
) -> ImportJob:
    """Begin an import of DynamoDB JSON from S3 into a table that it makes, with the global indexes of the declaration.

    It costs no write capacity. Once it has ended, ``db.tables.ensure(target)`` enables time to live, which ImportTable cannot.

    Args:
        db: knows the table's name.
        target: a model or table, which must not be there yet.
        bucket: the S3 bucket.
        prefix: what the keys of the files begin with; of an export, ``.../AWSDynamoDB/<id>/data/``.
        compression: of the files.
        billing: of the table; on demand by default.
        bucket_owner: the account of the bucket, where it is another one.
        token: makes a repeated call harmless for eight hours; one of our own by default.

    Returns:
        The job; ``await job.wait()`` waits for its end.

    Raises:
        TableInUse: the table is there already.
        Conflict: the token was used for another import.
        LimitExceeded: too many imports at the same time.
        UsageError: the table has local indexes, or the model unique values: ImportTable cannot make these.
        CallError: the request failed.

    Costs one ImportTable.
    """
    table = target if isinstance(target, Table) else spec_of(target).table
    name = db.tables.name(target)
    local = [index.name for index in table.indexes if index.local]
    if local:
        raise UsageError(
            f"table {table.name} has local indexes ({', '.join(local)}), which ImportTable cannot make: make the table with "
            "db.tables.create(), and write the files with import_items()"
        )
    if not isinstance(target, Table) and spec_of(target).unique:
        raise UsageError(
            f"{target.__name__} has unique() values, whose markers ImportTable does not make: write the files with "
            'import_items(mode="new")'
        )
    source = {"S3Bucket": bucket, "S3KeyPrefix": prefix, "S3BucketOwner": bucket_owner}
    params = {
        "S3BucketSource": {parameter: value for parameter, value in source.items() if value is not None},
        "InputFormat": "DYNAMODB_JSON",
        "InputCompressionType": compression.upper(),
        "TableCreationParameters": create_table(table, name, billing or OnDemand()),
        "ClientToken": token or str(uuid.uuid4()),
    }
    answer = await _under_token(db, "ImportTable", params, table=name)
    return ImportJob(db, described_import(answer, "ImportTable").arn)


async def _under_token(db: Database, operation: str, params: Mapping[str, Any], *, table: str) -> dict[str, Any]:
    """Make a call whose token makes it harmless to repeat, so that a lost answer is asked for again.

    Raises:
        OutcomeUnknown: the answer was lost again and again.
        CallError: it failed.
    """
    for _ in range(_TRIES - 1):
        try:
            return await db.call(operation, params, table=table)
        except OutcomeUnknown:
            continue
    return await db.call(operation, params, table=table)


def _recovery_is_off(error: Conflict, table: str) -> Conflict:
    return Conflict(
        f"point-in-time recovery of table {table} is off, and an export is made from it: enable it with "
        "UpdateContinuousBackups, and export moments from then on",
        operation=error.operation,
        table=table,
        attempts=error.attempts,
        code=error.code,
        status=error.status,
        request_id=error.request_id,
    )
