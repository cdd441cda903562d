"""Cursors that are edited, foreign, cut or expired are refused, always in the same way, and tell nothing."""

from __future__ import annotations

import base64
import random
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from dynamorm_async import ConfigurationError, CursorError, Database, Page, Query, UsageError
from dynamorm_async.database.access import Access
from dynamorm_async.database.reading import Scan
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.cursors import CursorCodec, Position, fingerprint
from dynamorm_async.plan.positions import start_at
from dynamorm_async.plan.reading import Reading, plan_query
from dynamorm_async.types import AttributeValue
from tests.property import cursor_attack
from tests.property.cursor_attack import NEEDLES, attack, forge, plaintext_in, positions_of, targets, twins
from tests.property.fake_table import FakeTable
from tests.property.reading_models import Event, filled
from tests.property.sizing import examples

pytestmark = pytest.mark.anyio
SPEC = spec_of(Event)
SECRET, OTHER = "a" * 32, b"b" * 16
TENANT = "tenant-of-somebody"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
URL_SAFE = set(ALPHABET)


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class World:
    """A table, and queries on it as databases with some secrets make them."""

    def __init__(self, *secrets: str | bytes, clock: Clock | None = None, lifetime: float = 60.0) -> None:
        self.table = FakeTable(SPEC.table, [{**item, "stream": {"S": s}} for s in (TENANT, "b") for item in filled(9)])
        codec = CursorCodec(secrets, lifetime=lifetime, now=clock or Clock())
        self.access = Access(send=self.table.send, cursors=codec, clock=lambda: datetime.now(UTC))

    def query(self, stream: str = TENANT, *, table: str = "events") -> Query[Event]:
        return Query[Event](SPEC, table, self.access).where(Event.stream == stream)

    def scan(self) -> Scan[Event]:
        return Scan[Event](SPEC, "events", self.access)


async def cursor_of(query: Query[Event] | Scan[Event]) -> str:
    cursor = (await query.page(size=3)).cursor
    assert cursor is not None
    return cursor


async def refused(query: Query[Event] | Scan[Event], cursor: str) -> None:
    """By every way to use it, with CursorError and nothing else, before anything is sent."""
    with pytest.raises(CursorError):
        await query.page(cursor=cursor)
    with pytest.raises(CursorError):
        query.after(cursor).stream()


def bit_flips(text: str, chance: random.Random) -> Iterator[str]:
    data = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    for _ in range(2000):
        place, bit = chance.randrange(len(data)), 1 << chance.randrange(8)
        data[place] ^= bit
        yield base64.urlsafe_b64encode(data).rstrip(b"=").decode()
        data[place] ^= bit


def cuts_and_extensions(text: str, chance: random.Random) -> Iterator[str]:
    yield from (text[:end] for end in range(len(text)))
    yield from (text[start:] for start in range(1, len(text)))
    for _ in range(1000):
        place = chance.randrange(len(text) + 1)
        yield text[:place] + "".join(chance.choices(ALPHABET, k=chance.randint(1, 9))) + text[place:]


def swaps(text: str, chance: random.Random) -> Iterator[str]:
    letters = list(text)
    for _ in range(2500):
        one, other = chance.sample(range(len(letters)), 2)
        swapped = letters.copy()
        swapped[one], swapped[other] = swapped[other], swapped[one]
        yield "".join(swapped)


def replacements(text: str, chance: random.Random) -> Iterator[str]:
    for _ in range(5000):
        place = chance.randrange(len(text))
        yield (
            text[:place]
            + chance.choice([*ALPHABET, "+", "/", "=", " ", "\n", "é", "\0", "%", "\ud800"])
            + text[place + 1 :]
        )


def variants(text: str, _chance: random.Random) -> Iterator[str]:
    yield from (text + "=", text + "==", text + "\n", " " + text, text.swapcase(), text + text, "=" + text, f'"{text}"')
    yield from (text.replace("-", "+").replace("_", "/") + "=" * n for n in range(1, 4))
    yield from ("", "=", "====", "A", "AA", "null", "{}", "🙂", "A" * 5_000_000, urllib.parse.quote(text) + "%")
    last = ALPHABET.index(text[-1])  # the last letter's unused bits: another text for the same bytes
    yield from (text[:-1] + ALPHABET[(last & ~mask) | extra] for mask, extra in ((3, 1), (3, 2), (3, 3), (15, 5)))


MUTATIONS: tuple[Callable[[str, random.Random], Iterator[str]], ...] = (
    bit_flips,
    cuts_and_extensions,
    swaps,
    replacements,
    variants,
)


@pytest.mark.parametrize("secrets", [(SECRET,), (SECRET, OTHER), ()], ids=["secret", "rotated", "plain"])
async def test_no_mutation_is_accepted(secrets: tuple[str | bytes, ...]) -> None:
    """Ten thousand changed cursors: every one is a CursorError, and none sends a request (flaw D18)."""
    world, chance = World(*secrets), random.Random(7)  # noqa: S311 - reproducible, not secret
    cursor = await cursor_of(world.query())
    plan = plan_query(SPEC, "events", Reading(conditions=(Event.stream == TENANT,)))
    bound_to = fingerprint([request.body for request in plan.requests])
    assert world.access.cursors.decode(bound_to, cursor)
    query, sent, tried = world.query(), len(world.table.requests), 0
    for mutate in MUTATIONS:
        for changed in mutate(cursor, chance):
            if changed != cursor:
                tried += 1
                with pytest.raises(CursorError):
                    start_at(plan, world.access.cursors.decode(bound_to, changed))
                if not tried % 20:  # the public way is a hundred times slower
                    with pytest.raises(CursorError):
                        query.after(changed).stream()
    assert tried >= 10_000
    assert len(world.table.requests) == sent
    await refused(query, "")
    assert (await query.page(size=3, cursor=cursor)).items[0].seq == 3


@pytest.mark.parametrize("secrets", [(SECRET,), ()], ids=["secret", "plain"])
async def test_a_cursor_is_of_one_query(secrets: tuple[str, ...]) -> None:
    """Another tenant's, table's, index's, direction's, condition's or number of segments' cursor is refused."""
    world = World(*secrets)
    query, scan = world.query(), world.scan()
    others: list[Query[Event] | Scan[Event]] = [
        world.query("b"),
        world.query(table="other-events"),
        query.descending(),
        query.where(Event.seq > 0),
        query.where(Event.note == ""),
        query.using(Event.by_weight),
        Query[Event](SPEC, "events", world.access).where(Event.stream.is_in([TENANT, "b"])),
        Query[Event](SPEC, "events", world.access).where(Event.region == "eu").using("by_region"),
        scan,
        scan.segments(2),
        scan.segments(3),
        scan.where(Event.stream == TENANT),
        scan.using("by_region"),
    ]
    readings = [query, *others]
    cursors = [await cursor_of(reading) for reading in readings]
    for here, reading in enumerate(readings):
        for there, cursor in enumerate(cursors):
            if here == there:
                assert isinstance(await reading.page(cursor=cursor), Page)
            else:
                await refused(reading, cursor)


async def test_plain_and_secret_cursors_do_not_mix() -> None:
    """With secrets a plain cursor is refused, and without any a secret one; so is another secret's."""
    worlds = [World(), World(SECRET), World(OTHER), World("c" * 40)]
    cursors = [await cursor_of(world.query()) for world in worlds]
    for here, world in enumerate(worlds):
        for there, cursor in enumerate(cursors):
            if here != there:
                await refused(world.query(), cursor)


async def test_secrets_rotate() -> None:
    """The first secret makes cursors, all of them accept; one that was taken away accepts no more."""
    before, during, after = World(SECRET), World(OTHER, SECRET), World(OTHER)
    old, new = await cursor_of(before.query()), await cursor_of(during.query())
    for world, cursor in ((during, old), (during, new), (after, new)):
        assert (await world.query().page(size=3, cursor=cursor)).items[0].seq == 3
    await refused(after.query(), old)
    await refused(before.query(), new)


@pytest.mark.parametrize("secrets", [(SECRET,), ()], ids=["secret", "plain"])
async def test_an_expired_cursor_is_refused(secrets: tuple[str, ...]) -> None:
    """It is good for its lifetime, and not a second longer."""
    clock = Clock()
    world = World(*secrets, clock=clock)
    cursor = await cursor_of(world.query())
    clock.now += 60
    assert (await world.query().page(cursor=cursor)).count == 6
    clock.now += 1
    await refused(world.query(), cursor)
    with pytest.raises(CursorError, match="the cursor has expired: begin again at the first page"):
        await world.query().page(cursor=cursor)


async def test_an_encrypted_cursor_shows_no_key() -> None:
    """No key's bytes are in it, in no letter of any encoding, and no two are alike; a plain one shows them."""
    world = World(SECRET)
    cursors = [await cursor_of(world.query()) for _ in range(50)]
    assert len(set(cursors)) == 50
    raw = [base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)) for cursor in cursors]
    encodings = [
        TENANT.encode(),
        b"stream",
        base64.b64encode(TENANT.encode())[:-2],
        TENANT.encode().hex().encode(),
    ]
    for text, data in zip(cursors, raw, strict=True):
        assert not any(key in data or key in text.encode() for key in encodings)
    plain = await cursor_of(World().query())
    assert TENANT.encode() in base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))


@pytest.mark.parametrize("secrets", [(SECRET,), ()], ids=["secret", "plain"])
async def test_how_it_is_read_may_change(secrets: tuple[str, ...]) -> None:
    """A cursor is good for the same query with another page size, projection, consistency, order of conditions, limit."""
    world = World(*secrets)
    query = world.query().where(Event.note == "", Event.kind != "x")
    cursor = await cursor_of(query)
    same = world.query().where((Event.kind != "x") & (Event.note == ""))
    for changed in (query.page_size(2), query.consistent(), query.limit(100), query.prefetch(False), same):
        assert [event.seq for event in await changed.after(cursor)] == [3, 4, 5, 6, 7, 8]
    assert await query.select(Event.seq, Event.weight).after(cursor) == [(n, 0) for n in range(3, 9)]
    assert await query.select(Event.note).after(cursor).count() == 6
    selected = (await query.select(Event.note).page(size=5)).cursor
    assert selected is not None
    assert [event.seq for event in await query.after(selected)] == [5, 6, 7, 8]


@pytest.mark.parametrize("secrets", [(SECRET,), ()], ids=["secret", "plain"])
async def test_a_cursor_is_a_query_parameter(secrets: tuple[str, ...]) -> None:
    """Its letters need no quoting in a URL, and it comes back from one as it was."""
    world = World(*secrets)
    for reading in (world.query(), world.scan().segments(5), world.query().using("by_weight")):
        cursor = await cursor_of(reading)
        assert set(cursor) <= URL_SAFE
        assert urllib.parse.quote(cursor, safe="") == cursor
        url = "https://example.com/items?" + urllib.parse.urlencode({"cursor": cursor, "size": 3})
        assert urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["cursor"] == [cursor]


BAD_KEYS: list[dict[str, AttributeValue]] = [
    {},
    {"stream": {"S": TENANT}},
    {"stream": {"S": TENANT}, "seq": {"N": "1"}, "more": {"S": "x"}},
    {"stream": {"S": "b"}, "seq": {"N": "1"}},
    {"stream": {}, "seq": {"N": "1"}},
    {"stream": {"S": TENANT, "N": "1"}, "seq": {"N": "1"}},
    {"stream": {"S": ""}, "seq": {"N": "1"}},
    {"stream": {"S": TENANT}, "seq": {"S": "1"}},
    {"stream": {"S": TENANT}, "seq": {"N": "one"}},
    {"stream": {"S": TENANT}, "seq": {"N": 1}},
    {"stream": {"S": TENANT}, "seq": {"N": "NaN"}},
    {"stream": {"S": [TENANT]}, "seq": {"N": "1"}},
    {"stream": {"B": b"x"}, "seq": {"N": "1"}},
    {"stream": {"S": TENANT}, "seq": {"N": "1E+1000000"}},
]


@pytest.mark.parametrize("key", BAD_KEYS, ids=str)
async def test_a_forged_plain_cursor_is_checked(key: dict[str, AttributeValue]) -> None:
    """Without a secret anybody can make one: a position that is none of this query is refused all the same."""
    world = World()
    with pytest.raises(CursorError):
        world.query().after(_forged(world, [Position(key=key)])).stream()


@pytest.mark.parametrize("parts", [0, 2])
async def test_a_forged_number_of_parts_is_refused(parts: int) -> None:
    """As many positions as the query has parts."""
    world = World()
    with pytest.raises(CursorError, match="another query"):
        world.query().after(_forged(world, [Position()] * parts)).stream()


def _forged(world: World, positions: list[Position]) -> str:
    """A cursor with the fingerprint of the query, taken from where the library asks for it."""
    seen: list[bytes] = []
    codec = world.access.cursors

    class Spying(CursorCodec):
        def decode(self, bound_to: bytes, text: str) -> list[Position]:
            seen.append(bound_to)
            return super().decode(bound_to, text)

    spying = Access(
        send=world.table.send, cursors=Spying((), lifetime=60.0, now=Clock()), clock=lambda: datetime.now(UTC)
    )
    with pytest.raises(CursorError):
        Query[Event](SPEC, "events", spying).where(Event.stream == TENANT).after("AA").stream()
    return codec.encode(seen[0], positions)


async def test_a_thousand_segments_have_a_cursor() -> None:
    """A checkpoint of many parts is accepted again; one that would be too long is refused when it is made."""
    codec = CursorCodec((SECRET,), lifetime=60.0, now=Clock())
    positions = [Position(key={"stream": {"S": f"stream-{n}"}, "seq": {"N": str(n)}}) for n in range(1000)]
    assert codec.decode(b"f", codec.encode(b"f", positions)) == positions
    with pytest.raises(UsageError, match=r"a cursor of 100000 parts has .* bytes, over 4 MB"):
        codec.encode(b"f", positions * 100)


def test_no_attack_on_a_sealed_cursor_succeeds() -> None:
    """Changed, foreign, expired, spliced and random cursors: none is let in, none is anything but a CursorError."""
    number = 100 * examples(100).max_examples  # a hundred thousand in the long profile
    result = attack(number, seed=8)
    assert sum(result.tried.values()) == number
    assert (result.accepted, result.crashed, result.plaintext_hits) == ([], [], [])
    assert result.cursors >= 3 * len(targets())


def test_the_attack_covers_every_facet() -> None:
    """Readings that differ in one thing alone: table, partition, index, direction, filter, segments; all have their own fingerprint."""
    known = targets()
    assert len({target.bound_to for target in known}) == len(known)
    assert set(twins(known)) == {"table", "partition", "index", "direction", "filter", "number of segments"}


def test_the_attack_sees_a_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were cursors not bound to their query, the attack would say so."""

    def the_same(_bodies: object) -> bytes:
        return b"the same for all"

    monkeypatch.setattr(cursor_attack, "fingerprint", the_same)
    accepted = attack(3000, seed=8).accepted
    assert any(found.startswith("of another direction") for found in accepted)
    assert any(found.startswith("of another filter") for found in accepted)


def test_the_search_sees_plaintext() -> None:
    """What a cursor shows is found: as it is, and in base64 at each alignment."""
    plain = CursorCodec((), lifetime=60.0, now=Clock())
    chance = random.Random(8)  # noqa: S311 - reproducible, not secret
    assert all(plaintext_in(plain.encode(t.bound_to, positions_of(t, chance))) for t in targets())
    for before in range(3):
        hidden = base64.urlsafe_b64encode(b"x" * before + NEEDLES[0].encode() + b"yz").decode().rstrip("=")
        assert plaintext_in(hidden)
        twice = base64.urlsafe_b64encode(hidden.encode()).decode().rstrip("=")
        assert plaintext_in(twice)


def test_a_made_up_cursor_stays_in_its_query() -> None:
    """Without secrets anybody can make a cursor: it may say where the same query goes on, and nothing else."""
    number = 20 * examples(100).max_examples
    result = forge(number, seed=8)
    assert result.tried["taken"] > number / 10
    assert (result.accepted, result.crashed) == ([], [])


# Any: whatever a caller may write by mistake.
@pytest.mark.parametrize("lifetime", [0, -1.0, float("nan"), float("inf"), 1e12])
def test_a_lifetime_is_a_number_of_seconds(lifetime: Any) -> None:
    """One that no cursor can have is refused when the Database is made, not when the first cursor is."""
    with pytest.raises(ConfigurationError, match="a cursor's lifetime is a number of seconds over 0"):
        Database(cursor_lifetime=lifetime)


@pytest.mark.parametrize("given", ["a" * 32, b"a" * 32, [7], [None]])
def test_secrets_are_a_list_of_text_or_bytes(given: Any) -> None:
    """One secret by itself would be taken for as many as it has letters; anything but text or bytes is no secret."""
    with pytest.raises(ConfigurationError, match=r"write \[secret\]|is text or bytes"):
        Database(cursor_secrets=given)


def test_a_short_secret_is_refused() -> None:
    """A secret that could be guessed is an error at once, with what to write instead."""
    with pytest.raises(ConfigurationError, match=r"at least 16 bytes: use secrets.token_urlsafe\(32\)"):
        Database(cursor_secrets=["short"])


def test_secrets_need_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, secrets are refused with what to install, rather than cursors made in plain."""
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    with pytest.raises(ConfigurationError, match=r'install "dynamorm-async\[crypto\]"'):
        CursorCodec((SECRET,), lifetime=60.0, now=Clock())
