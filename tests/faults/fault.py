"""What a fault is: a frozen record that the proxy plays instead of a plain answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from dynamorm_async.errors import CallError, EndpointUnreachable, PoolTimeout, ServerError, TransportError

BATCHES = frozenset({"BatchGetItem", "BatchWriteItem"})
PAGES = frozenset({"ExecuteStatement", "ListTables", "Query", "Scan"})
SINGLE_WRITES = frozenset({"DeleteItem", "PutItem", "UpdateItem"})
TRANSACTIONS = frozenset({"TransactGetItems", "TransactWriteItems"})


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the proxy saw it.

    Attributes:
        number: which request of this proxy it is, from 1.
        operation: the DynamoDB operation, for example ``PutItem``.
        body: its bytes.
        attempt: how often this operation came with these bytes, this time included.
    """

    number: int
    operation: str
    body: bytes
    attempt: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What the engine said.

    Attributes:
        status: the HTTP status.
        headers: by name in lower case.
        body: the whole body.
        raw: the answer as it came, byte for byte.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class Moment:
    """What an answer can be made from.

    Attributes:
        call: the request.
        reply: what the engine said; ``None`` where it was not asked.
        foreign: the address of another origin, which must never see a byte.
    """

    call: Call
    reply: Reply | None
    foreign: str


Then: TypeAlias = Literal["keep", "close", "reset", "hold", "drip", "flood", "refuse"]
"""What happens to the connection after the bytes of the answer.

``keep`` leaves it open for the next request, ``close`` ends it in order, ``reset`` breaks it, ``hold`` leaves it open and
silent, ``drip`` sends one blank again and again for ever, ``flood`` sends blanks as fast as they are read, for ever. ``refuse`` is of a
port on which nobody listens.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that can go wrong.

    Attributes:
        name: unique in the catalogue.
        description: one line.
        applied: whether the engine gets the request: ``True`` whole (before the answer is lost or spoilt), ``False`` not
            at all, ``None`` what ``part`` leaves of it.
        error: the public error that one such answer stands for when the call is not tried again; ``None`` where the
            answer is a good one.
        may_pass: whether a client may also take the answer for a good one, as it is whole and unspoilt.
        operations: those that it can happen to; empty for all of them.
        make: the bytes of the answer; ``None`` for not a byte.
        then: what happens to the connection after them.
        part: the body that the engine gets where ``applied`` is ``None``; ``None`` for no request at all.
        at: ``connect`` where it happens to a connection before any request; see ``FaultProxy.on_connect``.
        reused_only: played only on a connection that has served before; a new one is served well.
    """

    name: str
    description: str
    applied: bool | None
    error: type[CallError] | None
    may_pass: bool = False
    operations: frozenset[str] = frozenset()
    make: Callable[[Moment], bytes] | None = field(default=None, repr=False)
    then: Then = "keep"
    part: Callable[[Call], bytes | None] | None = field(default=None, repr=False)
    at: Literal["connect", "request"] = "request"
    reused_only: bool = False

    def fits(self, operation: str) -> bool:
        """Whether it can happen to this operation."""
        return not self.operations or operation in self.operations

    @property
    def outcome_unknown(self) -> bool:
        """Whether a client that gets this answer cannot tell if its request was applied."""
        if self.error is None:
            return False
        lost = issubclass(self.error, TransportError) and not issubclass(self.error, (EndpointUnreachable, PoolTimeout))
        return lost or issubclass(self.error, ServerError)

    def __str__(self) -> str:
        return self.name


def refusal(
    name: str, kind: type[CallError], make: Callable[[Moment], bytes], description: str, operations: Iterable[str] = ()
) -> Fault:
    """Somebody says no, and the request is not applied."""
    return Fault(
        name=name, description=description, applied=False, error=kind, make=make, operations=frozenset(operations)
    )


def before_and_after(
    name: str,
    kind: type[CallError],
    make: Callable[[Moment], bytes] | None,
    description: str,
    *,
    then: Then = "keep",
) -> tuple[Fault, Fault]:
    """The same fault where the engine has not seen the request, and where it has applied it."""
    before = Fault(
        name=f"{name}_before",
        description=f"{description}; the request is not applied",
        applied=False,
        error=kind,
        make=make,
        then=then,
    )
    after = f"{description}; the request was applied before"
    return before, replace(before, name=f"{name}_after", description=after, applied=True)
