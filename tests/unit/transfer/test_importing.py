"""Importing: what is sent for each line, what is refused before, and where an import that stopped goes on."""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from dynamorm_async import (
    ConnectionLost,
    Database,
    DecodeError,
    FileError,
    ImportFailed,
    ItemTooLarge,
    LocalKeyring,
    NotUnique,
    ServiceError,
    Table,
    UsageError,
    ValidationFailed,
)
from dynamorm_async.codec.sealing import seal
from dynamorm_async.errors import ConditionFailed, TransactionCancelled
from dynamorm_async.transfer import ImportResult, export_items, import_items
from dynamorm_async.transfer.header import header_of, trailer_of
from dynamorm_async.transfer.scope import scope_of
from dynamorm_async.transfer.windows import MOST_LINES
from dynamorm_async.types import Request, Response
from tests.unit.database.recording import RecordingLane, record
from tests.unit.transfer.transfer_models import Barn, Cow, Patient, Person, User, Ware, attic, yard

pytestmark = pytest.mark.anyio

KEYS = LocalKeyring({"one": bytes(range(32))})


def ware(n: int, photo: str = "AA==") -> dict[str, Any]:
    return {"ware_id": {"S": f"w{n}"}, "photo": {"B": photo}}


def stored(*items: dict[str, Any]) -> io.BytesIO:
    return io.BytesIO(b"".join(json.dumps({"Item": item}).encode() + b"\n" for item in items))


def typed(target: type | Table, *lines: dict[str, Any], items: int | None = None) -> io.BytesIO:
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return io.BytesIO(header_of(scope_of(target)) + content + trailer_of(len(lines) if items is None else items))


def puts(lane: RecordingLane) -> list[list[dict[str, Any]]]:
    """The items of each request."""
    return [
        [body["Item"]]
        if "Item" in body
        else [put["PutRequest"]["Item"] for put in next(iter(body["RequestItems"].values()))]
        for body in lane.bodies
    ]


async def test_lines_are_written_as_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty-five in a request, under the full name of the table; every attribute of a line, whatever the model has."""
    lane = record(monkeypatch)
    items = [{**ware(n), "strange": {"L": [{"M": {"x": {"BS": ["AA=="]}}}]}} for n in range(60)]
    async with Database(table_prefix="staging-") as db:
        result = await import_items(db, Ware, stored(*items))
    assert result == ImportResult(written=60, next_line=61)
    assert sorted(map(len, puts(lane))) == [10, 25, 25]
    assert {name for body in lane.bodies for name in body["RequestItems"]} == {"staging-wares"}
    sent = {item["ware_id"]["S"]: item for unit in puts(lane) for item in unit}
    assert sent["w7"]["strange"] == {"L": [{"M": {"x": {"BS": [b"\0"]}}}]}
    assert all(request.sealed == () and request.repeatable for request in lane.requests)


async def test_the_lifecycle_leaves_imported_items_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times and version are those of the file; what never had any gets none."""
    lane = record(monkeypatch)
    old = {"org": "a", "number": 1, "name": "Ada", "made": "2020-01-01T00:00:00.000000Z", "changed": "2021-01-01T00:00:00.000000Z", "revision": 7}  # fmt: skip
    async with Database(clock=lambda: datetime(2030, 1, 1, tzinfo=UTC)) as db:
        await import_items(db, User, typed(User, old, {"org": "b", "number": 2}))
    [[first, second]] = puts(lane)
    assert first == {
        "org": {"S": "a"},
        "number": {"N": "1"},
        "name": {"S": "Ada"},
        "made": {"S": "2020-01-01T00:00:00.000000Z"},
        "changed": {"S": "2021-01-01T00:00:00.000000Z"},
        "revision": {"N": "7"},
    }
    assert second == {"org": {"S": "b"}, "number": {"N": "2"}, "name": {"S": ""}}


async def test_items_of_a_table_find_their_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that templates make are made anew, and items of an older schema are upcast."""
    lane = record(monkeypatch)
    lines = [
        {"farm": "f", "number": 7, "_type": "cow"},
        {"farm": "f", "places": 3, "_type": "barn", "_schema": 1, "pk": "FARM#f", "sk": "BARN"},
    ]
    async with Database() as db:
        await import_items(db, yard, typed(yard, *lines))
    [[cow, barn]] = puts(lane)
    assert cow == {"farm": {"S": "f"}, "number": {"N": "7"}, "_type": {"S": "cow"}, "pk": {"S": "FARM#f"}, "sk": {"S": "COW#0007"}}  # fmt: skip
    assert barn == {"farm": {"S": "f"}, "stalls": {"N": "3"}, "_type": {"S": "barn"}, "_schema": {"N": "2"}, "pk": {"S": "FARM#f"}, "sk": {"S": "BARN"}}  # fmt: skip


async def test_of_lines_with_one_key_the_last_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB refuses a key twice in one request; with ``new`` the first stays, as it would."""
    lane = record(monkeypatch)
    items = [ware(1, "AQ=="), ware(2), ware(1, "Ag==")]
    async with Database() as db:
        assert await import_items(db, Ware, stored(*items)) == ImportResult(written=2, replaced=1, next_line=4)
        assert await import_items(db, Ware, stored(*items), mode="new") == ImportResult(
            written=2, existing=1, next_line=4
        )
    batch, *singles = puts(lane)
    assert {item["ware_id"]["S"]: item["photo"]["B"] for item in batch} == {"w1": b"\2", "w2": b"\0"}
    assert {item["ware_id"]["S"]: item["photo"]["B"] for [item] in singles} == {"w1": b"\1", "w2": b"\0"}


async def test_new_leaves_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a condition on the key; after a lost answer, the item that is there may be the one that was sent."""

    def taken(item: dict[str, Any], *, maybe_applied: bool) -> ConditionFailed:
        error = ConditionFailed("no", operation="PutItem")
        error.raw_item, error.maybe_applied = item, maybe_applied
        return error

    answers = [taken(ware(0), maybe_applied=False), ConnectionLost("gone", operation="PutItem", sent=True), taken(ware(1), maybe_applied=True)]  # fmt: skip
    lane = record(monkeypatch, *answers, ConnectionLost("gone", operation="PutItem", sent=True), taken(ware(9), maybe_applied=True))  # fmt: skip
    async with Database() as db:
        result = await import_items(db, Ware, stored(*map(ware, range(3))), mode="new", concurrency=1)
    assert result == ImportResult(written=1, existing=2, next_line=4)
    assert {body["ConditionExpression"] for body in lane.bodies} == {"attribute_not_exists(#key)"}
    assert all(not request.repeatable and request.at_most_once for request in lane.requests)


async def test_new_claims_unique_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """The marker comes with the item; a value that is taken fails the line, an item that is there does not."""

    def cancelled(*codes: str) -> TransactionCancelled:
        error = TransactionCancelled("no", operation="TransactWriteItems")
        error.reasons = [{"Code": code} for code in codes]
        return error

    failures = (cancelled("ConditionalCheckFailed", "None"), cancelled("None", "ConditionalCheckFailed"))
    lane = record(monkeypatch, b"{}", *failures)
    people = [{"name": {"S": name}, "email": {"S": f"{name}@x.org"}} for name in ("ada", "bob", "eve")]
    async with Database() as db:
        result = await import_items(db, Person, stored(*people), mode="new", on_error="collect", concurrency=1)
        with pytest.raises(UsageError, match=r'Person has unique\(\) values.*mode="new"'):
            await import_items(db, Person, stored(*people))
    assert (result.written, result.existing) == (1, 1)
    [failure] = result.failures
    assert failure.line == 3
    assert isinstance(failure.error, NotUnique)
    assert failure.error.attributes == ("email",)
    put, marker = lane.bodies[0]["TransactItems"]
    assert put["Put"]["TableName"] == "people"
    assert marker["Put"]["TableName"] == "people-unique"


async def test_what_is_left_unprocessed_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only that, and until it is processed."""
    left = json.dumps({"UnprocessedItems": {"wares": [{"PutRequest": {"Item": ware(1)}}]}}).encode()
    lane = record(monkeypatch, left, left, b"{}")
    monkeypatch.setattr("dynamorm_async.transfer.writing._FIRST_PAUSE", 0.0)
    async with Database() as db:
        assert (await import_items(db, Ware, stored(ware(1), ware(2)))).written == 2
    assert [[item["ware_id"]["S"] for item in unit] for unit in puts(lane)] == [["w1", "w2"], ["w1"], ["w1"]]


@pytest.mark.parametrize("answer", [b'{"UnprocessedItems":{"wares":[{"PutRequest":{"Item":{"ware_id":{"S":"w9"}}}}]}}', b'{"UnprocessedItems":3}'])  # fmt: skip
async def test_an_answer_that_makes_no_sense_is_not_believed(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    """Nothing is counted as written by it."""
    record(monkeypatch, answer)
    async with Database() as db:
        with pytest.raises(ImportFailed, match="BadResponse") as failed:
            await import_items(db, Ware, stored(ware(1)))
    assert failed.value.result == ImportResult(next_line=1)


async def test_throttling_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After eight answers that processed nothing; the result says where to go on."""
    left = json.dumps({"UnprocessedItems": {"wares": [{"PutRequest": {"Item": ware(1)}}]}}).encode()
    lane = record(monkeypatch, *[left] * 8)
    monkeypatch.setattr("dynamorm_async.transfer.writing._FIRST_PAUSE", 0.0)
    async with Database() as db:
        with pytest.raises(ImportFailed, match="left unprocessed 8 times in a row") as failed:
            await import_items(db, Ware, stored(ware(1)))
    assert failed.value.result == ImportResult(next_line=1)
    assert len(lane.requests) == 8


async def test_a_request_that_is_refused_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB refuses all of a batch for one item: the others are written, and that line fails."""
    refused = ValidationFailed("no", operation="BatchWriteItem")
    record(monkeypatch, refused, b"{}", ValidationFailed("this one", operation="PutItem"), b"{}")
    async with Database() as db:
        result = await import_items(db, Ware, stored(*map(ware, range(3))), on_error="collect")
    assert (result.written, [failure.line for failure in result.failures], result.next_line) == (2, [2], 4)
    assert str(result.failures[0]) == "line 2: PutItem: this one"


async def test_a_refused_line_replaces_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where DynamoDB refuses a line, what another line says of its item stands: the one before, or with ``new`` the next."""
    refusals = [ValidationFailed("no", operation="BatchWriteItem"), *[ValidationFailed("no", operation="PutItem")] * 2]
    lane = record(monkeypatch, *refusals, b"{}", refusals[1], b"{}")
    items = [ware(1, "AQ=="), ware(1, "Ag=="), ware(1, "Aw==")]
    async with Database() as db:
        over = await import_items(db, Ware, stored(*items), on_error="collect")
        new = await import_items(db, Ware, stored(*items), on_error="collect", mode="new")
    assert (over.written, over.replaced, [failure.line for failure in over.failures]) == (1, 0, [2, 3])
    assert (new.written, new.existing, [failure.line for failure in new.failures]) == (1, 1, [1])
    assert [unit[0]["photo"]["B"] for unit in puts(lane)] == [b"\3", b"\3", b"\2", b"\1", b"\1", b"\2"]


@pytest.mark.parametrize(
    ("line", "error", "text"),
    [
        (b"{", FileError, "line 2: is no DynamoDB JSON"),
        (b'{"Item": {"ware_id": {"S": "x"', FileError, "line 2: is no DynamoDB JSON"),
        (b"[]", FileError, "line 2: is no DynamoDB JSON"),
        (b"{}", FileError, 'line 2: is no item: a line of DynamoDB JSON is {"Item"'),
        (b'{"ware_id": "w2"}', FileError, "line 2: is no item"),
        (b'{"Keys": {}, "NewImage": {}}', FileError, "line 2: is a change, of an incremental export"),
        (b'{"Item": {}}', DecodeError, "ware_id: is missing, and it is a key of type S"),
        (b'{"Item": {"ware_id": {"N": "1"}}}', DecodeError, "ware_id: is N, and it is a key of type S"),
        (b'{"Item": {"ware_id": {"S": 1}}}', DecodeError, "ware_id: expected text"),
        (b'{"Item": {"ware_id": {"S": "x"}, "photo": {"S": "x"}}}', DecodeError, "photo"),
        (b'{"Item": {"ware_id": {"S": "x"}, "other": {"X": "x"}}}', DecodeError, "other: expected a type tag of DynamoDB"),
        (b'{"Item": {"ware_id": {"S": "x"}, "other": {"B": "!"}}}', DecodeError, "other: expected base64"),
        (b'{"Item": {"ware_id": {"S": "x"}, "o": {"L": [{"ENCRYPTED": {"S": "x"}}]}}}', DecodeError, "o: has a type tag"),
        (b'{"Item": {"ware_id": {"S": "x"}, "other": ' + b'{"L": [' * 40 + b"]}" * 40 + b"}}", DecodeError, "levels"),
        (b'{"Item": {"ware_id": {"S": "x"}, "other": {"S": "' + b"y" * 1_000_000 + b'"}}}', ItemTooLarge, "409,600"),
        (b"\xff", FileError, "line 2"),
    ],
)  # fmt: skip
async def test_a_bad_line_stops_the_import(
    monkeypatch: pytest.MonkeyPatch, line: bytes, error: type[Exception], text: str
) -> None:
    """The lines before it are written, and the result says where to go on."""
    lane = record(monkeypatch)
    content = stored(ware(1)).getvalue() + line + b"\n" + stored(ware(3)).getvalue()
    async with Database() as db:
        with pytest.raises(ImportFailed, match="stopped before line 2, with 1 items written") as failed:
            await import_items(db, Ware, io.BytesIO(content))
    assert isinstance(failed.value.__cause__, error)
    assert text in str(failed.value.__cause__)
    assert (failed.value.result.written, failed.value.result.next_line) == (1, 2)
    assert [[item["ware_id"]["S"] for item in unit] for unit in puts(lane)] == [["w1"]]


async def test_bad_lines_can_be_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to a number, with theirs; more stop the import, and it can go on after them."""
    record(monkeypatch)
    content = b"".join(b"{}\n" if n % 10 == 0 else stored(ware(n)).getvalue() for n in range(1, 101))
    async with Database() as db:
        result = await import_items(db, Ware, io.BytesIO(content), on_error="collect", max_failures=10)
        assert (result.written, result.next_line) == (90, 101)
        assert [failure.line for failure in result.failures] == list(range(10, 101, 10))
        with pytest.raises(ImportFailed) as failed:
            await import_items(db, Ware, io.BytesIO(content), on_error="collect", max_failures=9)
        assert failed.value.result.next_line == 100
        assert (await import_items(db, Ware, io.BytesIO(content), start_at=99, on_error="collect")).written == 1


async def test_an_import_goes_on_where_a_request_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """From ``next_line`` on everything that is not known to be written is there; what is before it is not sent again."""
    items = [ware(n) for n in range(MOST_LINES + 60)]
    lane = record(monkeypatch)
    answer, broken = lane.attempt, [True]

    async def attempt(request: Request, timeout: float) -> Response:
        if broken[0] and "w1030" in names(request):
            raise ResourceGone("this request fails", operation=request.operation)
        return await answer(request, timeout)

    monkeypatch.setattr(lane, "attempt", attempt)
    async with Database() as db:
        with pytest.raises(ImportFailed, match="this request fails") as failed:
            await import_items(db, Ware, stored(*items), concurrency=1)
        assert failed.value.result == ImportResult(written=MOST_LINES + 25, next_line=MOST_LINES + 26)
        broken[0] = False
        lane.requests.clear()
        result = await import_items(db, Ware, stored(*items), start_at=failed.value.result.next_line)
    assert result == ImportResult(written=35, next_line=MOST_LINES + 61)
    sent = [name for request in lane.requests for name in names(request)]
    assert sorted(sent) == sorted(f"w{n}" for n in range(MOST_LINES + 25, MOST_LINES + 60))


def names(request: Request) -> list[str]:
    return [put["PutRequest"]["Item"]["ware_id"]["S"] for put in request.body["RequestItems"]["wares"]]


class ResourceGone(ServiceError):
    """What no attempt helps against."""


async def test_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each window; what the function raises ends the import, and one that is not async is refused."""
    record(monkeypatch)
    seen: list[tuple[int, int]] = []

    async def tell(result: ImportResult) -> None:
        seen.append((result.written, result.next_line))
        if len(seen) == 3:
            raise KeyError("enough")

    items = [ware(n) for n in range(MOST_LINES + 1)]
    async with Database() as db:
        await import_items(db, Ware, stored(*items), on_progress=tell)
        assert seen == [(MOST_LINES, MOST_LINES + 1), (MOST_LINES + 1, MOST_LINES + 2)]
        with pytest.raises(KeyError, match="enough"):
            await import_items(db, Ware, stored(*items), on_progress=tell)
        with pytest.raises(UsageError, match="make it an async function"):
            await import_items(db, Ware, stored(ware(1)), on_progress=print)  # type: ignore[arg-type]  # the mistake


def _cut(content: bytes) -> bytes:
    return content[: content.rindex(b"\n", 0, -1) + 1]


def _shortened(content: bytes) -> bytes:
    return content[: len(content) - 30]


def _renumbered(content: bytes) -> bytes:
    return content.replace(b'"items":3', b'"items":4')


def _doubled(content: bytes) -> bytes:
    return content + content


def _zipped_and_cut(content: bytes) -> bytes:
    return gzip.compress(content)[:-20]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (_cut, "is cut: its last line does not say how many items there are"),
        (_shortened, "line 4: is not JSON"),
        (_renumbered, "says at its end that it has 4 items, and has 3"),
        (_doubled, "line 6: stands after the line that ends the export"),
        (_zipped_and_cut, "is cut: its gzip data has no end"),
    ],
)
async def test_a_typed_file_that_is_not_whole_is_noticed(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[bytes], bytes], text: str
) -> None:
    """Also where it is cut between two lines; what stands before is written first, and is not said to be everything."""
    record(monkeypatch)
    content = change(typed(User, *({"org": "a", "number": n} for n in range(3))).getvalue())
    async with Database() as db:
        with pytest.raises(ImportFailed) as failed:
            await import_items(db, User, io.BytesIO(content))
    assert isinstance(failed.value.__cause__, FileError)
    assert text in str(failed.value.__cause__)


@pytest.mark.parametrize(
    ("content", "target", "text"),
    [
        (typed(User), Ware, "says that the file has items of User, which are not those of Ware"),
        (typed(yard), Cow, "says that the file has items of Barn, which are not those of Cow"),
        (io.BytesIO(b'{"dynamorm": {"format": "json", "version": 2, "models": {}}}\n'), User, "has version 2"),
        (io.BytesIO(b'{"dynamorm": {"format": "json", "version": 1, "models": 3}}\n'), User, "which models"),
        (
            io.BytesIO(b'{"dynamorm": {"format": "json", "version": 1, "models": {"Barn": {"schema": 3}}}}\n'),
            Barn,
            "schema version 3; this program knows up to 2",
        ),
    ],
)
async def test_a_file_of_something_else_is_refused(
    monkeypatch: pytest.MonkeyPatch, content: io.BytesIO, target: type, text: str
) -> None:
    """By its first line, before anything is written."""
    lane = record(monkeypatch)
    content.seek(0)
    async with Database() as db:
        with pytest.raises(FileError, match=f"^line 1: .*{text}"):
            await import_items(db, target, content)
    assert lane.requests == []


async def test_the_format_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not of the format that is asked for is refused by its first line, an empty one of typed items as cut."""
    record(monkeypatch)
    async with Database() as db:
        with pytest.raises(FileError, match='is not the first line of an export with format="json"'):
            await import_items(db, Ware, stored(ware(1)), format="json")
        with pytest.raises(FileError, match="is empty"):
            await import_items(db, Ware, io.BytesIO(b"\n"), format="json")
        with pytest.raises(ImportFailed, match="is no item"):
            await import_items(db, User, typed(User), format="dynamodb")
        assert await import_items(db, Ware, io.BytesIO(b"")) == ImportResult(next_line=1)
        mistakes: list[dict[str, Any]] = [{"mode": "merge"}, {"format": "csv"}, {"on_error": "skip"}, {"start_at": 0}, {"concurrency": 0}]  # fmt: skip
        for wrong in mistakes:
            with pytest.raises(UsageError, match=next(iter(wrong))):
                await import_items(db, Ware, stored(ware(1)), **wrong)
        with pytest.raises(UsageError, match="expected a model class or a Table"):
            await import_items(db, ware(1), stored(ware(1)))  # type: ignore[arg-type]  # the mistake


async def test_a_table_without_models_takes_stored_items_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are judged by the table's key and by what DynamoDB's values are."""
    lane = record(monkeypatch)
    async with Database() as db:
        assert (await import_items(db, attic, stored({"pk": {"S": "x"}, "n": {"N": "1"}}))).written == 1
        with pytest.raises(ImportFailed, match="pk: is missing"):
            await import_items(db, attic, stored({"n": {"N": "1"}}))
        with pytest.raises(UsageError, match="no model lives in table attic"):
            await export_items(db, attic, io.BytesIO(), format="json")
    assert puts(lane) == [[{"pk": {"S": "x"}, "n": {"N": "1"}}]]


async def test_ciphertexts_are_imported_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """They need no keys; what should be one and is none is refused, as is an item that lacks it."""
    lane = record(monkeypatch)
    text = seal(bytes(range(32)), b"one", b"context", bytes(12), b'{"S":"secret"}')
    item = {"patient_id": {"S": "p1"}, "ssn": {"B": base64.b64encode(text).decode()}, "ward": {"S": "a"}}
    async with Database() as db:
        assert (await import_items(db, Patient, stored(item))).written == 1
        for bad, why in (({"ssn": {"S": "123"}}, "ssn: is not a ciphertext"), ({"ssn": None}, "ssn: is missing"), ({"ward": {"N": "1"}}, "ward")):  # fmt: skip
            wrong = {name: value for name, value in {**item, **bad}.items() if value is not None}
            with pytest.raises(ImportFailed) as failed:
                await import_items(db, Patient, stored(wrong))
            assert why in str(failed.value.__cause__)
            assert "123" not in str(failed.value)
    assert puts(lane)[0][0]["ssn"] == {"B": text}


async def test_plaintexts_are_encrypted_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typed file has them in the clear; the table never does."""
    lane = record(monkeypatch)
    line = {"patient_id": "p1", "ward": "a", "ssn": {"$encrypted": "123-45"}}
    async with Database(keys=KEYS) as db:
        assert (await import_items(db, Patient, typed(Patient, line))).written == 1
    [[sent]] = puts(lane)
    assert set(sent["ssn"]) == {"B"}
    assert b"123-45" not in sent["ssn"]["B"]


async def test_a_cancelled_import_leaves_nothing_running(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a request nor the reading ahead goes on; the suite looks for tasks that are left."""
    lane = record(monkeypatch)
    sent = anyio.Event()

    async def attempt(request: Request, timeout: float) -> Response:
        del timeout
        lane.requests.append(request)
        sent.set()
        await anyio.sleep_forever()
        raise AssertionError("it sleeps for ever")

    monkeypatch.setattr(lane, "attempt", attempt)
    items = [ware(n) for n in range(3 * MOST_LINES)]
    async with Database() as db, anyio.create_task_group() as tasks:
        tasks.start_soon(import_items, db, Ware, stored(*items))
        await sent.wait()
        tasks.cancel_scope.cancel()
    assert 1 <= len(lane.requests) <= 8


async def test_no_more_is_read_than_is_being_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """While requests wait, one window is read ahead, and not a line more."""
    lane = record(monkeypatch)
    answer, gate, taken = lane.attempt, anyio.Event(), [0]

    async def attempt(request: Request, timeout: float) -> Response:
        await gate.wait()
        return await answer(request, timeout)

    async def lines() -> AsyncIterator[bytes]:
        for n in range(10 * MOST_LINES):
            taken[0] = n
            yield stored(ware(n)).getvalue()

    monkeypatch.setattr(lane, "attempt", attempt)
    async with Database() as db, anyio.create_task_group() as tasks:
        tasks.start_soon(import_items, db, Ware, lines())
        await anyio.wait_all_tasks_blocked()
        assert taken[0] <= 2 * MOST_LINES
        gate.set()
    assert taken[0] == 10 * MOST_LINES - 1
