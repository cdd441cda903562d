"""Exports to S3 and imports from it, which DynamoDB runs itself: how they stand, and waiting for their end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar, final

import anyio

from dynamorm_async import Database
from dynamorm_async.errors import CallError, JobFailed, JobTimeout
from dynamorm_async.transfer.running import tell
from dynamorm_async.transfer.s3_descriptions import (
    ExportDescription,
    ImportDescription,
    described_export,
    described_import,
)

_FIRST_PAUSE: Final = 5.0
_LONGEST_PAUSE: Final = 60.0
_WAIT: Final = 6 * 3600.0

D = TypeVar("D", ExportDescription, ImportDescription)


class _Job(Generic[D]):
    """A job that DynamoDB runs."""

    _what = "the job"

    def __init__(self, db: Database, arn: str, *, sleep: Callable[[float], Awaitable[object]] = anyio.sleep) -> None:
        self._db = db
        self.arn = arn
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.arn!r})"

    async def description(self) -> D:
        """How it stands.

        Raises:
            NotFound: there is no such job, or no more: DynamoDB forgets them after 90 days.
            CallError: the request failed.

        Costs one request.
        """
        raise NotImplementedError

    async def wait(self, *, timeout: float = _WAIT, on_progress: Callable[[D], Awaitable[object]] | None = None) -> D:
        """Wait until it has ended, and look in growing pauses of 5 to 60 seconds.

        Args:
            timeout: seconds to wait at most.
            on_progress: an async function that is told how it stands, after each look.

        Returns:
            How it stands then.

        Raises:
            JobFailed: it has failed, or was cancelled.
            JobTimeout: it has not ended in time; it goes on.
            CallError: a look failed, and would fail again.

        Costs one request a look.
        """
        pause, status = _FIRST_PAUSE, "not known"
        with anyio.move_on_after(timeout):
            while True:
                try:
                    found = await self.description()
                except CallError as error:
                    if not error.retryable:  # else the look has failed, not the job
                        raise
                else:
                    status = found.status
                    await tell(on_progress, found)
                    if status == "COMPLETED":
                        return found
                    if status in ("FAILED", "CANCELLED"):
                        raise self._failed(found)
                await self._sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
        raise JobTimeout(
            f"{self._what} {self.arn} has not ended after {timeout:g} seconds; its status is {status}. It goes on: wait again",
            arn=self.arn,
            status=status,
        )

    def _failed(self, found: D) -> JobFailed:
        code, reason = found.failure_code or found.status, found.failure_message or "DynamoDB does not say why"
        message = f"{self._what} {self.arn} has ended as {found.status}: {reason} [{code}]"
        return JobFailed(message, arn=self.arn, code=code, reason=reason)


@final
class ExportJob(_Job[ExportDescription]):
    """An export to S3; made by :func:`start_export`, or by hand of the ARN of one: ``ExportJob(db, arn)``."""

    _what = "the export"

    async def description(self) -> ExportDescription:
        """How it stands.

        Raises:
            NotFound: there is no such export, or no more.
            CallError: the request failed.

        Costs one DescribeExport.
        """
        answer = await self._db.call("DescribeExport", {"ExportArn": self.arn})
        return described_export(answer, "DescribeExport")


@final
class ImportJob(_Job[ImportDescription]):
    """An import from S3; made by :func:`start_import`, or by hand of the ARN of one: ``ImportJob(db, arn)``."""

    _what = "the import"

    async def description(self) -> ImportDescription:
        """How it stands.

        Raises:
            NotFound: there is no such import, or no more.
            CallError: the request failed.

        Costs one DescribeImport.
        """
        answer = await self._db.call("DescribeImport", {"ImportArn": self.arn})
        return described_import(answer, "DescribeImport")
