"""Leases as they are stored, and what is said of them in errors."""

from __future__ import annotations

from dynamorm_async import Database, Key, LeaseHeld, LeaseLost, TableNotFound
from dynamorm_async.leases.bookkeeping import Bookkeeping
from dynamorm_async.leases.record import LeaseRecord, partition_of


async def look(db: Database, name: str, *, bookkeeping: Bookkeeping | None = None) -> LeaseRecord | None:
    """A lease as it is stored, for people to look at; ``None`` where nobody ever had it. Whether it is held, only time tells.

    Args:
        db: the database.
        name: the lease's name.
        bookkeeping: where leases are kept; by default in the table ``dynamorm``.

    Raises:
        TableNotFound: there is no such table yet: ``await bookkeeping.ensure()`` makes it.
        CallError: the request failed.

    Costs one GetItem, consistent.
    """
    return await read(bookkeeping or Bookkeeping(db), name)


async def read(bookkeeping: Bookkeeping, name: str, *, timeout: float | None = None) -> LeaseRecord | None:
    """As :func:`look`, within a time in seconds."""
    key = Key(bookkeeping.record, partition_of(name), "lease")
    try:
        return await bookkeeping.db.get(key, consistent=True, timeout=timeout)
    except TableNotFound as error:
        error.add_note(f"{bookkeeping!r}: `await bookkeeping.ensure()` makes the table of leases")
        raise


def lease_held(name: str, found: LeaseRecord, watched: float) -> LeaseHeld:
    """The error, not raised, of who did not get a lease.

    Args:
        name: the lease's name.
        found: as it was read last.
        watched: for how many seconds it was seen so.
    """
    since = "" if found.acquired is None else f" since {found.acquired:%Y-%m-%d %H:%M:%S} UTC"
    return LeaseHeld(
        f"lease {name!r} is held by {found.owner}{since} with token {found.token}, renewed at {found.renewed:%H:%M:%S} "
        f"(by its own clock); seen here without a renewal for {watched:.1f} of its {found.duration:g} s. "
        "Wait longer with wait=..., or try again later",
        name=name,
        owner=found.owner or "",
        token=found.token,
        acquired=found.acquired,
        renewed=found.renewed,
        watched=watched,
    )


def lease_lost(name: str, token: int, why: str) -> LeaseLost:
    """The error, not raised, of who has a lease no more."""
    return LeaseLost(
        f"lease {name!r} with token {token} is lost: {why}. Stop what it protects: another may hold it now",
        name=name,
        token=token,
    )
