"""Encrypted and secret attributes against the engines: what is stored, what is read, and that nothing shows a value."""

from __future__ import annotations

import json
import logging
import secrets
import traceback
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from dynamorm_async import (
    Attr,
    Database,
    DecryptError,
    DynamormError,
    Key,
    LocalKeyring,
    VersionConflict,
    attr,
    encrypted,
    index,
    model,
    partition_key,
    sort_key,
    version,
)
from tests.contract.differences import differs
from tests.engines import Lane, call

pytestmark = pytest.mark.anyio

PREFIX = f"sealed{uuid.uuid4().hex[:8]}-"
OLD, NEW = secrets.token_bytes(32), secrets.token_bytes(32)
BEFORE = LocalKeyring({"2025": OLD})
AFTER = LocalKeyring({"2025": OLD, "2026": NEW}, current="2026")

SSN, PIN, WORD = "canary-ssn-51", 9_182_736_455, "canary-word-62"
CANARIES = (SSN, str(PIN), WORD)
ODD: Any = [WORD]  # a value of another type than its attribute


@model(table="patients")
class Patient:
    clinic: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    ssn: Attr[str] = encrypted()
    history: Attr[dict[str, list[Decimal]]] = encrypted(factory=dict)
    photo: Attr[bytes | None] = encrypted(default=None)
    name: Attr[str] = attr(default="Bo")
    pin: Attr[int] = attr(default=0, secret=True)
    word: Attr[str | None] = attr(default=None, secret=True)
    revision: Attr[int] = version()

    by_word = index(partition="word", projection="keys_only")


@model(table="cards")
class Card:
    """Without a version, and with a secret key."""

    token: Attr[str] = partition_key(secret=True)
    number: Attr[str] = encrypted()
    uses: Attr[int] = attr(default=0)


def connect(endpoint: str, lane: Lane, keys: LocalKeyring | None = AFTER, prefix: str = PREFIX) -> Database:
    return Database(
        endpoint=endpoint, region="eu-west-1", credentials=("test", "test"), lane=lane, table_prefix=prefix, keys=keys
    )


@pytest.fixture(scope="session")
def sealed_tables() -> set[str]:
    """The endpoints of the engines that have the tables."""
    return set()


@pytest.fixture
async def vault(endpoint: str, lane: Lane, sealed_tables: set[str]) -> AsyncIterator[Database]:
    async with connect(endpoint, lane) as db:
        if endpoint not in sealed_tables:
            await db.tables.ensure(Patient, Card)
            sealed_tables.add(endpoint)
        yield db


def clinic() -> str:
    return uuid.uuid4().hex


def key_of(patient: Patient) -> Key[Patient]:
    return Key(Patient, patient.clinic, patient.number)


def raw_item(endpoint: str, patient: Patient) -> dict[str, Any]:
    key = {"clinic": {"S": patient.clinic}, "number": {"N": str(patient.number)}}
    status, answer = call(endpoint, "GetItem", {"TableName": f"{PREFIX}patients", "Key": key})
    assert status == 200
    return dict(answer["Item"])


def put_raw(endpoint: str, item: dict[str, Any]) -> None:
    assert call(endpoint, "PutItem", {"TableName": f"{PREFIX}patients", "Item": item})[0] == 200


async def test_what_is_stored_is_encrypted(vault: Database, endpoint: str) -> None:
    """The table has Binary in the values' places, whatever their types; they come back as they were."""
    patient = Patient(
        clinic=clinic(),
        number=1,
        ssn=SSN,
        history={"a": [Decimal("1.50"), Decimal(2)]},
        photo=b"\x00\xff",
        word=clinic(),
    )
    await vault.create(patient)
    item = raw_item(endpoint, patient)
    assert [next(iter(item[name])) for name in ("ssn", "history", "photo", "word")] == ["B", "B", "B", "S"]
    assert SSN not in json.dumps(item)
    assert await vault.get(Key(Patient, patient.clinic, 1)) == patient
    assert await vault.query(Patient).where(Patient.clinic == patient.clinic) == [patient]
    assert await vault.batch_get(Key(Patient, patient.clinic, 1)) == [patient]
    assert await vault.transact_get(Key(Patient, patient.clinic, 1)) == (patient,)
    hydrated = await vault.query(Patient).where(Patient.word == patient.word).hydrate().first()
    assert hydrated == patient


async def test_changes_write_what_changed(vault: Database, endpoint: str, lane: Lane) -> None:
    """save encrypts changed values only, by the current key; update and transactions set whole values."""
    patient = Patient(clinic=clinic(), number=1, ssn=SSN)
    async with connect(endpoint, lane, BEFORE) as before:
        await before.create(patient)
    stored = raw_item(endpoint, patient)
    patient = await vault.get(Patient, patient.clinic, 1) or patient
    patient.name = "Ada"
    await vault.save(patient)
    assert raw_item(endpoint, patient)["ssn"] == stored["ssn"]
    await vault.update(key_of(patient), Patient.ssn.set("other"), Patient.photo.set_default(b"new"))
    async with vault.transaction() as transaction:
        transaction.update(key_of(patient), Patient.history.set({"x": []}))
    found = await vault.get(Patient, patient.clinic, 1)
    assert found is not None
    assert (found.ssn, found.photo, found.history, found.name) == ("other", b"new", {"x": []}, "Ada")
    async with connect(endpoint, lane, BEFORE) as before:
        with pytest.raises(DecryptError, match="by the key '2026'"):
            await before.get(Patient, patient.clinic, 1)


async def test_moved_ciphertexts_are_refused(vault: Database, endpoint: str) -> None:
    """Copied to another item or attribute, or replaced by a plaintext, a value is not read."""
    one, two = (Patient(clinic=clinic(), number=number, ssn=SSN, photo=b"x") for number in (1, 2))
    await vault.create(one)
    await vault.create(two)
    mine, other = raw_item(endpoint, one), raw_item(endpoint, two)
    for change in ({"ssn": other["ssn"]}, {"ssn": mine["photo"]}, {"ssn": {"S": SSN}}, {"ssn": {"B": "AAAA"}}):
        put_raw(endpoint, {**mine, **change})
        with pytest.raises(DecryptError) as info:
            await vault.get(Patient, one.clinic, 1)
        assert [problem.path for problem in info.value.problems] == ["ssn"]
    put_raw(endpoint, mine)
    assert await vault.get(Patient, one.clinic, 1) == one


async def test_errors_carry_the_item_decrypted(vault: Database, engine: str) -> None:
    """The item of a conflict is the one that is there."""
    patient = Patient(clinic=clinic(), number=1, ssn=SSN)
    await vault.create(patient)
    await vault.update(key_of(patient), Patient.ssn.set("newer"))
    patient.name = "Ada"
    with pytest.raises(VersionConflict) as info:
        await vault.save(patient)
    if not differs(engine, "failed-condition-returns-item"):
        found = info.value.item
        assert isinstance(found, Patient)
        assert found.ssn == "newer"


def calls(db: Any, there: Patient, endpoint: str) -> list[Callable[[], Awaitable[object]]]:
    """Every public operation on models with secrets, those that fail among them."""
    key, gone = Key(Patient, there.clinic, 1), Key(Patient, there.clinic, 77)
    card = Card(token=WORD + there.clinic, number=SSN)

    def new(number: int = 5, **values: Any) -> Patient:
        given: dict[str, Any] = {"clinic": there.clinic, "number": number, "ssn": SSN, "pin": PIN, "word": WORD}
        return Patient(**given | values)

    async def batch() -> None:
        async with db.batch_write() as writing:
            await writing.put(card)
            await writing.put(new(revision=3))

    async def transaction() -> None:
        async with db.transaction() as writing:
            writing.update(key, Patient.ssn.set(SSN), Patient.pin.set(PIN), where=Patient.word == f"not {WORD}")
            writing.create(card)

    async def modify() -> object:
        def change(patient: Patient) -> None:
            patient.ssn, patient.word = ODD, WORD

        result: object = await db.modify(key, change)
        return result

    async def misread() -> None:
        item = raw_item(endpoint, there)
        put_raw(endpoint, {**item, "number": {"N": "9"}, "pin": {"S": WORD}})
        await db.get(Patient, there.clinic, 9)

    async def tampered() -> None:
        put_raw(endpoint, {**raw_item(endpoint, there), "number": {"N": "9"}, "ssn": {"S": WORD}})
        await db.scan(Patient).where(Patient.clinic == there.clinic)

    async def moved() -> None:
        read = await db.get(Card, card.token)
        assert read is not None
        read.token = f"{WORD} other"
        await db.save(read)

    where = Patient.clinic == there.clinic
    return [
        lambda: db.create(there),
        lambda: db.create(new(pin=WORD)),
        lambda: db.create(new(ssn=ODD)),
        lambda: db.put(new(number=1, revision=9)),
        lambda: db.put(card),
        lambda: db.create(card),
        lambda: db.get(Card, card.token),
        lambda: db.get(Card, ODD),
        lambda: db.get(Key(Card, card.token), WORD),
        lambda: db.update(key, Patient.ssn.set(SSN), Patient.word.set(WORD), returns="updated_new"),
        lambda: db.update(key, Patient.pin.set(PIN), where=Patient.word.begins_with(f"x{WORD}")),
        lambda: db.update(key, Patient.word.set(ODD)),
        lambda: db.update(gone, Patient.ssn.set(SSN), Patient.pin.add(PIN)),
        lambda: db.update(key, Patient.pin.set(Patient.pin + PIN), Patient.pin.set(PIN)),
        lambda: db.update(key, Patient.word == WORD),
        lambda: db.save(new(number=6)),
        modify,
        moved,
        batch,
        transaction,
        lambda: db.delete(new(number=1, revision=3)),
        lambda: db.delete(Key(Card, card.token), where=Card.uses > 3, returns="old"),
        lambda: db.batch_get(Key(Card, card.token), key),
        lambda: db.transact_get(key, key),
        lambda: db.transact_get(Key(Card, card.token), Key(Card, card.token)),
        lambda: db.query(Patient).where(where, Patient.pin == PIN),
        lambda: db.query(Patient).where(Patient.pin == PIN),
        lambda: db.query(Patient).where(where, Patient.word == WORD).one(),
        lambda: db.query(Patient).where(Patient.word == WORD, Patient.word == f"{WORD} too").page(size=3),
        lambda: db.query(Patient).where(where).sum(Patient.word),
        lambda: db.query(Patient).where(where).select(Patient.ssn, Patient.word),
        misread,
        tampered,
    ]


async def test_nothing_shows_a_secret_value(
    vault: Database, endpoint: str, lane: Lane, caplog: pytest.LogCaptureFixture
) -> None:
    """Reprs of results that hold models, errors with their causes, explanations and logs at DEBUG: no canary in them."""
    there = Patient(clinic=clinic(), number=1, ssn=SSN, pin=PIN, word=WORD)
    await vault.create(there)
    shown: list[str] = [repr(there), str(Patient.pin == PIN), repr(Patient.ssn.set(SSN)), repr(Key(Card, WORD))]
    failed = 0
    with caplog.at_level(logging.DEBUG):
        for make in calls(vault, there, endpoint):
            try:
                shown.append(_shown(await make()))
            except DynamormError as error:
                failed += 1
                shown += [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)]
    shown.append(repr(vault.query(Patient).where(Patient.word == WORD).hydrate().explain()))
    shown.append(str(vault.scan(Patient).where(Patient.word == WORD, Patient.pin == PIN).explain()))
    # Every log but botocore's, which writes whole requests at DEBUG: those have ciphertexts, and other values as they are.
    sdk = ("botocore", "aiobotocore")
    shown += [record.getMessage() for record in caplog.records if not record.name.startswith(sdk)]
    logged = "".join(record.getMessage() for record in caplog.records)
    assert failed > 15
    for canary in CANARIES:
        assert [text for text in shown if canary in text] == []
    assert SSN not in logged
    assert lane == "sdk" or WORD not in logged


def _shown(result: Any) -> str:
    """The repr of a result; rows of values that were selected are plain, and the caller's."""
    is_rows = isinstance(result, list) and any(type(row) is tuple for row in result)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # a list of anything
    return "" if is_rows else repr(result)  # pyright: ignore[reportUnknownArgumentType]  # as above
