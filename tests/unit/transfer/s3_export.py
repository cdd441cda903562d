"""An export to S3 as DynamoDB lays it out, in a folder."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ID = "01693685827463-2d8752fd"


def md5(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()


def lay_out(folder: Path, *files: Sequence[Any], shared: bool = False, **summary: Any) -> Path:
    """Write an export of some files of lines; the folder of its manifests.

    Args:
        folder: the bucket.
        files: the lines of each file.
        shared: whether the files are where those of incremental exports are.
        summary: what else its summary says, or says otherwise.
    """
    own = folder / "AWSDynamoDB" / ID
    data = own.parent / "data" if shared else own / "data"
    data.mkdir(parents=True)
    own.mkdir(exist_ok=True)
    (own / "_started").write_bytes(b"")
    listed: list[dict[str, Any]] = []
    for number, lines in enumerate(files):
        content = gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines)) if lines else b""
        path = data / f"file{number}.json.gz"
        path.write_bytes(content)
        listed.append(
            {
                "itemCount": len(lines),
                "md5Checksum": base64.b64encode(md5(content)).decode(),
                "etag": f"{md5(md5(content)).hex()}-1",
                "dataFileS3Key": path.relative_to(folder).as_posix(),
            }
        )
    said = {
        "version": "2020-06-30",
        "exportArn": f"arn:aws:dynamodb:eu-west-1:123456789012:table/users/export/{ID}",
        "startTime": "2026-11-04T07:28:34.028Z",
        "endTime": "2026-11-04T07:33:43.897Z",
        "tableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/users",
        "tableId": "12345a12-abcd-123a-ab12-1234abc12345",
        "exportTime": "2026-11-04T07:28:34.028Z",
        "s3Bucket": "bucket",
        "s3Prefix": None,
        "s3SseAlgorithm": "AES256",
        "s3SseKmsKeyId": None,
        "manifestFilesS3Key": f"AWSDynamoDB/{ID}/manifest-files.json",
        "billedSizeBytes": 0,
        "itemCount": sum(map(len, files)),
        "outputFormat": "DYNAMODB_JSON",
        **summary,
    }
    write_manifest(own, "manifest-summary", json.dumps(said).encode())
    write_manifest(own, "manifest-files", b"".join(json.dumps(line).encode() + b"\n" for line in listed))
    return own


def write_manifest(own: Path, name: str, content: bytes) -> None:
    """Write a manifest and its checksum."""
    (own / f"{name}.json").write_bytes(content)
    (own / f"{name}.checksum").write_bytes(base64.b64encode(md5(content)))
