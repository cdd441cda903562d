"""Items in files: export and import, and DynamoDB's own exports to S3 and imports from it."""

from __future__ import annotations

from dynamorm_async.transfer.exporting import export_items
from dynamorm_async.transfer.importing import import_items
from dynamorm_async.transfer.manifest import DataFile, ExportSummary
from dynamorm_async.transfer.results import ExportResult, ImportResult, LineFailure
from dynamorm_async.transfer.s3_descriptions import ExportDescription, ImportDescription
from dynamorm_async.transfer.s3_jobs import ExportJob, ImportJob
from dynamorm_async.transfer.s3_reading import Change, ExportReader, read_changes, read_export
from dynamorm_async.transfer.s3_starting import start_export, start_import

__all__ = [
    "Change",
    "DataFile",
    "ExportDescription",
    "ExportJob",
    "ExportReader",
    "ExportResult",
    "ExportSummary",
    "ImportDescription",
    "ImportJob",
    "ImportResult",
    "LineFailure",
    "export_items",
    "import_items",
    "read_changes",
    "read_export",
    "start_export",
    "start_import",
]
