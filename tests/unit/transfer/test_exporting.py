"""Exporting: what is read, what stands in the file, and what is refused before anything is read."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest

from dynamorm_async import (
    BadResponse,
    Database,
    DecodeError,
    LocalKeyring,
    NoUsableIndex,
    Throttled,
    UnrecognizedItem,
    UsageError,
)
from dynamorm_async.transfer import ExportResult, export_items, import_items
from tests.unit.database.recording import record
from tests.unit.transfer.transfer_models import Barn, Cow, Patient, User, Ware, attic, yard

pytestmark = pytest.mark.anyio


def page(*items: dict[str, Any], after: dict[str, Any] | None = None) -> bytes:
    return json.dumps(
        {"Items": items, "ScannedCount": len(items), **({"LastEvaluatedKey": after} if after else {})}
    ).encode()


def lines(file: io.BytesIO) -> list[Any]:
    return [json.loads(line) for line in file.getvalue().splitlines()]


COW = {"pk": {"S": "FARM#f"}, "sk": {"S": "COW#0007"}, "_type": {"S": "cow"}, "farm": {"S": "f"}, "number": {"N": "7"}}
BARN = {"pk": {"S": "FARM#f"}, "sk": {"S": "BARN"}, "_type": {"S": "barn"}, "farm": {"S": "f"}, "places": {"N": "3"}}


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_items_are_exported_as_they_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every attribute of every page, as DynamoDB's own exports have it; what does not fit the model, too."""
    items = [{"ware_id": {"S": f"w{n}"}, "strange": {"NS": ["1.0"]}, "photo": {"B": "AP8="}} for n in range(3)]
    odd = {"ware_id": {"S": "odd"}, "photo": {"S": "no bytes"}}
    lane = record(monkeypatch, page(*items, after={"ware_id": {"S": "w2"}}), page(odd))
    file = io.BytesIO()
    seen: list[ExportResult] = []

    async def tell(result: ExportResult) -> None:
        seen.append(result)

    async with Database(table_prefix="staging-") as db:
        result = await export_items(db, Ware, file, segments=1, consistent=True, on_progress=tell)
    assert lines(file) == [{"Item": item} for item in [*items, odd]]
    assert result == ExportResult(items=4, size=len(file.getvalue()))
    assert [progress.items for progress in seen] == [3, 4]
    assert [(body["TableName"], body["ConsistentRead"]) for body in lane.bodies] == [("staging-wares", True)] * 2


async def test_typed_items_say_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first line tells the models, the last how many items; in between plain JSON, without what was never written."""
    record(monkeypatch, page({"org": {"S": "a"}, "number": {"N": "1.0"}, "name": {"S": "Ada"}, "revision": {"N": "3"}}))
    file = io.BytesIO()
    async with Database() as db:
        result = await export_items(db, User, file, format="json", segments=1)
    assert lines(file) == [
        {"dynamorm": {"format": "json", "version": 1, "table": "users", "models": {"User": {}}}},
        {"org": "a", "number": 1, "name": "Ada", "revision": 3},
        {"dynamorm": {"items": 1}},
    ]
    assert result == ExportResult(items=1, size=len(file.getvalue()))


async def test_a_table_is_exported_with_all_its_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are stored with strangers among them; typed by their discriminators, brought up to their schemas."""
    stranger = {"pk": {"S": "x"}, "sk": {"S": "y"}, "_type": {"S": "pig"}}
    after = {"pk": {"S": "FARM#f"}, "sk": {"S": "COW#0007"}}
    lane = record(monkeypatch, page(COW, after=after), page(BARN, stranger), page(COW, BARN), page(stranger))
    plain, typed = io.BytesIO(), io.BytesIO()
    async with Database() as db:
        await export_items(db, yard, plain, segments=1)
        await export_items(db, yard, typed, format="json", segments=1)
        with pytest.raises(UnrecognizedItem, match='format="dynamodb"'):
            await export_items(db, yard, io.BytesIO(), format="json", segments=1)
    assert lines(plain) == [{"Item": COW}, {"Item": BARN}, {"Item": stranger}]
    assert lane.bodies[1] == {"TableName": "yard", "Segment": 0, "TotalSegments": 1, "ExclusiveStartKey": after}
    header, *items, trailer = lines(typed)
    assert header["dynamorm"]["models"] == {"Cow": {}, "Barn": {"schema": 2}}
    assert items == [
        {"farm": "f", "number": 7, "_type": "cow", "pk": "FARM#f", "sk": "COW#0007"},
        {"farm": "f", "stalls": 3, "_type": "barn", "_schema": 2, "pk": "FARM#f", "sk": "BARN"},
    ]
    assert trailer == {"dynamorm": {"items": 2}}
    async with Database() as db:
        assert (await import_items(db, yard, io.BytesIO(typed.getvalue()))).written == 2


async def test_every_segment_of_a_table_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each from its beginning to its end, at the same time; a table needs no model for that."""
    lane = record(monkeypatch, *[page({"pk": {"S": str(n)}}) for n in range(3)])
    file = io.BytesIO()
    async with Database() as db:
        assert (await export_items(db, attic, file, segments=3)).items == 3
    assert sorted(body["Segment"] for body in lane.bodies) == [0, 1, 2]
    assert sorted(line["Item"]["pk"]["S"] for line in lines(file)) == ["0", "1", "2"]


async def test_what_a_query_finds_is_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its conditions and its limit, in its order."""
    cows = [{**COW, "sk": {"S": f"COW#{n:04}"}, "number": {"N": str(n)}} for n in range(5)]
    lane = record(monkeypatch, page(*cows), page(*cows))
    plain, typed = io.BytesIO(), io.BytesIO()
    async with Database() as db:
        query = db.query(Cow).where(Cow.farm == "f").limit(3)
        await export_items(db, query, plain)
        await export_items(db, query, typed, format="json")
    assert lines(plain) == [{"Item": cow} for cow in cows[:3]]
    assert [line["number"] for line in lines(typed)[1:-1]] == [0, 1, 2]
    assert {request.operation for request in lane.requests} == {"Query"}


async def test_an_error_ends_the_export_and_leaves_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A request that fails, an item that does not fit, an answer that is none: as they are, not in groups."""
    odd = page({"ware_id": {"S": "odd"}, "photo": {"S": "no bytes"}})
    stuck = [page({"pk": {"S": "1"}}, after={"pk": {"S": "1"}})] * 2
    record(monkeypatch, odd, b'{"Items": 3}', *stuck, Throttled("no", operation="Scan"))
    monkeypatch.setattr("dynamorm_async.transport.sender.jitter", lambda: 0.0)
    async with Database() as db:
        with pytest.raises(DecodeError):
            await export_items(db, Ware, tmp_path / "items", format="json", segments=1)
        with pytest.raises(BadResponse, match="no page of items"):
            await export_items(db, attic, tmp_path / "items", segments=1)
        with pytest.raises(BadResponse, match="does not page correctly"):
            await export_items(db, attic, tmp_path / "items", segments=1)
        monkeypatch.setattr("tests.unit.database.recording.EMPTY", {"Scan": b'{"Rows": []}'})
        with pytest.raises(DecodeError, match="shape of the answer"):
            await export_items(db, Ware, tmp_path / "items", segments=1)
    assert files_in(tmp_path) == []


async def test_what_cannot_be_exported_is_refused_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And before a file is opened."""
    lane = record(monkeypatch)
    to = tmp_path / "items"
    async with Database(keys=LocalKeyring({"one": bytes(32)})) as db:
        with pytest.raises(UsageError, match="selects attributes"):
            await export_items(db, db.scan(Ware).select(Ware.photo), to)
        with pytest.raises(NoUsableIndex):
            await export_items(db, db.query(Ware).where(Ware.photo == b"x"), to)
        with pytest.raises(
            UsageError, match=r"Patient\.ssn: encrypted attributes would stand in the file in the clear"
        ):
            await export_items(db, Patient, to, format="json")
        with pytest.raises(UsageError, match='decrypt=True is for format="json"'):
            await export_items(db, Patient, to, decrypt=True)
        with pytest.raises(UsageError, match="format='csv'"):
            await export_items(db, Ware, to, format="csv")  # type: ignore[arg-type]  # the mistake
        with pytest.raises(UsageError, match="segments=0"):
            await export_items(db, Ware, to, segments=0)
        with pytest.raises(UsageError, match="expected a model class or a Table"):
            await export_items(db, "wares", to)  # type: ignore[arg-type]  # the mistake
        with pytest.raises(UsageError, match="is not a model"):
            await export_items(db, int, to)
    assert lane.requests == []
    assert files_in(tmp_path) == []


async def test_encrypted_attributes_leave_as_ciphertexts_or_on_request_in_the_clear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without keys as they are; with ``decrypt`` what they say, and back into ciphertexts by an import."""
    lane = record(monkeypatch)
    async with Database(keys=LocalKeyring({"one": bytes(32)})) as db:
        await db.create(Patient(patient_id="p1", ssn="123-45", ward="a"))
        item = json.loads(json.dumps(lane.bodies[0]["Item"], default=lambda raw: base64.b64encode(raw).decode()))
        lane.script.extend([page(item), page(item)])
        plain, typed = io.BytesIO(), io.BytesIO()
        await export_items(db, Patient, plain, segments=1)
        await export_items(db, Patient, typed, format="json", decrypt=True, segments=1)
        assert lines(plain) == [{"Item": item}]
        assert lines(typed)[1] == {"patient_id": "p1", "ssn": {"$encrypted": "123-45"}, "ward": "a"}
        await import_items(db, Patient, io.BytesIO(typed.getvalue()))
    [put] = lane.bodies[-1]["RequestItems"]["patients"]
    assert set(put["PutRequest"]["Item"]["ssn"]) == {"B"}


async def test_stored_items_of_a_model_come_as_dynamodb_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """``stored()`` on its own: also with a condition and through ``first()``, and the model is known by the builder."""
    record(monkeypatch, page(BARN), page(BARN))
    async with Database() as db:
        assert await db.query(Barn).where(Barn.farm == "f").stored() == [BARN]
        scan = db.scan(Barn)
        assert scan.model is Barn
        assert await scan.stored().first() == BARN
