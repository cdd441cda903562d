"""Mistakes with encrypted attributes, one a line, each with the checkers that must report it; no other line may be reported."""

from __future__ import annotations

from dynamorm_async import Attr, Database, KeyUse, LocalKeyring, attr, encrypted, model, partition_key


@model(table="patients")
class Patient:
    clinic: Attr[str] = partition_key()
    ssn: Attr[str] = encrypted()
    pin: Attr[int] = attr(default=0, secret=True)
    wrong: Attr[int] = encrypted(default="text")  # error: mypy pyright


class Half:
    """A provider that cannot decrypt."""

    async def encrypting(self, use: KeyUse, /) -> bytes:
        return bytes(use.values)


Patient(clinic="a", ssn=3)  # error: mypy pyright
Patient(clinic="a")  # error: mypy pyright
Patient.ssn.set(3)  # error: mypy pyright
Database(keys=Half())  # error: mypy pyright
Database(keys={"2026-11": bytes(32)})  # error: mypy pyright
LocalKeyring({"2026-11": "text"}, current="2026-11")  # error: mypy pyright
encrypted(secret=False)  # error: mypy pyright
encrypted(as_json=True)  # error: mypy pyright
