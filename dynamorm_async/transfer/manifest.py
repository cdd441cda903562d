"""The manifests of an export to S3: what it is, and which files it has. Pure.

Source: "DynamoDB table export output format" in the developer guide. A data file's ``etag`` is that of an S3 upload of one
part: the MD5 of the MD5 of its bytes, and ``-1``.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final, Literal, final

import msgspec

from dynamorm_async.errors import FileError


@final
class ExportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an export to S3 is.

    Attributes:
        arn: the export.
        table_arn: the table.
        table_id: the table's id.
        kind: ``full``, or ``incremental``.
        export_time: the moment that a full export shows, as ISO text; ``None`` of an incremental one.
        from_time: of an incremental export, the first moment; ``None`` of a full one.
        to_time: of an incremental export, the moment after the last; ``None`` of a full one.
        view: of an incremental export, ``NEW_AND_OLD_IMAGES`` or ``NEW_IMAGE``.
        items: how many items or changes there are.
        billed_bytes: what it was paid for.
        manifest: the S3 key of the list of its files.
    """

    arn: str
    table_arn: str
    table_id: str
    kind: Literal["full", "incremental"]
    export_time: str | None
    from_time: str | None
    to_time: str | None
    view: str | None
    items: int
    billed_bytes: int
    manifest: str


@final
class DataFile(msgspec.Struct, frozen=True):
    """One file of items.

    Attributes:
        key: its S3 key.
        items: how many items or changes it has.
        md5: the MD5 of its bytes, in base64; ``None`` where the manifest does not say.
        etag: its entity tag in S3; ``None`` where the manifest does not say.
    """

    key: str
    items: int
    md5: str | None = None
    etag: str | None = None

    def check(self, digest: bytes, items: int) -> None:
        """Refuse a file that is not as the manifest says.

        Args:
            digest: the MD5 of the file's bytes.
            items: how many items it has.

        Raises:
            FileError: it was changed, or is cut.
        """
        if self.md5 is not None and base64.b64encode(digest).decode() != self.md5:
            raise FileError("is not the file of the manifest: its MD5 is another one; download it again", file=self.key)
        if self.etag is not None and not _fits(self.etag.strip('"'), digest):
            raise FileError(
                "is not the file of the manifest: its etag is another one; download it again", file=self.key
            )
        if items != self.items:
            raise FileError(f"has {items} items, and the manifest says {self.items}", file=self.key)


class _Summary(msgspec.Struct, rename="camel"):
    export_arn: str
    table_arn: str
    manifest_files_s3_key: str = msgspec.field(name="manifestFilesS3Key")
    item_count: int
    output_format: str
    table_id: str = ""
    billed_size_bytes: int = 0
    export_time: str | None = None
    export_from_time: str | None = None
    export_to_time: str | None = None
    export_type: str | None = None
    output_view: str | None = None


class _File(msgspec.Struct):
    item_count: int = msgspec.field(name="itemCount")
    key: str = msgspec.field(name="dataFileS3Key")
    md5: str | None = msgspec.field(name="md5Checksum", default=None)
    etag: str | None = None


_SUMMARY: Final = msgspec.json.Decoder(_Summary)
_FILE: Final = msgspec.json.Decoder(_File)


def parse_summary(content: bytes, file: str) -> ExportSummary:
    """The content of ``manifest-summary.json``.

    Raises:
        FileError: it is none, or of a format that this program does not read.
    """
    found = _parsed(_SUMMARY, content, file, None)
    if found.output_format != "DYNAMODB_JSON":
        raise FileError(
            f"says that the export is in the format {found.output_format}; only DYNAMODB_JSON can be read", file=file
        )
    incremental = found.export_type == "INCREMENTAL_EXPORT"
    return ExportSummary(
        arn=found.export_arn,
        table_arn=found.table_arn,
        table_id=found.table_id,
        kind="incremental" if incremental else "full",
        export_time=found.export_time,
        from_time=found.export_from_time,
        to_time=found.export_to_time,
        view=found.output_view,
        items=found.item_count,
        billed_bytes=found.billed_size_bytes,
        manifest=found.manifest_files_s3_key,
    )


def parse_file(line: bytes, file: str, number: int) -> DataFile:
    """A line of ``manifest-files.json``.

    Raises:
        FileError: it is none.
    """
    found = _parsed(_FILE, line, file, number)
    return DataFile(found.key, found.item_count, found.md5, found.etag)


def check_checksum(content: bytes, checksum: bytes, file: str) -> None:
    """Refuse a manifest that is not the one of its ``.checksum`` file, which has its MD5 in base64.

    Raises:
        FileError: it was changed, or is cut.
    """
    expected = checksum.strip()
    if base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()) != expected:
        raise FileError("was changed: its MD5 is not the one of its .checksum file", file=file)


def _parsed(decoder: msgspec.json.Decoder[Any], content: bytes, file: str, line: int | None) -> Any:  # what it decodes
    try:
        return decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FileError(f"is no manifest of an export to S3: {error}", file=file, line=line) from None


def _fits(etag: str, digest: bytes) -> bool:
    """Whether a file's entity tag can be its own; that of an upload of several parts tells nothing without them."""
    of_parts, _, parts = etag.partition("-")
    if parts not in ("", "1"):
        return True
    one = hashlib.md5(digest, usedforsecurity=False).hexdigest() if parts else digest.hex()
    return one == of_parts
