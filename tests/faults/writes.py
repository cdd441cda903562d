"""The operations of the matrix that write one item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from dynamorm_async import Key
from tests.faults.ground import Ground, Member, Paper, Thing
from tests.faults.operation import Again, Operation, Run
from tests.faults.reads import TIMEOUT

THEN: Final = datetime(2026, 1, 1, tzinfo=UTC)
_PUT, _GET = "PutItem", "GetItem"
_TOGETHER = "TransactWriteItems"


def thing_key(ground: Ground, number: int = 1) -> Key[Thing]:
    return Key(Thing, ground.key, number)


def put_thing(ground: Ground) -> None:
    ground.put(Thing(shelf=ground.key, number=1))


def put_paper(ground: Ground) -> None:
    ground.put(Paper(paper=ground.key, made=THEN, changed=THEN, revision=1))


def put_member(ground: Ground) -> None:
    ground.put(Member(member=ground.key))


def counted(attribute: str) -> Callable[[Ground], Sequence[int]]:
    """A counter of the thing."""
    return lambda ground: [ground.number(Thing, attribute, ground.key, 1)]


def texts(cls: type, attribute: str, *key: object) -> Callable[[Ground], Sequence[int]]:
    """Whether an item has the text of the cell."""
    return lambda ground: [int((ground.item(cls, ground.key, *key) or {}).get(attribute) == {"S": f"by {ground.key}"})]


def moved(ground: Ground) -> Sequence[int]:
    """How often the version of the paper moved from 1."""
    return [ground.number(Paper, "revision", ground.key) - 1]


def _created(ground: Ground) -> Sequence[int]:
    return [ground.number(Paper, "revision", ground.key)]


def stored(cls: type[Any], *key: object) -> Callable[[Ground, Any], bool]:  # Any: what the call returns
    """Whether the call returned the item that is there."""
    return lambda ground, value: (
        ground.item(cls, ground.key, *key) is not None and bool(value == ground.load(cls, ground.key, *key))
    )


def text_of(ground: Ground) -> str:
    return f"by {ground.key}"


def _thing(ground: Ground, **values: Any) -> Thing:  # of the attributes
    return Thing(shelf=ground.key, number=1, **values)


def loaded(ground: Ground, cls: type[Any], *key: object, **values: Any) -> Any:  # an instance of the class
    item: Any = ground.load(cls, ground.key, *key)
    for name, value in values.items():
        setattr(item, name, value)
    return item


def write(  # noqa: PLR0917 - rows of a table
    name: str,
    covers: str,
    requests: dict[str, int],
    run: Run,
    parts: Callable[[Ground], Sequence[int]],
    again: Again = "repeated",
    prepare: Callable[[Ground], None] = lambda _: None,
    right: Callable[[Ground, Any], bool] = lambda _ground, _value: True,
) -> Operation:
    return Operation(
        name=name,
        covers=covers.split(),
        requests=requests,
        run=run,
        prepare=prepare,
        parts=parts,
        again=again,
        right=right,
    )


def old_is_there(ground: Ground, value: Any) -> bool:  # what the call returned
    return bool(value == Thing(shelf=ground.key, number=1))


A_THING = texts(Thing, "text", 1)
THE_THING, THE_PAPER = stored(Thing, 1), stored(Paper)

CREATES = (
    write(
        "create",
        "Database.create",
        {_PUT: 1},
        lambda db, ground: db.create(Paper(paper=ground.key), timeout=TIMEOUT),
        _created,
        "settled",
        right=THE_PAPER,
    ),
    write(
        "create without times",
        "Database.create",
        {_PUT: 1},
        lambda db, ground: db.create(_thing(ground, text=text_of(ground)), timeout=TIMEOUT),
        A_THING,
        "guessed",
        right=THE_THING,
    ),
    write(
        "create exactly once",
        "Database.create",
        {_TOGETHER: 1},
        lambda db, ground: db.create(_thing(ground, text=text_of(ground)), exactly_once=True, timeout=TIMEOUT),
        A_THING,
        right=THE_THING,
    ),
    write(
        "create unique",
        "Database.create",
        {_TOGETHER: 1},
        lambda db, ground: db.create(Member(member=ground.key, email=text_of(ground)), timeout=TIMEOUT),
        texts(Member, "email"),
        right=stored(Member),
    ),
)

PUTS = (
    write(
        "put",
        "Database.put",
        {_PUT: 1},
        lambda db, ground: db.put(_thing(ground, text=text_of(ground)), timeout=TIMEOUT),
        A_THING,
        prepare=put_thing,
    ),
    write(
        "put where",
        "Database.put",
        {_PUT: 1},
        lambda db, ground: db.put(_thing(ground, text=text_of(ground)), where=Thing.text == "-", timeout=TIMEOUT),
        A_THING,
        "never",
        put_thing,
    ),
    write(
        "put returning",
        "Database.put",
        {_PUT: 1},
        lambda db, ground: db.put(_thing(ground, text=text_of(ground)), returns="old", timeout=TIMEOUT),
        A_THING,
        "never",
        put_thing,
        old_is_there,
    ),
    write(
        "put under a version",
        "Database.put",
        {_PUT: 1},
        lambda db, ground: db.put(loaded(ground, Paper, text=text_of(ground)), timeout=TIMEOUT),
        moved,
        "settled",
        put_paper,
    ),
    write(
        "put exactly once",
        "Database.put",
        {_TOGETHER: 1},
        lambda db, ground: db.put(loaded(ground, Paper, text=text_of(ground)), exactly_once=True, timeout=TIMEOUT),
        moved,
        prepare=put_paper,
    ),
    write(
        "put unique",
        "Database.put",
        {_TOGETHER: 2},  # the first finds that the item is there already
        lambda db, ground: db.put(Member(member=ground.key, email=text_of(ground)), timeout=TIMEOUT),
        texts(Member, "email"),
        prepare=put_member,
    ),
)

WRITES = (*CREATES, *PUTS)
