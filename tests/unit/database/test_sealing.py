"""What is encrypted on the way out and decrypted on the way in: once, in every operation, and never without keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from dynamorm_async import (
    Attr,
    ConditionFailed,
    ConfigurationError,
    ConnectionLost,
    Database,
    DataKey,
    DecryptError,
    IdempotentParameterMismatch,
    Key,
    KeyUse,
    LocalKeyring,
    OutcomeUnknown,
    Statement,
    Table,
    Throttled,
    Timeouts,
    TransactionCancelled,
    VersionConflict,
    attr,
    encrypted,
    model,
    partition_key,
    sort_key,
    version,
)
from dynamorm_async.codec.sealing import context_of, parse, seal
from tests.unit.database.recording import record

pytestmark = pytest.mark.anyio

CANARY = "canary-90c2"
KEYS = LocalKeyring({"one": bytes(range(32))})


@model(table="patients")
class Patient:
    clinic: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    ssn: Attr[str] = encrypted()
    note: Attr[str | None] = encrypted(default=None)
    name: Attr[str] = attr(default="")
    revision: Attr[int] = version()


@model(table="cards")
class Card:
    """Without a version, so that a batch takes it."""

    card_id: Attr[str] = partition_key()
    number: Attr[str] = encrypted()
    code: Attr[str] = encrypted(default="")


@model(table="plain")
class Plain:
    plain_id: Attr[str] = partition_key()
    name: Attr[str] = attr(default="")


KEY = Key(Patient, "north", 1)


def patient(number: int = 1, ssn: str = CANARY, **values: Any) -> Patient:
    return Patient(clinic="north", number=number, ssn=ssn, **values)


def wire(value: object) -> Any:  # JSON
    """What was sent, as an answer has it: binary content in base64."""
    return json.loads(msgspec.json.encode(value))


def answer(**content: Any) -> bytes:
    return json.dumps(content).encode()


async def stored(monkeypatch: pytest.MonkeyPatch, item: object, keys: LocalKeyring = KEYS) -> dict[str, Any]:
    """An item as DynamoDB has it once an instance was put."""
    lane = record(monkeypatch)
    async with Database(keys=keys) as db:
        await db.put(item)
    return dict(wire(lane.bodies[0]["Item"]))


async def read(monkeypatch: pytest.MonkeyPatch, item: Mapping[str, Any], keys: Any = KEYS) -> Patient:
    record(monkeypatch, answer(Item=item))
    async with Database(keys=keys) as db:
        found = await db.get(KEY)
    assert found is not None
    return found


# --- on the way out ---------------------------------------------------------------------------------


async def test_no_operation_sends_a_plaintext(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write sends one Binary in the value's place, and the rest as it is."""
    lane = record(monkeypatch)
    async with Database(keys=KEYS) as db:
        await db.create(patient())
        await db.put(patient())
        await db.update(KEY, Patient.ssn.set(CANARY), Patient.note.set_default(CANARY), returns="none")
        async with db.batch_write() as batch:
            await batch.put(Card(card_id="c", number=CANARY))
        async with db.transaction() as transaction:
            transaction.create(patient(3))
            transaction.update(KEY, Patient.ssn.set(CANARY))
            transaction.check(Key(Patient, "north", 9), Patient.ssn.exists())
    assert len(lane.bodies) == 5
    for body in lane.bodies:
        assert CANARY not in str(wire(body))
        assert CANARY.encode() not in repr(body).encode()
    ciphertexts = [lane.bodies[0]["Item"]["ssn"], lane.bodies[1]["Item"]["ssn"]]
    ciphertexts += [value for value in lane.bodies[2]["ExpressionAttributeValues"].values() if "B" in value]
    assert len(ciphertexts) == 4
    assert len({value["B"] for value in ciphertexts}) == 4
    assert {parsed.key_id for value in ciphertexts if (parsed := parse(value["B"]))} == {b"one"}


async def test_retries_send_the_same_ciphertext(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is encrypted once, above all its attempts."""
    lost = ConnectionLost("reset", operation="UpdateItem", sent=False)
    slow = Throttled("slow down", operation="UpdateItem", code="ThrottlingException", status=400, request_id=None)
    lane = record(monkeypatch, lost, slow)
    async with Database(keys=KEYS, timeouts=Timeouts()) as db:
        await db.update(KEY, Patient.ssn.set(CANARY), returns="none")
    assert len(lane.requests) == 3
    assert lane.bodies[0] == lane.bodies[1] == lane.bodies[2]


async def test_what_a_batch_leaves_is_sent_again_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds of a batch do not encrypt an item twice."""
    left = answer(UnprocessedItems={"cards": [{"PutRequest": {"Item": {"card_id": {"S": "c"}}}}]})
    lane = record(monkeypatch, left)
    async with Database(keys=KEYS) as db, db.batch_write() as batch:
        await batch.put(Card(card_id="c", number=CANARY))
    first, second = lane.bodies
    assert first == second


async def test_an_update_that_is_used_for_two_items_is_bound_to_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change is a value: its ciphertexts for two items are two."""
    lane = record(monkeypatch)
    change = Patient.ssn.set(CANARY)
    async with Database(keys=KEYS) as db:
        for number in (1, 2):
            await db.update(Key(Patient, "north", number), change, returns="none")
    sent = [next(v["B"] for v in body["ExpressionAttributeValues"].values() if "B" in v) for body in lane.bodies]
    assert sent[0] != sent[1]
    item = {"clinic": {"S": "north"}, "number": {"N": "2"}, "revision": {"N": "1"}, "ssn": {"B": wire(sent[1])}}
    record(monkeypatch, answer(Item=item))
    async with Database(keys=KEYS) as db:
        found = await db.get(Patient, "north", 2)
    assert found is not None
    assert found.ssn == CANARY


async def test_save_compares_plaintexts(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unchanged value is not encrypted again; a changed one is, by the current key."""
    item = await stored(monkeypatch, patient(note="n"))
    rotated = LocalKeyring({"one": bytes(range(32)), "two": bytes(32)}, current="two")
    lane = record(monkeypatch, answer(Item=item))
    async with Database(keys=rotated) as db:
        found = await db.get(KEY)
        assert found is not None
        found.name = "Ada"
        await db.save(found)
        found.note = "changed"
        await db.save(found)
    assert [value for value in lane.bodies[1]["ExpressionAttributeValues"].values() if "B" in value] == []
    (ciphertext,) = (value["B"] for value in lane.bodies[2]["ExpressionAttributeValues"].values() if "B" in value)
    sealing = parse(ciphertext)
    assert sealing is not None
    assert sealing.key_id == b"two"


async def test_without_keys_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database without keys refuses to write the model, before anything is sent; other models are not concerned."""
    lane = record(monkeypatch)
    async with Database() as db:
        with pytest.raises(ConfigurationError, match=r"patients has encrypted\(\) attributes.*keys=LocalKeyring"):
            await db.put(patient())
        assert lane.requests == []
        await db.put(Plain(plain_id="p"))
        await db.update(KEY, Patient.name.set("x"), returns="none")
    assert len(lane.requests) == 2


async def test_what_the_planner_keeps_is_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Encrypting makes another request: the instance still knows its plaintext, and can be saved."""
    lane = record(monkeypatch)
    async with Database(keys=KEYS) as db:
        found = patient()
        await db.put(found)
        found.name = "Ada"
        await db.save(found)
    assert [name for name in lane.bodies[1]["ExpressionAttributeNames"].values() if name in ("ssn", "note")] == []


# --- on the way in ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["get", "query", "scan", "select", "batch", "transaction", "put", "delete", "update"])
async def test_every_answer_is_decrypted(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Wherever an item comes from, its values are plaintexts."""
    item = await stored(monkeypatch, patient())
    page = answer(Items=[item], Count=1, ScannedCount=1)
    answers = {
        "get": answer(Item=item),
        "batch": answer(Responses={"patients": [item]}, UnprocessedKeys={}),
        "transaction": answer(Responses=[{"Item": item}]),
        "query": page,
        "scan": page,
        "select": page,
    }
    record(monkeypatch, answers.get(how, answer(Attributes=item)))
    async with Database(keys=KEYS) as db:
        calls: dict[str, Callable[[], Any]] = {
            "get": lambda: db.get(KEY),
            "query": lambda: db.query(Patient).where(Patient.clinic == "north").first(),
            "scan": lambda: db.scan(Patient).first(),
            "select": lambda: db.scan(Patient).select(Patient.ssn).first(),
            "batch": lambda: db.batch_get(KEY),
            "transaction": lambda: db.transact_get(KEY),
            "put": lambda: db.put(patient(), returns="old"),
            "delete": lambda: db.delete(KEY, returns="old"),
            "update": lambda: db.update(KEY, Patient.name.set("x"), returns="new"),
        }
        result = await calls[how]()
    if how in ("batch", "transaction"):
        (result,) = result
    assert (result[0] if how == "select" else result.ssn) == CANARY


async def test_changed_attributes_are_decrypted_by_the_key_of_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an update returns of changed attributes has no key; it is bound to that of the request."""
    item = await stored(monkeypatch, patient())
    record(monkeypatch, answer(Attributes={"ssn": item["ssn"]}))
    async with Database(keys=KEYS) as db:
        updated = await db.update(KEY, Patient.ssn.set("x"), returns="updated_old")
    assert updated[Patient.ssn] == CANARY
    assert CANARY not in repr(updated)


async def test_the_item_of_a_failed_condition_is_decrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors carry the item decrypted, and do not show it."""
    item = await stored(monkeypatch, patient(revision=4))
    error = ConditionFailed(
        "failed", operation="PutItem", code="ConditionalCheckFailedException", status=400, request_id=None
    )
    error.raw_item = item
    record(monkeypatch, error)
    async with Database(keys=KEYS) as db:
        with pytest.raises(VersionConflict) as info:
            await db.put(patient(revision=2))
    assert info.value.item == patient(revision=5)
    assert CANARY not in f"{info.value} {info.value!r} {info.value.raw_item}"


async def test_the_items_of_a_cancelled_transaction_are_decrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reason's item is that of its action's table."""
    item = await stored(monkeypatch, patient(revision=4))
    error = TransactionCancelled(
        "cancelled", operation="TransactWriteItems", code="TransactionCanceledException", status=400, request_id=None
    )
    error.reasons = ({"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": item})
    record(monkeypatch, error)
    async with Database(keys=KEYS) as db:
        transaction = db.transaction()
        with pytest.raises(TransactionCancelled) as info:  # noqa: PT012 - a block is what sends it
            async with transaction:
                transaction.put(Plain(plain_id="p"))
                transaction.put(patient(revision=2))
    (failure,) = info.value.failures
    assert isinstance(failure.error, VersionConflict)
    assert failure.error.item == patient(revision=5)
    assert CANARY not in f"{info.value} {info.value!r} {info.value.reasons}"


async def test_number_keys_are_bound_by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that DynamoDB writes in another way is the same key."""
    item = await stored(monkeypatch, patient())
    assert (await read(monkeypatch, {**item, "number": {"N": "1.0E0"}})).ssn == CANARY


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"number": {"N": "2"}}, "is not authentic"),
        ({"clinic": {"S": "south"}}, "is not authentic"),
        ({"ssn": {"S": CANARY}}, "is not a ciphertext of this library"),
        ({"ssn": {"ENCRYPTED": {"S": CANARY}}}, "the answer was forged"),
        ({"ssn": {"B": "AAAA"}}, "is not a ciphertext of this library"),
        ({"ssn": {"B": "not base64"}}, "is not a ciphertext of this library"),
        ({"ssn": "text"}, "is not a ciphertext of this library"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
async def test_what_is_not_authentic_is_refused(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], reason: str
) -> None:
    """Ciphertexts of other items, plaintexts, forged answers: an error with model, attribute and key, without a value."""
    item = await stored(monkeypatch, patient())
    with pytest.raises(DecryptError) as info:
        await read(monkeypatch, {**item, **change})
    assert info.value.model == "Patient"
    assert [problem.path for problem in info.value.problems] == ["ssn"]
    assert reason in str(info.value)
    assert CANARY not in str(info.value)


async def test_a_ciphertext_of_another_attribute_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flaw of its predecessors: what is bound to too little can be moved."""
    item = await stored(monkeypatch, patient(note="other"))
    with pytest.raises(DecryptError) as info:
        await read(monkeypatch, {**item, "ssn": item["note"], "note": item["ssn"]})
    assert sorted(problem.path for problem in info.value.problems) == ["note", "ssn"]


async def test_a_ciphertext_of_another_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is the one that DynamoDB knows, prefix and all."""
    item = await stored(monkeypatch, patient())
    record(monkeypatch, answer(Item=item))
    async with Database(keys=KEYS, table_prefix="other-") as db:
        with pytest.raises(DecryptError, match="is not authentic"):
            await db.get(KEY)


async def test_keys_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown id, another key of that id, and no keys at all are told apart where they can be."""
    item = await stored(monkeypatch, patient())
    with pytest.raises(DecryptError, match="by the key 'one', which is not among the Database's keys"):
        await read(monkeypatch, item, LocalKeyring({"two": bytes(32)}))
    with pytest.raises(DecryptError, match="or its key is another one of that name"):
        await read(monkeypatch, item, LocalKeyring({"one": bytes(32)}))
    with pytest.raises(DecryptError, match=r"this Database has no keys: pass some, Database\(keys="):
        await read(monkeypatch, item, None)


async def test_what_was_encrypted_by_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Authentic, but no AttributeValue."""
    context = context_of("patients", ("clinic", "number"), ("north", ("1",)), "ssn")
    item = await stored(monkeypatch, patient())
    item["ssn"] = {"B": wire(seal(bytes(range(32)), b"one", context, bytes(12), CANARY.encode()))}
    with pytest.raises(DecryptError, match="by something else than this library") as info:
        await read(monkeypatch, item)
    assert CANARY not in str(info.value)


async def test_one_bad_item_does_not_hide_which_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of a page names the item that was tampered with."""
    items = [await stored(monkeypatch, patient(number)) for number in (1, 2, 3)]
    items[1]["ssn"] = items[0]["ssn"]
    record(monkeypatch, answer(Items=items, Count=3, ScannedCount=3))
    async with Database(keys=KEYS) as db:
        with pytest.raises(DecryptError) as info:
            await db.scan(Patient)
    assert info.value.key == {"clinic": "north", "number": "2"}


async def test_a_token_that_was_used_may_have_been_used_for_the_same_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second transaction of the same operations has other ciphertexts: the refusal of its token says what that means."""
    used = IdempotentParameterMismatch("other parameters", operation="TransactWriteItems")
    for write, said in ((patient(), True), (Plain(plain_id="p"), False)):
        record(monkeypatch, used)
        async with Database(keys=KEYS) as db:
            with pytest.raises(IdempotentParameterMismatch) as info:
                async with db.transaction(token="t") as transaction:
                    transaction.put(write)
        assert ("encrypted anew each time" in str(info.value)) is said
        used = IdempotentParameterMismatch("other parameters", operation="TransactWriteItems")


# --- statements -------------------------------------------------------------------------------------

READ_PATIENT = Statement("SELECT * FROM patients WHERE clinic='north' AND number=1", into=Patient)
READ_CARD = Statement("SELECT * FROM cards WHERE card_id='c'", into=Card)
READ_ROW = Statement("SELECT * FROM patients WHERE clinic='north' AND number=1")


async def test_each_of_several_statements_is_decrypted_as_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers to statements do not say of which table they are; rows without a model stay ciphertexts."""
    item, card = await stored(monkeypatch, patient()), await stored(monkeypatch, Card(card_id="c", number=CANARY))
    responses = answer(Responses=[{"Item": item}, {"Item": card}, {"Item": item}])
    record(monkeypatch, responses, responses)
    async with Database(keys=KEYS) as db:
        found = await db.partiql.transact(READ_PATIENT, READ_CARD, READ_ROW)
        assert await db.partiql.batch(READ_PATIENT, READ_CARD, READ_ROW) == found
    assert found[:2] == (patient(revision=1), Card(card_id="c", number=CANARY))
    assert found[2] is not None
    assert type(found[2]["ssn"]) is bytes


async def test_items_of_cancelled_statements_are_decrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure of a statement carries its item as the model that the statement names."""
    error = TransactionCancelled(
        "cancelled", operation="ExecuteTransaction", code="TransactionCanceledException", status=400, request_id=None
    )
    error.reasons = (
        {"Code": "ConditionalCheckFailed", "Item": await stored(monkeypatch, Card(card_id="c", number=CANARY))},
        {"Code": "ConditionalCheckFailed", "Item": await stored(monkeypatch, patient())},
    )
    record(monkeypatch, error)
    async with Database(keys=KEYS) as db:
        with pytest.raises(TransactionCancelled) as info:
            await db.partiql.transact(
                Statement("UPDATE cards SET x=1 WHERE card_id='c' AND x=2", into=Card),
                Statement("UPDATE patients SET x=1 WHERE clinic='north' AND number=1 AND x=2", into=Patient),
            )
    items = [failure.error.item for failure in info.value.failures if isinstance(failure.error, ConditionFailed)]
    assert items == [Card(card_id="c", number=CANARY), patient(revision=1)]
    assert CANARY not in f"{info.value} {info.value!r} {info.value.reasons}"


# --- keys -------------------------------------------------------------------------------------------


class Counting:
    """A provider that counts what it is asked."""

    def __init__(self) -> None:
        self.uses: list[tuple[bytes, KeyUse]] = []

    async def encrypting(self, use: KeyUse, /) -> DataKey:
        self.uses.append((b"", use))
        return DataKey(b"wrapped " + use.table.encode(), bytes(32))

    async def decrypting(self, key_id: bytes, use: KeyUse, /) -> DataKey | None:
        self.uses.append((key_id, use))
        return DataKey(key_id, bytes(32))


async def test_a_provider_is_asked_once_a_request_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever keys cost to fetch, they are asked for once, with how many values they are for."""
    lane, provider = record(monkeypatch), Counting()
    async with Database(keys=provider) as db:
        async with db.batch_write() as batch:
            await batch.put(Card(card_id="a", number="1", code="x"))
            await batch.put(Card(card_id="b", number="2"))
        items = [wire(each["PutRequest"]["Item"]) for each in lane.bodies[0]["RequestItems"]["cards"]]
        lane.script.append(answer(Items=items, Count=2, ScannedCount=2))
        await db.scan(Card)
        await db.get(Plain, "p")
    assert provider.uses == [
        (b"", KeyUse(table="cards", values=4)),
        (b"wrapped cards", KeyUse(table="cards", values=4)),
    ]


async def test_models_of_one_table_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that one model of a table encrypts can be an ordinary attribute of another."""
    table = Table("both", partition_key="pk", sort_key="sk")

    @model(table, pk="ONE#{a}", sk="X")
    class One:
        a: Attr[str] = attr()
        value: Attr[bytes] = encrypted()

    @model(table, pk="ONE#{a}", sk="Y#{b}")
    class Two:
        a: Attr[str] = attr()
        b: Attr[str] = attr()
        value: Attr[bytes] = attr()

    items = [await stored(monkeypatch, each) for each in (One(a="1", value=b"x"), Two(a="1", b="2", value=b"y"))]
    record(monkeypatch, answer(Items=items, Count=2, ScannedCount=2))
    async with Database(keys=KEYS) as db:
        found = [item async for item in db.collection(table, "ONE#1")]
    assert found == [One(a="1", value=b"x"), Two(a="1", b="2", value=b"y")]


class Failing:
    """A provider that encrypts, and whose service is down when something is to be decrypted."""

    async def encrypting(self, _use: KeyUse, /) -> DataKey:
        return DataKey(b"one", bytes(range(32)))

    async def decrypting(self, _key_id: bytes, _use: KeyUse, /) -> DataKey | None:
        raise TimeoutError("the key service is down")


def refusal(item: Mapping[str, Any]) -> ConditionFailed:
    error = ConditionFailed(
        "failed", operation="PutItem", code="ConditionalCheckFailedException", status=400, request_id=None
    )
    error.raw_item = item
    return error


async def test_what_a_provider_raises_is_raised_by_what_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read whose key cannot be had fails as the provider did."""
    with pytest.raises(TimeoutError, match="the key service is down"):
        await read(monkeypatch, await stored(monkeypatch, patient()), Failing())


async def test_a_provider_that_fails_does_not_hide_that_a_write_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who catches a provider's error takes it that nothing was written: DecodeErrors say that it was."""
    record(monkeypatch, answer(Attributes=await stored(monkeypatch, patient())))
    async with Database(keys=Failing()) as db:
        with pytest.raises(DecryptError, match=r"its key could not be had \(TimeoutError: the key service is down\)"):
            await db.update(KEY, Patient.name.set("x"))


async def test_a_provider_that_fails_does_not_hide_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    """A condition that failed is told as such, without the item."""
    record(monkeypatch, refusal(await stored(monkeypatch, patient(revision=4))))
    async with Database(keys=Failing()) as db:
        with pytest.raises(VersionConflict) as info:
            await db.put(patient(revision=2))
    assert info.value.item is None


@pytest.mark.parametrize("tells", [True, False])
async def test_a_provider_that_fails_leaves_a_lost_answer_unknown(
    monkeypatch: pytest.MonkeyPatch, *, tells: bool
) -> None:
    """What cannot be decrypted proves nothing, whether it comes with the failure or is read."""
    item = await stored(monkeypatch, patient())
    lost = ConnectionLost("reset", operation="PutItem", sent=True)
    failed = refusal(item)
    failed.raw_item = item if tells else None
    record(monkeypatch, lost, failed, answer(Item=item))
    async with Database(keys=Failing()) as db:
        with pytest.raises(OutcomeUnknown):
            await db.create(patient())


async def test_an_update_that_was_made_and_cannot_be_decrypted_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exactly-once update whose item cannot be read afterwards says so, whatever the provider raises."""
    record(monkeypatch, b"{}", answer(Item=await stored(monkeypatch, patient())))
    async with Database(keys=Failing()) as db:
        with pytest.raises(OutcomeUnknown, match="the update was made, but its item could not be read") as info:
            await db.update(KEY, Patient.name.set("x"), exactly_once=True)
    assert isinstance(info.value.__cause__, TimeoutError)
