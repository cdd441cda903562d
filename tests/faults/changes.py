"""The operations of the matrix that change or delete one item."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dynamorm_async import Database, Key
from tests.faults.ground import Ground, Member, Paper, Thing
from tests.faults.operation import Operation
from tests.faults.reads import TIMEOUT
from tests.faults.writes import (
    A_THING,
    THE_PAPER,
    THE_THING,
    THEN,
    counted,
    loaded,
    moved,
    old_is_there,
    put_member,
    put_paper,
    put_thing,
    stored,
    text_of,
    texts,
    thing_key,
    write,
)

_UPDATE, _DELETE, _GET = "UpdateItem", "DeleteItem", "GetItem"
_TOGETHER = "TransactWriteItems"
_ADDED = counted("hits")


def _put_gone(ground: Ground) -> None:
    ground.put(Paper(paper=ground.key, made=THEN, changed=THEN, gone=THEN, revision=1))


def _appended(ground: Ground) -> Sequence[int]:
    thing = ground.item(Thing, ground.key, 1)
    return [0 if thing is None else len(thing["entries"]["L"])]


def _gone(cls: type, *key: object) -> Callable[[Ground], Sequence[int]]:
    return lambda ground: [int(ground.item(cls, ground.key, *key) is None)]


async def _modify(db: Database, ground: Ground) -> object:
    def change(paper: Paper) -> None:
        paper.text = text_of(ground)

    return await db.modify(Key(Paper, ground.key), change, timeout=TIMEOUT)


UPDATES = (
    write(
        "update set",
        "Database.update",
        {_UPDATE: 1},
        lambda db, ground: db.update(thing_key(ground), Thing.text.set(text_of(ground)), timeout=TIMEOUT),
        A_THING,
        prepare=put_thing,
        right=THE_THING,
    ),
    write(
        "update add",
        "Database.update",
        {_UPDATE: 1},
        lambda db, ground: db.update(thing_key(ground), Thing.hits.add(1), timeout=TIMEOUT),
        _ADDED,
        "never",
        put_thing,
        THE_THING,
    ),
    write(
        "update append",
        "Database.update",
        {_UPDATE: 1},
        lambda db, ground: db.update(
            thing_key(ground), Thing.entries.append([7]), returns="updated_new", timeout=TIMEOUT
        ),
        _appended,
        "never",
        put_thing,
    ),
    write(
        "update upserting",
        "Database.update",
        {_UPDATE: 1},
        lambda db, ground: db.update(
            thing_key(ground), Thing.hits.add(1), upsert=True, returns="none", timeout=TIMEOUT
        ),
        _ADDED,
        "never",
    ),
    write(
        "update where",
        "Database.update",
        {_UPDATE: 1},
        lambda db, ground: db.update(
            thing_key(ground), Thing.text.set(text_of(ground)), where=Thing.text == "-", timeout=TIMEOUT
        ),
        A_THING,
        "never",
        put_thing,
        THE_THING,
    ),
    write(
        "update of a version",
        "Database.update",
        {_UPDATE: 1},
        lambda db, ground: db.update(Key(Paper, ground.key), Paper.text.set(text_of(ground)), timeout=TIMEOUT),
        moved,
        "never",
        put_paper,
        THE_PAPER,
    ),
    write(
        "update exactly once",
        "Database.update",
        {_TOGETHER: 1, _GET: 1},
        lambda db, ground: db.update(
            thing_key(ground), Thing.hits.add(1), Thing.entries.append([7]), exactly_once=True, timeout=TIMEOUT
        ),
        _ADDED,
        prepare=put_thing,
        right=THE_THING,
    ),
    write(
        "update unique",
        "Database.update",
        {_GET: 2, _TOGETHER: 1},
        lambda db, ground: db.update(Key(Member, ground.key), Member.email.set(text_of(ground)), timeout=TIMEOUT),
        texts(Member, "email"),
        prepare=put_member,
        right=stored(Member),
    ),
)

SAVES = (
    write(
        "save",
        "Database.save",
        {_UPDATE: 1},
        lambda db, ground: db.save(loaded(ground, Paper, text=text_of(ground)), timeout=TIMEOUT),
        moved,
        "settled",
        put_paper,
        THE_PAPER,
    ),
    write(
        "save without a version",
        "Database.save",
        {_UPDATE: 1},
        lambda db, ground: db.save(loaded(ground, Thing, 1, text=text_of(ground)), timeout=TIMEOUT),
        A_THING,
        prepare=put_thing,
        right=THE_THING,
    ),
    write(
        "save exactly once",
        "Database.save",
        {_TOGETHER: 1},
        lambda db, ground: db.save(loaded(ground, Paper, text=text_of(ground)), exactly_once=True, timeout=TIMEOUT),
        moved,
        prepare=put_paper,
        right=THE_PAPER,
    ),
    write(
        "save unique",
        "Database.save",
        {_TOGETHER: 1},
        lambda db, ground: db.save(loaded(ground, Member, email=text_of(ground)), timeout=TIMEOUT),
        texts(Member, "email"),
        prepare=put_member,
    ),
    Operation(
        name="modify",
        covers=["Database.modify"],
        requests={_GET: 1, _UPDATE: 1},
        run=_modify,
        parts=moved,
        again="settled",
        prepare=put_paper,
        right=THE_PAPER,
        rounds=32,
    ),
)

DELETES = (
    write(
        "delete",
        "Database.delete",
        {_DELETE: 1},
        lambda db, ground: db.delete(thing_key(ground), timeout=TIMEOUT),
        _gone(Thing, 1),
        prepare=put_thing,
    ),
    write(
        "delete where",
        "Database.delete",
        {_DELETE: 1},
        lambda db, ground: db.delete(thing_key(ground), where=Thing.text == "-", timeout=TIMEOUT),
        _gone(Thing, 1),
        "never",
        put_thing,
    ),
    write(
        "delete returning",
        "Database.delete",
        {_DELETE: 1},
        lambda db, ground: db.delete(thing_key(ground), returns="old", timeout=TIMEOUT),
        _gone(Thing, 1),
        "never",
        put_thing,
        old_is_there,
    ),
    write(
        "delete under a version",
        "Database.delete",
        {_DELETE: 1},
        lambda db, ground: db.delete(loaded(ground, Paper), hard=True, timeout=TIMEOUT),
        _gone(Paper),
        "looked",
        put_paper,
    ),
    write(
        "delete exactly once",
        "Database.delete",
        {_TOGETHER: 1},
        lambda db, ground: db.delete(thing_key(ground), where=Thing.text == "-", exactly_once=True, timeout=TIMEOUT),
        _gone(Thing, 1),
        prepare=put_thing,
    ),
    write(
        "delete unique",
        "Database.delete",
        {_GET: 1, _TOGETHER: 1},
        lambda db, ground: db.delete(loaded(ground, Member), timeout=TIMEOUT),
        _gone(Member),
        prepare=put_member,
    ),
    write(
        "soft delete",
        "Database.delete",
        {_UPDATE: 1},
        lambda db, ground: db.delete(Key(Paper, ground.key), timeout=TIMEOUT),
        moved,
        prepare=put_paper,
    ),
    write(
        "restore",
        "Database.restore",
        {_UPDATE: 1},
        lambda db, ground: db.restore(Key(Paper, ground.key), timeout=TIMEOUT),
        moved,
        prepare=_put_gone,
        right=THE_PAPER,
    ),
)

CHANGES = (*UPDATES, *SAVES, *DELETES)
