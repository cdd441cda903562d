"""Encrypted and secret attributes that must be clean in mypy and pyright, both strict, with no ignore."""

from __future__ import annotations

from datetime import date
from typing import Any, assert_type

from dynamorm_async import (
    Attr,
    Condition,
    Database,
    DataKey,
    Key,
    KeyProvider,
    KeyUse,
    LocalKeyring,
    Update,
    attr,
    created_at,
    encrypted,
    model,
    partition_key,
    sort_key,
    version,
)


@model(table="patients")
class Patient:
    clinic: Attr[str] = partition_key(secret=True)
    number: Attr[int] = sort_key(default=0, secret=True)
    ssn: Attr[str] = encrypted()
    born: Attr[date | None] = encrypted(default=None)
    history: Attr[dict[str, list[int]]] = encrypted(factory=dict)
    extra: Attr[dict[str, Any]] = encrypted(factory=dict[str, Any], name="x")
    pin: Attr[int] = attr(default=0, secret=True)
    token: Attr[str] = attr(secret=True)
    revision: Attr[int] = version(secret=True)
    made = created_at(secret=True)


class Service:
    """A provider, as users write one."""

    async def encrypting(self, use: KeyUse, /) -> DataKey:
        return DataKey(use.table.encode(), bytes(32))

    async def decrypting(self, key_id: bytes, use: KeyUse, /) -> DataKey | None:
        return None if use.values > 10 else DataKey(key_id, bytes(32))


def provider() -> KeyProvider:
    return Service()


async def use(db: Database) -> None:
    patient = Patient(clinic="north", ssn="123", token="t")
    assert_type(patient.ssn, str)
    assert_type(patient.born, date | None)
    assert_type(patient.history, dict[str, list[int]])
    assert_type(Patient.ssn.set("456"), Update)
    assert_type(Patient.ssn.exists(), Condition)
    await db.create(patient)
    found = await db.get(Key(Patient, "north", 0))
    if found is not None:
        assert_type(found.ssn, str)
    assert_type(await db.scan(Patient).select(Patient.ssn, Patient.pin), list[tuple[str, int]])


def databases(key: bytes) -> list[Database]:
    ring = LocalKeyring({"2026-11": key}, current="2026-11")
    return [Database(keys=ring), Database(keys=Service()), Database(keys=provider()), Database(keys=None)]
