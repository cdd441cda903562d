"""The models of these tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dynamorm_async import (
    Attr,
    Table,
    attr,
    created_at,
    encrypted,
    model,
    partition_key,
    sort_key,
    unique,
    upcast,
    updated_at,
    version,
)


@model("users")
class User:
    org: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    name: Attr[str] = attr(default="")
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    revision: Attr[int] = version()


@model("wares")
class Ware:
    ware_id: Attr[str] = partition_key()
    photo: Attr[bytes] = attr(default=b"")


@model("people")
class Person:
    name: Attr[str] = partition_key()
    email: Attr[str] = attr()

    one_email = unique("email")


@model("patients")
class Patient:
    patient_id: Attr[str] = partition_key()
    ssn: Attr[str] = encrypted()
    ward: Attr[str] = attr()


yard = Table("yard", partition_key="pk", sort_key="sk")


@model(yard, type="cow", pk="FARM#{farm}", sk="COW#{number:04}")
class Cow:
    farm: Attr[str] = attr()
    number: Attr[int] = attr()


@model(yard, type="barn", pk="FARM#{farm}", sk="BARN", schema=2)
class Barn:
    farm: Attr[str] = attr()
    stalls: Attr[int] = attr()

    @upcast(from_version=1)
    @staticmethod
    def count_stalls(item: dict[str, Any]) -> dict[str, Any]:
        return {**item, "stalls": item.pop("places")}


attic = Table("attic", partition_key="pk")
"""A table that no model lives in."""
