"""Exports to S3 and imports from it: what is asked for, how their end is awaited, and what goes wrong."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import botocore.session
import pytest
from botocore.validate import ParamValidator

from dynamorm_async import (
    LSI,
    BadResponse,
    Conflict,
    Database,
    JobFailed,
    JobTimeout,
    LimitExceeded,
    OutcomeUnknown,
    Provisioned,
    ServerError,
    Table,
    UsageError,
)
from dynamorm_async.errors import NotFound
from dynamorm_async.transfer import ExportDescription, ExportJob, ImportJob, start_export, start_import
from tests.unit.database.recording import RecordingControl, record
from tests.unit.transfer.transfer_models import Person, Ware, yard

pytestmark = pytest.mark.anyio

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/wares"
JOB = f"{ARN}/export/01"
TABLE = {
    "Table": {
        "TableName": "wares",
        "TableStatus": "ACTIVE",
        "TableArn": ARN,
        "KeySchema": [{"AttributeName": "ware_id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "ware_id", "AttributeType": "S"}],
    }
}
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Control(RecordingControl):
    """Scripted answers, also of operations that name no table. The answers of an operation come one after the other."""

    def __init__(self, **answers: list[Any]) -> None:
        super().__init__({"DescribeTable": [TABLE], **answers})

    async def call(
        self, operation: str, params: Mapping[str, Any], *, table: str | None, timeout: float | None
    ) -> dict[str, Any]:
        del table, timeout
        self.calls.append((operation, dict(params)))
        script: deque[Any] = self.answers[operation]
        answer = script.popleft() if len(script) > 1 else script[0]
        if isinstance(answer, Exception):
            raise answer
        found: dict[str, Any] = answer
        return found


def export(status: str = "IN_PROGRESS", **more: Any) -> dict[str, Any]:
    return {"ExportDescription": {"ExportArn": JOB, "ExportStatus": status, **more}}


def imported(status: str = "IN_PROGRESS", **more: Any) -> dict[str, Any]:
    return {"ImportTableDescription": {"ImportArn": JOB, "ImportStatus": status, **more}}


async def test_a_full_export_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the table's ARN, in DynamoDB's JSON, under a token; what is not asked for is left to DynamoDB."""
    control = Control(ExportTableToPointInTime=[export()])
    record(monkeypatch, control=control)
    async with Database() as db:
        job = await start_export(db, Ware, bucket="bucket", prefix="nightly", at=NOON, kms_key="key", token="t1")
        assert repr(job) == f"ExportJob('{JOB}')"
        await start_export(db, Ware, bucket="bucket")
    (_, first), (_, second) = (call for call in control.calls if call[0] != "DescribeTable")
    assert first == {
        "TableArn": ARN,
        "S3Bucket": "bucket",
        "S3Prefix": "nightly",
        "ExportTime": NOON,
        "ExportFormat": "DYNAMODB_JSON",
        "S3SseAlgorithm": "KMS",
        "S3SseKmsKeyId": "key",
        "ClientToken": "t1",
    }
    assert second.keys() == {"TableArn", "S3Bucket", "ExportFormat", "ClientToken"}
    assert 1 <= len(second["ClientToken"]) <= 64


async def test_an_incremental_export_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """With both ends and its view; moments without a zone mean nothing, and both kinds at once neither."""
    control = Control(ExportTableToPointInTime=[export()])
    record(monkeypatch, control=control)
    later = NOON + timedelta(hours=1)
    async with Database() as db:
        await start_export(db, Ware, bucket="bucket", changes=(NOON, later), view="new_image")
        assert control.calls[-1][1]["ExportType"] == "INCREMENTAL_EXPORT"
        assert control.calls[-1][1]["IncrementalExportSpecification"] == {
            "ExportFromTime": NOON,
            "ExportToTime": later,
            "ExportViewType": "NEW_IMAGE",
        }
        calls = len(control.calls)
        mistakes: list[dict[str, Any]] = [{"at": NOON.replace(tzinfo=None)}, {"at": NOON, "changes": (NOON, later)}]
        for wrong in mistakes:
            with pytest.raises(UsageError, match=r"time zone|leave one out"):
                await start_export(db, Ware, bucket="bucket", **wrong)
        assert len(control.calls) == calls


async def test_an_export_without_recovery_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Point-in-time recovery is what exports are made from; other conflicts stay what they are."""
    off = Conflict("no", operation="ExportTableToPointInTime", code="PointInTimeRecoveryUnavailableException")
    other = Conflict("other", operation="ExportTableToPointInTime", code="ExportConflictException")
    record(monkeypatch, control=Control(ExportTableToPointInTime=[off, other]))
    async with Database() as db:
        with pytest.raises(Conflict, match=r"point-in-time recovery of table wares is off.*enable it"):
            await start_export(db, Ware, bucket="bucket")
        with pytest.raises(Conflict, match="other"):
            await start_export(db, Ware, bucket="bucket")


async def test_a_lost_answer_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token makes that harmless; after three times it is told."""
    lost = OutcomeUnknown("lost", operation="ExportTableToPointInTime")
    control = Control(ExportTableToPointInTime=[lost, lost, export()], ImportTable=[lost])
    record(monkeypatch, control=control)
    async with Database() as db:
        assert (await start_export(db, Ware, bucket="bucket")).arn == JOB
        tokens = [params["ClientToken"] for name, params in control.calls if name != "DescribeTable"]
        assert len(tokens) == 3
        assert len(set(tokens)) == 1
        with pytest.raises(OutcomeUnknown):
            await start_import(db, Ware, bucket="bucket")
    assert [name for name, _ in control.calls].count("ImportTable") == 3


async def test_the_end_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """In growing pauses; a look that fails for a moment says nothing of the job."""
    busy = LimitExceeded("busy", operation="DescribeExport")
    done = export(
        "COMPLETED", ExportManifest="AWSDynamoDB/01/manifest-summary.json", ItemCount=3, BilledSizeBytes=9, S3Bucket="b"
    )
    record(monkeypatch, control=Control(DescribeExport=[export(), busy, *[export()] * 4, done]))
    pauses: list[float] = []
    seen: list[str] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def tell(found: ExportDescription) -> None:
        seen.append(found.status)

    async with Database() as db:
        found = await ExportJob(db, JOB, sleep=sleep).wait(on_progress=tell)
    assert (found.manifest, found.items, found.billed_bytes, found.bucket) == (
        "AWSDynamoDB/01/manifest-summary.json",
        3,
        9,
        "b",
    )
    assert pauses == [5, 10, 20, 40, 60, 60]
    assert seen == ["IN_PROGRESS"] * 5 + ["COMPLETED"]


async def test_a_job_that_fails_or_takes_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With DynamoDB's reason, or with the last status; what is wrong with a look is raised as it is."""
    failed = export("FAILED", FailureCode="S3NoSuchBucket", FailureMessage="no bucket")
    forgotten = NotFound("gone", operation="DescribeExport")
    control = Control(
        DescribeExport=[failed, forgotten, {"Something": 1}, export()], DescribeImport=[imported("CANCELLED")]
    )
    record(monkeypatch, control=control)
    async with Database() as db:
        with pytest.raises(JobFailed, match=r"has ended as FAILED: no bucket \[S3NoSuchBucket\]") as error:
            await ExportJob(db, JOB).wait()
        assert (error.value.arn, error.value.code, error.value.reason) == (JOB, "S3NoSuchBucket", "no bucket")
        with pytest.raises(NotFound):
            await ExportJob(db, JOB).wait()
        with pytest.raises(BadResponse, match="describes no job"):
            await ExportJob(db, JOB, sleep=anyio.sleep_forever).description()  # type: ignore[arg-type]  # never called
        with pytest.raises(JobTimeout, match=r"its status is IN_PROGRESS\. It goes on") as late:
            await ExportJob(db, JOB).wait(timeout=0.02)
        assert (late.value.arn, late.value.status) == (JOB, "IN_PROGRESS")
        with pytest.raises(JobFailed, match="ended as CANCELLED: DynamoDB does not say why"):
            await ImportJob(db, JOB).wait()


async def test_an_import_makes_the_table_of_the_declaration(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its keys and billing, from files as an export leaves them."""
    done = imported(
        "COMPLETED", TableArn=ARN, ProcessedItemCount=5, ImportedItemCount=4, ErrorCount=1, ProcessedSizeBytes=99
    )
    control = Control(ImportTable=[imported()], DescribeImport=[done])
    record(monkeypatch, control=control)
    async with Database(table_prefix="copy-") as db:
        job = await start_import(
            db,
            yard,
            bucket="bucket",
            prefix="AWSDynamoDB/01/data/",
            billing=Provisioned(read=1, write=2),
            bucket_owner="123456789012",
        )
        found = await job.wait()
    assert (found.table_arn, found.processed, found.imported, found.errors, found.processed_bytes) == (ARN, 5, 4, 1, 99)
    [(_, params)] = [call for call in control.calls if call[0] == "ImportTable"]
    assert params.pop("ClientToken")
    assert params == {
        "S3BucketSource": {
            "S3Bucket": "bucket",
            "S3KeyPrefix": "AWSDynamoDB/01/data/",
            "S3BucketOwner": "123456789012",
        },
        "InputFormat": "DYNAMODB_JSON",
        "InputCompressionType": "GZIP",
        "TableCreationParameters": {
            "TableName": "copy-yard",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 2},
        },
    }


async def test_what_an_import_cannot_make_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Local indexes and markers of unique values: the table would not be the declared one."""
    control = Control()
    record(monkeypatch, control=control)
    local = Table("local", partition_key="pk", sort_key="sk", indexes=[LSI("by_x", "x")])
    async with Database() as db:
        with pytest.raises(UsageError, match=r"local indexes \(by_x\), which ImportTable cannot make"):
            await start_import(db, local, bucket="bucket")
        with pytest.raises(UsageError, match=r"Person has unique\(\) values"):
            await start_import(db, Person, bucket="bucket")
    assert control.calls == []


async def test_botocore_knows_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every parameter is one of the operation's, of its type: botocore's own description is the judge."""
    control = Control(ExportTableToPointInTime=[export()], ImportTable=[imported()])
    record(monkeypatch, control=control)
    later = NOON + timedelta(hours=1)
    async with Database() as db:
        await start_export(db, Ware, bucket="bucket", prefix="p", at=NOON, kms_key="k", bucket_owner="123456789012")
        await start_export(db, Ware, bucket="bucket", changes=(NOON, later))
        await start_import(db, yard, bucket="bucket", prefix="p", bucket_owner="123456789012", compression="zstd")
    service = botocore.session.get_session().get_service_model("dynamodb")
    for operation, params in control.calls:
        shape = service.operation_model(operation).input_shape
        assert shape is not None
        assert ParamValidator().validate(params, shape).generate_report() == ""


async def test_a_server_error_while_looking_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job goes on, whatever becomes of one look at it."""
    record(
        monkeypatch,
        control=Control(DescribeImport=[ServerError("oops", operation="DescribeImport"), imported("COMPLETED")]),
    )

    async def sleep(_seconds: float) -> None:
        await anyio.lowlevel.checkpoint()

    async with Database() as db:
        assert (await ImportJob(db, JOB, sleep=sleep).wait()).status == "COMPLETED"
