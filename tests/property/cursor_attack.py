"""An attack on cursors: changed, foreign, expired and forged ones against every reading, without any I/O.

``attack`` is for sealed cursors, of which none may be accepted; ``forge`` is for a Database without secrets, where anybody
can make a cursor, and what counts is where it leads.
"""

from __future__ import annotations

import base64
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from dynamorm_async.errors import CursorError
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.cursors import CursorCodec, Position, fingerprint
from dynamorm_async.plan.positions import start_at
from dynamorm_async.plan.reading import Reading, ReadPlan, plan_query, plan_scan
from dynamorm_async.types import AttributeValue, Request
from tests.property.reading_models import Event

SPEC = spec_of(Event)
TENANTS = ("tenant-alpha-7531", "tenant-bravo-8642")
TABLES = ("events-of-production", "events-of-staging")
KINDS = ("kind-of-somebody", "kind-of-another")
REGION = "region-of-somebody"
NEEDLES = (*TENANTS, *TABLES, *KINDS, REGION, "stream", "weight", "123456789012")
SECRETS = ("the first secret of a server", b"the second secret of a server", "a secret that was taken away")
LIFETIME = 60.0
START = 1_700_000_000.0
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

Mutation = Callable[[bytes, random.Random], bytes]


class Target(msgspec.Struct, frozen=True):
    """One reading.

    Attributes:
        facets: what it reads: table, partition, index, direction, filter, segments.
        plan: its plan.
        bound_to: what its cursors are bound to.
    """

    facets: dict[str, str]
    plan: ReadPlan
    bound_to: bytes

    @property
    def name(self) -> str:
        return str(self.facets)


class Attacked(msgspec.Struct):
    """What became of an attack.

    Attributes:
        tried: how many cursors were tried, by kind.
        accepted: those that were let in, by kind and reading.
        crashed: those that ended in anything but a CursorError.
        cursors: how many sealed cursors were searched for plaintext.
        plaintext_hits: what of keys, names and tables was found in them.
    """

    tried: Counter[str] = msgspec.field(default_factory=Counter[str])
    accepted: list[str] = msgspec.field(default_factory=list[str])
    crashed: list[str] = msgspec.field(default_factory=list[str])
    cursors: int = 0
    plaintext_hits: list[str] = msgspec.field(default_factory=list[str])


class Clock:
    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def targets() -> list[Target]:
    """Readings of which no two are the same: tables, partitions, indexes, directions, filters, segments."""
    return list(_targets())


def _targets() -> Iterator[Target]:
    for table in TABLES:
        for tenant in TENANTS:
            mine = Event.stream == tenant
            for filters in ((), (Event.note == "",), (Event.note == "x",), (Event.seq > 0,), (Event.seq > 1,)):
                for descending in (False, True):
                    yield _query(table, mine, *filters, descending=descending)
            yield _query(table, mine, using="by_weight")
            yield _query(table, mine, using="by_note_only")
        yield _query(table, Event.stream.is_in(TENANTS))
        for kind in KINDS:
            yield _query(table, Event.kind == kind, using="by_kind")
            yield _query(table, Event.kind == kind, using="keys_by_kind")
            yield _query(table, (Event.region == REGION) & (Event.kind == kind), using="by_place")
        yield _query(table, Event.region == REGION, using="by_region")
        yield _query(table, Event.region == REGION, using="by_owner")
        for segments in (1, 2, 3):
            yield _scan(table, segments=segments)
            yield _scan(table, Event.stream == TENANTS[0], segments=segments)
        yield _scan(table, using="by_region")


def _query(
    table: str, partition: Condition, *filters: Condition, using: str | None = None, descending: bool = False
) -> Target:
    reading = Reading(conditions=(partition, *filters), using=using, descending=descending)
    facets = {
        "table": table,
        "partition": str(partition),
        "filter": str(filters),
        "index": str(using),
        "direction": str(descending),
    }
    return _target(plan_query(SPEC, table, reading), facets)


def _scan(table: str, *filters: Condition, using: str | None = None, segments: int = 1) -> Target:
    reading = Reading(conditions=filters, using=using, segments=segments)
    facets = {"table": table, "filter": str(filters), "index": str(using), "number of segments": str(segments)}
    return _target(plan_scan(SPEC, table, reading), facets)


def _target(plan: ReadPlan, facets: dict[str, str]) -> Target:
    return Target(facets, plan, fingerprint([request.body for request in plan.requests]))


def twins(known: Sequence[Target]) -> dict[str, list[tuple[Target, Target]]]:
    """Pairs of readings that differ in one facet alone, by that facet."""
    pairs: dict[str, list[tuple[Target, Target]]] = {}
    for here, there in itertools.permutations(known, 2):
        if here.facets.keys() == there.facets.keys():
            differing = [name for name, value in here.facets.items() if there.facets[name] != value]
            if len(differing) == 1:
                pairs.setdefault(differing[0], []).append((here, there))
    return pairs


def positions_of(target: Target, chance: random.Random) -> list[Position]:
    """Where a page of the reading may have ended."""
    return [Position(key=_key(target.plan, request, chance)) for request in target.plan.requests]


def _key(plan: ReadPlan, request: Request, chance: random.Random) -> dict[str, AttributeValue]:
    texts = {"stream": TENANTS, "kind": KINDS, "r": (REGION,)}
    names, values = request.body.get("ExpressionAttributeNames", {}), request.body.get("ExpressionAttributeValues", {})
    key: dict[str, AttributeValue] = {}
    for part in plan.key_parts:
        fixed = next(
            (values[v] for n, v in _equalities(request) if names[n] == part.name),
            None,
        )
        content = "123456789012" if part.tag == "N" else chance.choice(texts.get(part.name, ("owner-of-it",)))
        key[part.name] = fixed or {part.tag: content}
    return key


def _equalities(request: Request) -> Iterator[tuple[str, str]]:
    for clause in request.body.get("KeyConditionExpression", "").split(" AND "):
        name, equals, value = clause.partition(" = ")
        if equals:
            yield name, value


# --- sealed cursors ----------------------------------------------------------------------------------


def attack(mutations: int, *, seed: int) -> Attacked:
    """Try cursors that the server did not make for the reading they are used on.

    Args:
        mutations: how many to try.
        seed: of the choices; the nonces of the cursors are random all the same.
    """
    chance, result, clock = random.Random(seed), Attacked(), Clock()  # noqa: S311 - reproducible, not secret
    known = targets()
    server = CursorCodec(SECRETS[:2], lifetime=LIFETIME, now=clock)
    old = CursorCodec(SECRETS[2:], lifetime=LIFETIME, now=clock)
    plain = CursorCodec((), lifetime=LIFETIME, now=clock)
    cursors = {t.name: [server.encode(t.bound_to, positions_of(t, chance)) for _ in range(3)] for t in known}
    for cursor in (cursor for each in cursors.values() for cursor in each):
        result.cursors += 1
        result.plaintext_hits += plaintext_in(cursor)
    attempts = _attempts(known, cursors, {"of another secret": old, "without a secret": plain}, chance)
    while sum(result.tried.values()) < mutations:
        kind, target, cursor, late = next(attempts)
        if not late and cursor in cursors[target.name]:
            continue  # the mutation changed nothing
        result.tried[kind] += 1
        clock.now = START + LIFETIME + 1 + late if late else START
        try:
            start_at(target.plan, server.decode(target.bound_to, cursor))
        except CursorError:
            continue
        except Exception as error:  # noqa: BLE001 - any other is a finding
            result.crashed.append(f"{kind}: {target.name}: {error!r}")
        else:
            result.accepted.append(f"{kind}: {target.name}")
    return result


def _attempts(
    known: Sequence[Target],
    cursors: Mapping[str, Sequence[str]],
    strangers: Mapping[str, CursorCodec],
    chance: random.Random,
) -> Iterator[tuple[str, Target, str, float]]:
    """Without end: the kind of attack, the reading it is tried on, the cursor, and how late it is."""
    pairs = twins(known)
    while True:
        for facet, alike in pairs.items():
            near, other = chance.choice(alike)
            yield f"of another {facet}", near, chance.choice(cursors[other.name]), 0
        here, there = chance.sample(known, 2)
        mine, another = chance.choice(cursors[here.name]), chance.choice(cursors[there.name])
        yield "of another query", here, another, 0
        yield "expired", here, mine, chance.choice((0.5, 3600.0, 1e9))
        for kind, codec in strangers.items():
            yield kind, here, codec.encode(here.bound_to, positions_of(here, chance)), 0
        data = _data(mine)
        for kind, mutate in MUTATIONS.items():
            yield kind, here, _text(mutate(data, chance)), 0
        cut = chance.randrange(1, min(len(data), len(_data(another))))
        yield "spliced", here, _text(data[:cut] + _data(another)[cut:]), 0
        yield "spliced with its own", here, _text(data[:cut] + _data(chance.choice(cursors[here.name]))[cut:]), 0
        yield "other text", here, _other_text(mine, chance), 0


def _flip(data: bytes, chance: random.Random, *, bits: int = 1, start: int = 0, end: int | None = None) -> bytes:
    changed = bytearray(data)
    for _ in range(bits):
        changed[chance.randrange(start, len(data) if end is None else end)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _delete(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + data[place + chance.randint(1, 20) :]


def _insert(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.randbytes(chance.randint(1, 20)) + data[place:]


def _swap(data: bytes, chance: random.Random) -> bytes:
    one, other = sorted(chance.sample(range(len(data)), 2))
    return data[:one] + data[other : other + 1] + data[one + 1 : other] + data[one : one + 1] + data[other + 1 :]


MUTATIONS: Mapping[str, Mutation] = {
    "a bit flipped": _flip,
    "bits flipped": lambda data, chance: _flip(data, chance, bits=chance.randint(2, 64)),
    "kind flipped": lambda data, chance: _flip(data, chance, end=1),
    "key id flipped": lambda data, chance: _flip(data, chance, start=1, end=5),
    "nonce flipped": lambda data, chance: _flip(data, chance, start=5, end=17),
    "tag flipped": lambda data, chance: _flip(data, chance, start=len(data) - 16),
    "cut at the end": lambda data, chance: data[: chance.randrange(len(data))],
    "cut at the start": lambda data, chance: data[chance.randint(1, len(data)) :],
    "bytes deleted": _delete,
    "bytes inserted": _insert,
    "bytes swapped": _swap,
    "random": lambda data, chance: data[:5] + chance.randbytes(len(data) - 5),
    "all random": lambda data, chance: chance.randbytes(chance.randint(1, 2 * len(data))),
}


def _other_text(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text))
    letter = chance.choice([*ALPHABET, "+", "/", "=", " ", "\n", "é", "\0", "%", "\ud800"])
    last = ALPHABET[(ALPHABET.index(text[-1]) + chance.randint(1, 3)) % 64]
    changed: list[str] = [
        text[:place] + letter + text[place + 1 :],
        text[:place] + letter + text[place:],
        text + "=" * chance.randint(1, 3),
        text[:-1] + last,
        text.swapcase(),
        text + text,
        text[::-1],
    ]
    return chance.choice(changed)


def _data(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def plaintext_in(cursor: str) -> list[str]:
    """What of keys, attribute names and tables can be read in a cursor: as it is, decoded, or encoded at any alignment."""
    data, found = _data(cursor), list[str]()
    for needle in NEEDLES:
        raw = needle.encode()
        if raw in data or needle in cursor or raw.hex() in cursor or raw[::-1] in data:
            found.append(f"{needle} in {cursor}")
        for alignment in range(3):
            # The letters that stand for the needle's bytes alone, whatever comes before and after it.
            encoded = base64.urlsafe_b64encode(b"\0" * alignment + raw).decode().rstrip("=")
            inner = encoded[(8 * alignment + 5) // 6 : -1]
            if inner in cursor or inner.encode() in data:
                found.append(f"{needle} at alignment {alignment} in {cursor}")
    return found


# --- cursors without a secret --------------------------------------------------------------------------


def forge(number: int, *, seed: int) -> Attacked:
    """Make up cursors for a Database without secrets, and see where those lead that it takes.

    Accepted ones are counted as findings only where they lead out of their reading: to a request that differs in anything
    but the key after which it goes on, or to a key of another partition, another index, or no key at all.

    Args:
        number: how many to make up.
        seed: of the choices.
    """
    chance, result = random.Random(seed), Attacked()  # noqa: S311 - reproducible, not secret
    known, codec = targets(), CursorCodec((), lifetime=LIFETIME, now=Clock())
    for _ in range(number):
        target, foreign = chance.sample(known, 2)
        bound_to = chance.choice((target.bound_to, target.bound_to, target.bound_to, foreign.bound_to))
        positions = [_made_up(chance.choice((target, foreign)), chance) for _ in target.plan.requests]
        if not chance.randrange(10):
            positions = positions * 2 if chance.randrange(2) else positions[1:]
        result.tried["made up"] += 1
        try:
            requests = start_at(target.plan, codec.decode(target.bound_to, codec.encode(bound_to, positions)))
        except CursorError:
            continue
        except Exception as error:  # noqa: BLE001 - any other is a finding
            result.crashed.append(f"{target.name}: {positions}: {error!r}")
            continue
        result.tried["taken"] += 1
        if bound_to != target.bound_to or any(
            request is not None and _leads_out(target.plan, first, request)
            for first, request in zip(target.plan.requests, requests, strict=True)
        ):
            result.accepted.append(f"{target.name}: {positions}")
    return result


def _made_up(target: Target, chance: random.Random) -> Position:
    if not chance.randrange(12):
        return Position(done=True)
    key = _key(target.plan, chance.choice(target.plan.requests), chance)
    if not chance.randrange(2):
        return Position(key=key)
    name = chance.choice(list(key))
    odd: list[AttributeValue] = [
        *({"S": text} for text in (*TENANTS, *KINDS, REGION, "", "x" * 5000, "1", "\0")),
        *({"N": text} for text in ("0", "-1", "1E+1000000", "9" * 5000, "NaN", "Infinity", "", " 1", "1_0", "٣", "x")),
        *({"B": data} for data in (b"", b"x", b"x" * 5000)),
        {},
        {"S": TENANTS[0], "N": "1"},
        {"M": {"S": {"S": TENANTS[0]}}},
        {"NULL": True},
    ]
    change = chance.randrange(4)
    if change == 0:
        del key[name]
    elif change == 1:
        key["more"] = chance.choice(odd)
    else:
        key[name] = chance.choice(odd)
    return Position(key=key)


def _leads_out(plan: ReadPlan, first: Request, request: Request) -> bool:
    rest = {name: value for name, value in request.body.items() if name != "ExclusiveStartKey"}
    if rest != first.body or (request.operation, request.table) != (first.operation, first.table):
        return True
    key = request.body.get("ExclusiveStartKey")
    if key is None:
        return request.body != first.body
    names, values = first.body.get("ExpressionAttributeNames", {}), first.body.get("ExpressionAttributeValues", {})
    fixed = {names[n]: values[v] for n, v in _equalities(first)}
    return (
        set(key) != set(plan.key_names)
        or any(list(key[part.name]) != [part.tag] for part in plan.key_parts)
        or any(key[name] != value for name, value in fixed.items() if name in key)
        or any(len(content) > 2048 for value in key.values() for content in value.values())
    )
