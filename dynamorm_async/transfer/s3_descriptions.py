"""What DynamoDB says of its exports to S3 and imports from it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, final

import msgspec

from dynamorm_async.errors import BadResponse


@final
class ExportDescription(msgspec.Struct, frozen=True, kw_only=True):
    """What DynamoDB says of an export to S3.

    Attributes:
        arn: the export.
        status: ``IN_PROGRESS``, ``COMPLETED`` or ``FAILED``.
        manifest: the S3 key of ``manifest-summary.json``; ``None`` before the end.
        bucket: where it goes.
        items: how many items there are; ``None`` before the end.
        billed_bytes: what it is paid for; ``None`` before the end.
        failure_code: why it failed; ``None`` where it did not.
        failure_message: the same in words.
        started: when it began.
        ended: when it ended.
    """

    arn: str
    status: str
    manifest: str | None = None
    bucket: str | None = None
    items: int | None = None
    billed_bytes: int | None = None
    failure_code: str | None = None
    failure_message: str | None = None
    started: datetime | None = None
    ended: datetime | None = None


@final
class ImportDescription(msgspec.Struct, frozen=True, kw_only=True):
    """What DynamoDB says of an import from S3.

    Attributes:
        arn: the import.
        status: ``IN_PROGRESS``, ``COMPLETED``, ``CANCELLING``, ``CANCELLED`` or ``FAILED``.
        table_arn: the table that it makes.
        processed: how many items were read.
        imported: how many were written: fewer, where several have one key or some were wrong.
        errors: how many were wrong; CloudWatch Logs has them.
        processed_bytes: how much was read.
        failure_code: why it failed; ``None`` where it did not.
        failure_message: the same in words.
        started: when it began.
        ended: when it ended.
    """

    arn: str
    status: str
    table_arn: str | None = None
    processed: int = 0
    imported: int = 0
    errors: int = 0
    processed_bytes: int = 0
    failure_code: str | None = None
    failure_message: str | None = None
    started: datetime | None = None
    ended: datetime | None = None


def described_export(answer: Mapping[str, Any], operation: str) -> ExportDescription:
    """The export of an answer.

    Raises:
        BadResponse: the answer has none.
    """
    found: Mapping[str, Any] = answer.get("ExportDescription") or {}
    if "ExportArn" not in found:
        raise _no_description(operation)
    return ExportDescription(
        arn=found["ExportArn"],
        status=found.get("ExportStatus", "not known"),
        manifest=found.get("ExportManifest"),
        bucket=found.get("S3Bucket"),
        items=found.get("ItemCount"),
        billed_bytes=found.get("BilledSizeBytes"),
        failure_code=found.get("FailureCode"),
        failure_message=found.get("FailureMessage"),
        started=found.get("StartTime"),
        ended=found.get("EndTime"),
    )


def described_import(answer: Mapping[str, Any], operation: str) -> ImportDescription:
    """The import of an answer.

    Raises:
        BadResponse: the answer has none.
    """
    found: Mapping[str, Any] = answer.get("ImportTableDescription") or {}
    if "ImportArn" not in found:
        raise _no_description(operation)
    return ImportDescription(
        arn=found["ImportArn"],
        status=found.get("ImportStatus", "not known"),
        table_arn=found.get("TableArn"),
        processed=found.get("ProcessedItemCount", 0),
        imported=found.get("ImportedItemCount", 0),
        errors=found.get("ErrorCount", 0),
        processed_bytes=found.get("ProcessedSizeBytes", 0),
        failure_code=found.get("FailureCode"),
        failure_message=found.get("FailureMessage"),
        started=found.get("StartTime"),
        ended=found.get("EndTime"),
    )


def _no_description(operation: str) -> BadResponse:
    return BadResponse("the answer describes no job; is the endpoint DynamoDB?", operation=operation, sent=True)
