"""Exports to S3: read as models, and held against their manifests."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from dynamorm_async import DecodeError, FileError, UnrecognizedItem, UsageError
from dynamorm_async.transfer import Change, read_changes, read_export
from dynamorm_async.transfer.manifest import DataFile
from tests.unit.transfer.s3_export import ID, lay_out, write_manifest
from tests.unit.transfer.transfer_models import Barn, Cow, Patient, Ware, yard

pytestmark = pytest.mark.anyio


def item(n: int) -> dict[str, Any]:
    return {"Item": {"ware_id": {"S": f"w{n}"}, "photo": {"B": "AP8="}}}


COW = {"pk": {"S": "FARM#f"}, "sk": {"S": "COW#0007"}, "_type": {"S": "cow"}, "farm": {"S": "f"}, "number": {"N": "7"}}
BARN = {"pk": {"S": "FARM#f"}, "sk": {"S": "BARN"}, "_type": {"S": "barn"}, "farm": {"S": "f"}, "places": {"N": "3"}}


async def read(source: Any, target: Any = None, **options: Any) -> list[Any]:
    async with read_export(source, target, **options) as export:
        return [found async for found in export]


async def test_a_full_export_is_read_as_its_model(tmp_path: Path) -> None:
    """Item by item and file after file, empty ones among them; its summary and its files are known before."""
    own = lay_out(tmp_path, [item(n) for n in range(3)], [], [item(n) for n in range(3, 2000)])
    async with read_export(own, Ware) as export:
        assert (export.summary.kind, export.summary.items, export.summary.table_id) == (
            "full",
            2000,
            "12345a12-abcd-123a-ab12-1234abc12345",
        )
        assert [file.items for file in export.files] == [3, 0, 1997]
        await export.verify()
        found = [ware async for ware in export]
        assert [ware async for ware in export] == []
    assert found == [Ware(ware_id=f"w{n}", photo=b"\0\xff") for n in range(2000)]
    assert len(await read(own / "manifest-summary.json", Ware)) == 2000
    assert (await read(str(own)))[0] == {"ware_id": {"S": "w0"}, "photo": {"B": b"\0\xff"}}


async def test_a_table_is_read_as_all_its_models(tmp_path: Path) -> None:
    """Each item as its own; one of none that is known is an error."""
    own = lay_out(tmp_path, [{"Item": COW}, {"Item": BARN}], [{"Item": {**COW, "_type": {"S": "pig"}}}])
    async with read_export(own, yard) as export:
        assert await anext(export) == Cow(farm="f", number=7)
        assert await anext(export) == Barn(farm="f", stalls=3)
        with pytest.raises(UnrecognizedItem):
            await anext(export)


async def test_encrypted_attributes_are_not_there(tmp_path: Path) -> None:
    """An export has ciphertexts: the instance comes without them, and says so where they are asked for."""
    lines = [{"Item": {"patient_id": {"S": "p1"}, "ward": {"S": "a"}, "ssn": {"B": "AA=="}}}]
    [patient] = await read(lay_out(tmp_path, lines), Patient)
    assert (patient.patient_id, patient.ward) == ("p1", "a")
    with pytest.raises(AttributeError):
        _ = patient.ssn


async def test_changes_are_read_with_their_images(tmp_path: Path) -> None:
    """New and old items as models, what was deleted, and when; the files lie in the folder that exports share."""
    key = {"ware_id": {"S": "w1"}}
    when = {"Metadata": {"WriteTimestampMicros": {"N": "1680109764000001"}}, "Keys": key}
    new, old = ({**key, "photo": {"B": photo}} for photo in ("AQ==", "AA=="))
    lines = [{**when, "NewImage": new}, {**when, "NewImage": new, "OldImage": old}, {**when, "OldImage": old}, when]
    said = {"exportType": "INCREMENTAL_EXPORT", "outputView": "NEW_AND_OLD_IMAGES", "version": "2023-08-01", "exportTime": None,
            "exportFromTime": "2023-03-29T00:00:00Z", "exportToTime": "2023-03-30T00:00:00Z"}  # fmt: skip
    own = lay_out(tmp_path, lines, shared=True, **said)
    async with read_changes(own, Ware) as export:
        found = [change async for change in export]
        assert (export.summary.kind, export.summary.view, export.summary.from_time) == (
            "incremental",
            "NEW_AND_OLD_IMAGES",
            "2023-03-29T00:00:00Z",
        )
    then, now = Ware(ware_id="w1", photo=b"\0"), Ware(ware_id="w1", photo=b"\1")
    moment = datetime(2023, 3, 29, 17, 9, 24, 1, tzinfo=UTC)
    assert found == [
        Change(key=key, new=new_item, old=old_item, written=moment)
        for new_item, old_item in ((now, None), (now, then), (None, then), (None, None))
    ]
    assert [change.deleted for change in found] == [False, False, True, True]
    with pytest.raises(FileError, match=r"is an incremental export: read it with read_changes\(\)"):
        await read(own, Ware)


async def test_files_may_come_from_anywhere(tmp_path: Path) -> None:
    """A function opens them by their S3 keys: async or not, as objects, paths or iterables."""
    lay_out(tmp_path, [item(1)], [item(2)])
    asked: list[str] = []

    async def pieces(path: Path) -> AsyncIterator[bytes]:
        yield await anyio.Path(path).read_bytes()

    def open_file(key: str) -> Any:
        asked.append(key)
        return [tmp_path / key, io.BytesIO((tmp_path / key).read_bytes()), pieces(tmp_path / key)][len(asked) % 3]

    async def open_later(key: str) -> Path:
        return tmp_path / key

    manifest = f"AWSDynamoDB/{ID}/manifest-summary.json"
    assert [ware.ware_id for ware in await read(open_file, Ware, manifest=manifest)] == ["w1", "w2"]
    assert asked[1:] == [
        f"AWSDynamoDB/{ID}/{name}" for name in ("manifest-files.json", "data/file0.json.gz", "data/file1.json.gz")
    ]
    assert len(await read(open_later, Ware, manifest=manifest)) == 2
    with pytest.raises(UsageError, match="needs manifest="):
        read_export(open_file, Ware)
    with pytest.raises(UsageError, match="has its manifest in it"):
        read_export(tmp_path, Ware, manifest=manifest)
    with pytest.raises(UsageError, match="expected a model class or a Table"):
        read_export(tmp_path, 17)  # type: ignore[call-overload]  # the mistake
    with pytest.raises(UsageError, match="was not entered"):
        await anext(read_export(tmp_path, Ware))


def _edit(name: str, change: Callable[[bytes], bytes], *, sums: bool = True) -> Callable[[Path], None]:
    def edit(own: Path) -> None:
        path = own / name
        content = change(path.read_bytes())
        if sums and name.startswith("manifest"):
            write_manifest(own, path.stem, content)
        else:
            path.write_bytes(content)

    return edit


def _missing(name: str) -> Callable[[Path], None]:
    return lambda own: (own / name).unlink()


FILE = "data/file0.json.gz"


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (_edit(FILE, lambda content: content[:-4]), "is cut"),
        (_edit(FILE, lambda _: b""), "is empty"),
        (_edit(FILE, lambda _: gzip.compress(json.dumps(item(1)).encode())), "its MD5 is another one"),
        (_edit(FILE, gzip.decompress), "is called .gz, but is not a gzip file"),
        (_edit("manifest-files.json", lambda text: text.replace(b'"md5Checksum"', b'"other"')), None),
        (_edit("manifest-files.json", lambda text: text.replace(b'"etag": "', b'"etag": "0')), "its etag is another one"),
        (_edit("manifest-files.json", lambda text: text.replace(b"-1", b"-2")), None),
        (_edit("manifest-files.json", lambda text: text.replace(b"file0", b"file7")), "copy it from S3"),
        (_edit("manifest-files.json", lambda text: text.replace(b"data/file0.json.gz", b"..")), "copy it from S3"),
        (_edit("manifest-files.json", lambda _: b""), "its files have 0 items, and its summary says 3"),
        (_edit("manifest-files.json", lambda _: b"{}\n"), "line 1: is no manifest"),
        (_edit("manifest-files.json", lambda text: text + b" ", sums=False), "was changed: its MD5"),
        (_edit("manifest-summary.json", lambda text: text + b" ", sums=False), "was changed: its MD5"),
        (_edit("manifest-summary.json", lambda text: text[:-9]), "is no manifest"),
        (_edit("manifest-summary.json", lambda text: text.replace(b"DYNAMODB_JSON", b"ION")), "only DYNAMODB_JSON"),
        (_missing("manifest-summary.json"), "is missing: name the folder of an export"),
        (_missing("manifest-files.json"), "is missing"),
    ],
)  # fmt: skip
async def test_a_damaged_export_is_noticed(tmp_path: Path, damage: Callable[[Path], None], text: str | None) -> None:
    """Whatever was cut, changed, swapped or left behind; ``verify`` says so before an item is given."""
    own = lay_out(tmp_path, [item(n) for n in range(3)])
    damage(own)
    if text is None:  # what the manifest does not say, or cannot be known, is not held against a file
        assert len(await read(own, Ware)) == 3
        return
    with pytest.raises(FileError) as refused:
        await read(own, Ware)
    assert text in str(refused.value)
    with pytest.raises(FileError, match=re.escape(text)):
        async with read_export(own, Ware) as export:
            await export.verify()


async def test_a_line_that_is_no_item_is_refused(tmp_path: Path) -> None:
    """With its number; and an item that does not fit, as everywhere."""
    with pytest.raises(FileError, match=r"^line 2: is none of an export"):
        await read(lay_out(tmp_path / "a", [item(1), {"Rows": 1}]), Ware)
    with pytest.raises(DecodeError, match="photo"):
        await read(lay_out(tmp_path / "b", [{"Item": {"ware_id": {"S": "x"}, "photo": {"S": "x"}}}]), Ware)
    with pytest.raises(DecodeError, match="type tag"):
        await read(lay_out(tmp_path / "c", [{"Item": {"ware_id": {"X": "x"}}}]))


def test_an_etag_is_that_of_an_upload_of_one_part() -> None:
    """As in the documentation's example of a manifest, whose MD5 and etag belong to one file."""
    digest = bytes.fromhex("b10312a4420b360a1099aaef0c5a2719")
    file = DataFile("key", 8, md5="sQMSpEILNgoQmarvDFonGQ==", etag="af83d6f217c19b8b0fff8023d8ca4716-1")
    file.check(digest, 8)
    DataFile("key", 8, etag=f'"{digest.hex()}"').check(digest, 8)
    with pytest.raises(FileError, match="has 7 items, and the manifest says 8"):
        file.check(digest, 7)
