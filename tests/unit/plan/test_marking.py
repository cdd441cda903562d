"""Soft delete and restore as requests: what they change, on what they insist, and whether they may be repeated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from dynamorm_async import (
    Attr,
    Key,
    UsageError,
    attr,
    created_at,
    deleted_at,
    model,
    partition_key,
    updated_at,
    version,
)
from dynamorm_async.plan.marking import is_done, is_forgiven
from dynamorm_async.plan.write import Write
from dynamorm_async.plan.writes import Writes

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
STAMP = {"S": "2026-01-02T03:04:05.000006Z"}
OTHER = {"S": "2026-01-01T00:00:00.000000Z"}
WRITES = Writes(prefix="pre-", clock=lambda: NOW)


@model(table="notes")
class Note:
    pk: Attr[str] = partition_key()
    text: Attr[str] = attr(default="")
    deleted: Attr[datetime | None] = deleted_at(name="gone")


@model(table="papers")
class Paper:
    pk: Attr[str] = partition_key()
    text: Attr[str] = attr(default="")
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    deleted: Attr[datetime | None] = deleted_at()
    revision: Attr[int] = version()


@model(table="plain")
class Plain:
    pk: Attr[str] = partition_key()


def shown(write: Write, parameter: str) -> str:
    """An expression with its names and values put in."""
    body = write.request.body
    text: str = body.get(parameter, "")
    for alias, name in body.get("ExpressionAttributeNames", {}).items():
        text = text.replace(alias, name)
    for alias, value in body.get("ExpressionAttributeValues", {}).items():
        text = text.replace(alias, str(next(iter(value.values()))))
    return text


def test_a_soft_delete_by_key() -> None:
    """An update of an item that is there and has no mark; sent again it fails, so it may be sent again."""
    write = WRITES.delete(Key(Note, "a"))
    assert (write.request.operation, write.request.table) == ("UpdateItem", "pre-notes")
    assert (write.request.body["TableName"], write.request.body["Key"]) == ("pre-notes", {"pk": {"S": "a"}})
    assert shown(write, "UpdateExpression") == f"SET gone = {STAMP['S']}"
    assert shown(write, "ConditionExpression") == "attribute_exists(pk) AND (attribute_not_exists(gone) OR gone = True)"
    assert write.request.body["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
    assert "ReturnValues" not in write.request.body
    assert write.request.repeatable
    assert (write.conditional, write.forgives, write.marks, write.instance) == (True, True, True, None)


def test_a_soft_delete_has_the_lifecycle_of_an_update() -> None:
    """updated_at is set and the version moves, of an instance under the version that it has; created_at stays."""
    by_key = WRITES.delete(Key(Paper, "a"))
    expected = f"SET deleted = {STAMP['S']}, changed = {STAMP['S']} ADD revision 1"
    assert shown(by_key, "UpdateExpression") == expected
    assert "revision =" not in shown(by_key, "ConditionExpression")
    write = WRITES.delete(Paper(pk="a", revision=4), where=Paper.text == "t")
    assert shown(write, "UpdateExpression") == expected
    assert shown(write, "ConditionExpression").endswith(" AND text = t AND revision = 4")
    assert write.changes == {"deleted": NOW, "changed": NOW, "revision": 5}
    assert write.expected == 4
    new = WRITES.delete(Paper(pk="a"))
    assert shown(new, "ConditionExpression").endswith(" AND attribute_not_exists(revision)")


def test_what_is_not_forgiven_is_not_repeated() -> None:
    """With a condition of the caller's, or an answer that can be given only once, a lost answer is not settled."""
    every: list[dict[str, Any]] = [{"where": Note.text == "t"}, {"returns": "old"}]
    for options in (*every, every[0] | every[1]):
        write = WRITES.delete(Key(Note, "a"), **options)
        assert not write.request.repeatable
        assert write.forgives == ("where" not in options)
        assert write.request.body.get("ReturnValues") == ("ALL_OLD" if "returns" in options else None)


def test_a_hard_delete() -> None:
    """``hard`` is DeleteItem, as it is for a model without a mark, and for that one it changes nothing."""
    assert WRITES.delete(Key(Note, "a"), hard=True).request.operation == "DeleteItem"
    plain = WRITES.delete(Key(Plain, "a"), hard=True)
    assert plain == WRITES.delete(Key(Plain, "a"))
    assert (plain.request.operation, plain.marks, plain.forgives) == ("DeleteItem", None, False)


def test_a_restore() -> None:
    """An update that takes the mark off an item that has one; of an instance under its version."""
    by_key = WRITES.restore(Key(Note, "a"), returns="new")
    assert shown(by_key, "UpdateExpression") == "REMOVE gone"
    assert shown(by_key, "ConditionExpression") == "attribute_exists(gone) AND gone <> True"
    assert by_key.request.body["ReturnValues"] == "ALL_NEW"
    assert "ReturnValues" not in WRITES.restore(Key(Note, "a")).request.body
    write = WRITES.restore(Paper(pk="a", deleted=NOW, revision=4))
    assert shown(write, "UpdateExpression") == f"REMOVE deleted ADD revision 1 SET changed = {STAMP['S']}"
    assert shown(write, "ConditionExpression") == "attribute_exists(deleted) AND deleted <> True AND revision = 4"
    assert write.changes == {"deleted": None, "changed": NOW, "revision": 5}
    assert (write.request.repeatable, write.forgives, write.marks, write.must_exist) == (True, True, False, True)


def test_a_restore_without_a_mark_is_refused() -> None:
    """There is nothing to restore in a model whose items are really deleted."""
    for target in (Key(Plain, "a"), Plain(pk="a")):
        with pytest.raises(UsageError, match=r"Plain has no deleted_at\(\) attribute: its items are really deleted"):
            WRITES.restore(target)


def test_what_the_table_will_hold() -> None:
    """What was read, with the mark: not what was changed on the instance since; unknown where nothing was read."""
    codec = WRITES.put(Paper(pk="a")).spec.codec
    raw = {"pk": {"S": "a"}, "text": {"S": "old"}, "made": OTHER, "changed": OTHER, "revision": {"N": "1"}}
    paper = codec.decode(raw)
    paper.text = "new"
    marked = {**raw, "changed": STAMP, "deleted": STAMP, "revision": {"N": "2"}}
    assert WRITES.delete(paper).item == marked
    assert WRITES.restore(codec.decode({**marked, "revision": {"N": "1"}})).item == {
        **raw,
        "changed": STAMP,
        "revision": {"N": "2"},
    }
    assert WRITES.delete(Paper(pk="a")).item is None


NULL = {"NULL": True}
FORGIVEN: dict[str, tuple[Callable[[], Write], dict[str, Any] | None, bool]] = {
    "delete, missing": (lambda: WRITES.delete(Key(Note, "a")), None, True),
    "delete, deleted": (lambda: WRITES.delete(Key(Note, "a")), {"gone": OTHER}, True),
    "delete, deleted, another version": (
        lambda: WRITES.delete(Paper(pk="a", revision=4)),
        {"deleted": OTHER, "revision": {"N": "9"}},
        True,
    ),
    "delete, another version": (lambda: WRITES.delete(Paper(pk="a", revision=4)), {"revision": {"N": "9"}}, False),
    "delete, NULL": (lambda: WRITES.delete(Key(Note, "a")), {"gone": NULL}, False),
    "delete, where": (lambda: WRITES.delete(Key(Note, "a"), where=Note.text == "t"), None, False),
    "hard": (lambda: WRITES.delete(Key(Note, "a"), hard=True), None, False),
    "restore, missing": (lambda: WRITES.restore(Key(Note, "a")), None, False),
    "restore, not deleted": (lambda: WRITES.restore(Key(Note, "a")), {"pk": {"S": "a"}}, True),
    "restore, NULL": (lambda: WRITES.restore(Key(Note, "a")), {"gone": NULL}, True),
    "restore, another version": (
        lambda: WRITES.restore(Paper(pk="a", revision=4)),
        {"deleted": OTHER, "revision": {"N": "9"}},
        False,
    ),
    "create": (lambda: WRITES.create(Note(pk="a")), {"gone": OTHER}, False),
}


@pytest.mark.parametrize("name", FORGIVEN)
def test_what_is_forgiven(name: str) -> None:
    """A soft delete with nothing to mark, and a restore with nothing to take off; no other refusal."""
    make, raw, forgiven = FORGIVEN[name]
    assert is_forgiven(make(), raw) == forgiven


def test_whether_it_was_this_write() -> None:
    """The item has just what the write would have given it: then its own answer was lost, and the instance may know."""
    write = WRITES.delete(Paper(pk="a", revision=4))
    raw = {"pk": {"S": "a"}, "deleted": STAMP, "changed": STAMP, "revision": {"N": "5"}}
    assert is_done(write, raw)
    for name, value in (("deleted", OTHER), ("changed", OTHER), ("revision", {"N": "6"}), ("deleted", NULL)):
        assert not is_done(write, {**raw, name: value})
    assert not is_done(write, None)
    restore = WRITES.restore(Paper(pk="a", deleted=NOW, revision=4))
    assert is_done(restore, {"pk": {"S": "a"}, "changed": STAMP, "revision": {"N": "5"}})
    assert not is_done(restore, raw)
