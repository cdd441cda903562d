"""What is stored of a lease."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypeVar, cast

from dynamorm_async import Attr, attr, model, partition_key, sort_key, updated_at, version

M = TypeVar("M")

TABLE: Final = "dynamorm"
"""The name of the bookkeeping table, before the database's prefix."""

PARTITION_KEY: Final = "pk"
SORT_KEY: Final = "sk"


@model(table=TABLE, unknown="keep")
class LeaseRecord:
    """A lease as it is stored. It is never deleted, so that its token never begins anew.

    Attributes:
        pk: ``lease#`` and the name.
        sk: ``lease``.
        owner: who holds it; ``None`` where it is free.
        token: the fencing token: one more with each acquisition.
        duration: seconds for which a holder has it without a renewal.
        acquired: when it was acquired, by the clock of the holder's machine.
        renewed: when this was written, by that clock as well.
        revision: moves with every write; who waits for the lease watches it.
    """

    pk: Attr[str] = partition_key()
    sk: Attr[str] = sort_key(default="lease")
    owner: Attr[str | None] = attr(default=None)
    token: Attr[int] = attr(default=0)
    duration: Attr[float] = attr(default=0.0)
    acquired: Attr[datetime | None] = attr(default=None)
    renewed: Attr[datetime] = updated_at()
    revision: Attr[int] = version()


def partition_of(name: str) -> str:
    """The partition key of a lease."""
    return f"lease#{name}"


def in_table(cls: type[M], table: str) -> type[M]:
    """A model of bookkeeping as one of a table of another name.

    Args:
        cls: a model of the table ``dynamorm``, with a key of ``pk`` and ``sk``.
        table: the name, without the database's prefix.
    """
    if table == TABLE:
        return cls
    space = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    # A subclass in a table of its own has the attributes of its base; type() cannot say so.
    made = cast("type[M]", type(cls.__name__, (cls,), space))
    return model(table, unknown="keep")(made)
