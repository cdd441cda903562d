"""Policies allow what the library sends, and nothing else: derived here a second time, from what it sent."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import attrs
import pytest

from dynamorm_async import (
    Attr,
    Database,
    DynamormError,
    Key,
    Statement,
    Table,
    TableNotFound,
    TransactionCancelled,
    UsageError,
    attr,
    iam_policy,
    model,
    partition_key,
    vector_index,
)
from tests.unit.database.recording import RecordingControl, RecordingLane, record
from tests.unit.plan.policy_models import SHOP, BigOrder, Customer, Note, Order, User

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/"
PLACE: dict[str, Any] = {"region": "eu-west-1", "account": "123456789012"}


# --- what was sent, as IAM sees it ------------------------------------------------------------


@attrs.frozen
class Asked:
    """One thing that a request asks IAM for.

    Attributes:
        action: the IAM action.
        resource: the table or index, behind the ARN of all tables.
        keys: the partition keys that it names.
        within: the transaction that it is a part of.
        whole: whether it is a PartiQL statement that reads everything.
    """

    action: str
    resource: str
    keys: tuple[str, ...] = ()
    within: str | None = None
    whole: bool | None = None

    @property
    def pair(self) -> tuple[str, str]:
        return self.action, self.resource


# Of the Service Authorization Reference: operations that have an action of the same name, for the table.
SINGLE = {"GetItem", "PutItem", "UpdateItem", "DeleteItem"}
CONTROL = {"CreateTable", "DescribeTable", "DeleteTable", "DescribeTimeToLive", "UpdateTimeToLive"}
PARTS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
PARTIQL = {"SELECT": "PartiQLSelect", "INSERT": "PartiQLInsert", "UPDATE": "PartiQLUpdate", "DELETE": "PartiQLDelete"}
PARTITION_KEYS = {"users": "org", "users-unique": "value", "notes": "note_id", "shop": "pk", "shop-unique": "value"}
KEY = re.compile(r"(?:org|email)'?(?: =|:) '([^']*)'")
STATEMENT = re.compile(r'(?:SELECT .* FROM|INSERT INTO|UPDATE|DELETE FROM) "([^"]+)"(?:\."([^"]+)")?')


def asked(operation: str, body: dict[str, Any]) -> Iterator[Asked]:
    """What a request asks IAM for."""
    if operation in CONTROL:
        yield Asked(operation, body["TableName"])
    elif operation in SINGLE:
        yield Asked(operation, body["TableName"], leading(body["TableName"], body.get("Key") or body["Item"]))
    elif operation in ("Query", "Scan"):
        index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
        values = tuple(value["S"] for value in body.get("ExpressionAttributeValues", {}).values() if "S" in value)
        yield Asked(operation, body["TableName"] + index, values[:1] if operation == "Query" else ())
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        for table, of_table in body["RequestItems"].items():
            keys = of_table["Keys"] if operation == "BatchGetItem" else [put_or_delete(one) for one in of_table]
            yield Asked(operation, table, tuple(found for key in keys for found in leading(table, key)))
    elif operation in ("TransactWriteItems", "TransactGetItems"):
        for part in body["TransactItems"]:
            ((kind, one),) = part.items()
            table = one["TableName"]
            yield Asked(PARTS[kind], table, leading(table, one.get("Key") or one["Item"]), within=operation)
    else:
        for one in body.get("Statements") or body.get("TransactStatements") or [body]:
            yield stated(one["Statement"], operation if operation == "ExecuteTransaction" else None)


def leading(table: str, item: dict[str, Any]) -> tuple[str, ...]:
    return tuple(item[PARTITION_KEYS[table]].values())


def put_or_delete(one: dict[str, Any]) -> dict[str, Any]:
    ((kind, part),) = one.items()
    found: dict[str, Any] = part["Item" if kind == "PutRequest" else "Key"]
    return found


def stated(text: str, within: str | None) -> Asked:
    found = STATEMENT.match(text)
    assert found is not None, text
    action, key = PARTIQL[text.split(maxsplit=1)[0]], KEY.search(text)
    whole = "WHERE" not in text if action == "PartiQLSelect" else None
    resource = found[1] + (f"/index/{found[2]}" if found[2] else "")
    return Asked(action, resource, (key[1],) if key else (), within, whole)


# --- what a policy allows ---------------------------------------------------------------------


def pairs(policy: dict[str, Any]) -> set[tuple[str, str]]:
    """Each action with each resource that the policy allows it on."""
    return {
        (action.removeprefix("dynamodb:"), resource.removeprefix(ARN))
        for one in policy["Statement"]
        if one["Effect"] == "Allow"
        for action in one["Action"]
        for resource in one["Resource"]
    }


def allows(policy: dict[str, Any], request: Asked, *, tenant: str = "") -> bool:
    """Whether IAM would allow it: some statement does, and none denies it."""
    effects = {one["Effect"] for one in policy["Statement"] if fits(one, request, tenant)}
    return effects == {"Allow"}


def fits(statement: dict[str, Any], request: Asked, tenant: str) -> bool:
    return (
        f"dynamodb:{request.action}" in statement["Action"]
        and ARN + request.resource in statement["Resource"]
        and all(holds(operator, values, request, tenant) for operator, values in statement.get("Condition", {}).items())
    )


def holds(operator: str, wanted: dict[str, Any], request: Asked, tenant: str) -> bool:
    """One operator of a condition, as the IAM user guide has it."""
    ((key, value),) = wanted.items()
    if (operator, key) == ("StringEquals", "dynamodb:EnclosingOperation"):
        return bool(request.within == value)
    if (operator, key) == ("Bool", "dynamodb:FullTableScan"):
        return request.whole is not None and str(request.whole).lower() == value
    assert key == "dynamodb:LeadingKeys"
    if operator == "Null":
        return (not request.keys) is (value == "true")
    assert operator == "ForAllValues:StringLike"  # of no values, it holds
    return all(any(fnmatch.fnmatchcase(found, pattern(one, tenant)) for one in value) for found in request.keys)


def pattern(text: str, tenant: str) -> str:
    """A value of a policy as a pattern of fnmatch, with its variables filled in."""
    text = text.replace("${aws:PrincipalTag/tenant}", tenant).replace("[", "[[]")
    return re.sub(r"\$\{([*?$])\}", r"[\1]", text)


# --- everything that the library does ---------------------------------------------------------

Step = Callable[[Database, str, RecordingLane], AsyncIterator[Awaitable[Any]]]


async def reads(db: Database, org: str, _lane: RecordingLane) -> AsyncIterator[Awaitable[Any]]:
    key = Key(User, org, "u1")
    yield db.get(key)
    yield db.batch_get(key)
    yield db.transact_get(key)
    yield wanted(db.query(User).where(User.org == org))
    yield wanted(db.query(User).where(User.org == org).using(User.by_age))
    yield wanted(db.query(User).where(User.email == org).using(User.by_email))


async def scans(db: Database, _org: str, _lane: RecordingLane) -> AsyncIterator[Awaitable[Any]]:
    yield wanted(db.scan(User))
    yield wanted(db.scan(User).using(User.by_age))
    yield wanted(db.scan(User).using(User.by_email))


async def writes(db: Database, org: str, lane: RecordingLane) -> AsyncIterator[Awaitable[Any]]:
    user, key = User(org=org, user_id="u1"), Key(User, org, "u1")
    yield db.put(user)  # with its marker: a transaction
    yield db.update(key, User.age.add(1))
    yield db.update(key, User.email.set("y"))
    yield saved(db, user)
    yield db.delete(key)
    yield db.restore(key)
    yield deleted(db, lane, user)
    yield batch(db, user)
    yield transaction(db, org)


async def plain_writes(db: Database, _org: str, _lane: RecordingLane) -> AsyncIterator[Awaitable[Any]]:
    note, key = Note(note_id="n1"), Key(Note, "n1")
    yield db.create(note)
    yield db.update(key, Note.text.set("y"))
    yield db.delete(key)
    yield db.put_many([note])
    yield checked(db)


async def plain_reads(db: Database, _org: str, _lane: RecordingLane) -> AsyncIterator[Awaitable[Any]]:
    yield db.get(Note, "n1")
    yield db.batch_get(Key(Note, "n1"))
    yield wanted(db.query(Note).where(Note.note_id == "n1"))


async def selects(db: Database, org: str, _lane: RecordingLane) -> AsyncIterator[Awaitable[Any]]:
    yield wanted(db.partiql.execute(f"SELECT * FROM \"users\" WHERE org = '{org}'"))
    yield wanted(db.partiql.execute(f'SELECT * FROM "users"."by_age" WHERE org = \'{org}\''))
    yield wanted(db.partiql.execute(f'SELECT * FROM "users"."by_email" WHERE email = \'{org}\''))


async def changes(db: Database, org: str, _lane: RecordingLane) -> AsyncIterator[Awaitable[Any]]:
    delete = f"DELETE FROM \"users\" WHERE org = '{org}' AND user_id = 'u1'"
    yield wanted(db.partiql.transact(Statement(delete)))
    yield wanted(db.partiql.batch(Statement(delete)))
    yield wanted(db.partiql.execute(f"INSERT INTO \"users\" VALUE {{'org': '{org}', 'user_id': 'u1'}}"))
    yield wanted(db.partiql.execute(f"UPDATE \"users\" SET age = 1 WHERE org = '{org}' AND user_id = 'u1'"))
    yield wanted(db.partiql.execute(delete))


async def manages(db: Database, _org: str, _lane: RecordingLane) -> AsyncIterator[Awaitable[Any]]:
    yield db.tables.create(User)
    yield db.tables.delete(User)


async def wanted(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


async def batch(db: Database, user: User) -> None:
    async with db.batch_write() as batch_:
        await batch_.put(user)


async def deleted(db: Database, lane: RecordingLane, user: User) -> None:
    """The first time, the marker of its value turns out to be another's; then it is left alone."""
    error = TransactionCancelled("no", operation="TransactWriteItems", code="TransactionCanceledException")
    error.reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": {"owner": {"M": {}}}}]
    lane.script += [b'{"Item": {"email": {"S": "x"}}}', error]
    await db.delete(user, hard=True)


async def saved(db: Database, user: User) -> None:
    user.age += 1
    await db.save(user)


async def checked(db: Database) -> None:
    async with db.transaction() as tx:
        tx.check(Key(Note, "n1"), Note.text == "x")


async def transaction(db: Database, org: str) -> None:
    async with db.transaction() as tx:
        tx.update(Key(User, org, "u2"), User.age.set(1))
        tx.check(Key(User, org, "u3"), User.age == 1)


MISSING = TableNotFound("not there", operation="DescribeTable", table="any")
DESCRIBED = {
    "Table": {
        "TableName": "any",
        "KeySchema": [{"AttributeName": "org", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "org", "AttributeType": "S"}],
    }
}
STEPS: dict[str, Step] = {
    one.__name__: one for one in (reads, scans, writes, plain_writes, plain_reads, selects, changes, manages)
}


async def recorded(monkeypatch: pytest.MonkeyPatch, *steps: str, org: str = "a") -> list[Asked]:
    """All that some steps ask IAM for."""
    control = RecordingControl(
        {
            "CreateTable": [{}],
            "DeleteTable": [{}],
            "DescribeTable": [DESCRIBED, MISSING, DESCRIBED, MISSING],
            "DescribeTimeToLive": [{}],
            "UpdateTimeToLive": [{}],
        }
    )
    lane = record(monkeypatch, control=control)
    async with Database(region="eu-west-1") as db:
        for name in steps:
            async for step in STEPS[name](db, org, lane):
                before = len(lane.requests) + len(control.calls)
                with suppress(DynamormError):  # the answers are empty: there are no items, and no such tables
                    await step
                assert len(lane.requests) + len(control.calls) > before, "nothing was sent"
    sent = [(request.operation, request.body) for request in lane.requests] + control.calls
    return [one for operation, body in sent for one in asked(operation, body)]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("models", "options", "steps"),
    [
        ([User], {"access": "read"}, ["reads"]),
        ([User], {"access": "read", "scan": True}, ["reads", "scans"]),
        ([User], {"access": "read", "partiql": True}, ["reads", "selects"]),
        ([User], {"access": "write"}, ["writes"]),
        ([User], {"access": "write", "partiql": True}, ["writes", "changes"]),
        ([User], {"access": "read-write", "partiql": True}, ["reads", "writes", "selects", "changes"]),
        ([User], {"access": "manage"}, ["manages"]),
        (
            [User],
            {"access": ["read-write", "manage"], "scan": True, "partiql": True},
            ["reads", "scans", "writes", "selects", "changes", "manages"],
        ),
        ([Note, User], {"access": "read-write"}, ["plain_reads", "plain_writes", "reads", "writes"]),
        ([Note], {"access": "read"}, ["plain_reads"]),
        ([Note], {"access": "write"}, ["plain_writes"]),
    ],
    ids=str,
)
async def test_a_policy_allows_what_is_sent_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, models: list[type], options: dict[str, Any], steps: list[str]
) -> None:
    """Every action on every resource that it allows is one that some call asks for, and the other way round."""
    found = await recorded(monkeypatch, *steps)
    policy = iam_policy(*models, **options, **PLACE)
    assert pairs(policy) == {one.pair for one in found}
    assert [one for one in found if not allows(policy, one)] == []
    given = [(one, resource) for s in policy["Statement"] for one in s["Action"] for resource in s["Resource"]]
    denied = [s for s in policy["Statement"] if s["Effect"] == "Deny"]
    assert len({*given}) == len(given) - sum(len(s["Resource"]) for s in denied), "said twice"


@pytest.mark.anyio
async def test_reading_allows_no_write_and_writing_no_query(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each access stands alone: the other's calls are refused, but for the look at unique values before a change."""
    reading, writing = (iam_policy(User, access=access, **PLACE) for access in ("read", "write"))
    written = await recorded(monkeypatch, "writes")
    assert {one.action for one in written if allows(reading, one)} == {"GetItem"}
    read = await recorded(monkeypatch, "reads")
    assert {one.action for one in read if allows(writing, one)} == {"GetItem"}
    assert not any(allows(iam_policy(Note, access="write", **PLACE), one) for one in read)


@pytest.mark.anyio
async def test_leading_keys_bind_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """All calls for the tenant's own items are allowed, and none for another's, through indexes and PartiQL too."""
    policy = iam_policy(
        User, access="read-write", partiql=True, leading_keys=["${aws:PrincipalTag/tenant}", "shared#*"], **PLACE
    )
    steps = ("reads", "writes", "selects", "changes")
    own = await recorded(monkeypatch, *steps, org="ada")
    assert [one for one in own if not allows(policy, one, tenant="ada")] == []
    others = [one for one in own if allows(policy, one, tenant="bob")]
    assert {one.resource for one in others} == {"users-unique"}  # values are unique over all tenants
    shared = await recorded(monkeypatch, *steps, org="shared#x")
    assert [one for one in shared if not allows(policy, one, tenant="bob")] == []
    assert not allows(policy, Asked("Query", "users"), tenant="ada")  # a request that names no key


def test_a_statement_that_reads_everything_is_denied() -> None:
    """PartiQL scans by a slip of a condition: unless scans are asked for, that is refused, for tables and indexes."""
    whole = [Asked("PartiQLSelect", resource, whole=True) for resource in ("users", "users/index/by_age")]
    for keys in (None, "a"):
        policy = iam_policy(User, access="read", partiql=True, leading_keys=keys, **PLACE)
        assert not any(allows(policy, one, tenant="a") for one in whole)
    policy = iam_policy(User, access="read", partiql=True, scan=True, **PLACE)
    assert all(allows(policy, one) for one in whole)


def test_markers_are_written_in_transactions_only() -> None:
    """Nothing reads a marker, and nothing but a transaction writes one."""
    policy = iam_policy(User, access="read-write", **PLACE)
    (statement,) = [one for one in policy["Statement"] if one["Sid"] == "WriteUniqueMarkers"]
    assert statement == {
        "Sid": "WriteUniqueMarkers",
        "Effect": "Allow",
        "Action": ["dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:PutItem"],
        "Resource": [ARN + "users-unique"],
        "Condition": {"StringEquals": {"dynamodb:EnclosingOperation": "TransactWriteItems"}},
    }
    assert not allows(policy, Asked("PutItem", "users-unique", ("x",)))
    assert not any(allows(policy, Asked(one, "users-unique", ("x",))) for one in ("GetItem", "Query", "UpdateItem"))


def test_leading_keys_leave_the_markers_of_the_models_constraints() -> None:
    """Under leading keys no marker of another constraint can be written, whatever characters a name has."""
    policy = iam_policy(User, access="write", leading_keys="a", **PLACE)
    (statement,) = [one for one in policy["Statement"] if one["Sid"] == "WriteUniqueMarkers"]
    assert statement["Condition"]["ForAllValues:StringLike"] == {"dynamodb:LeadingKeys": ["e${*}${?}${$}#*"]}

    def marker(key: str) -> Asked:
        return Asked("PutItem", "users-unique", (key,), within="TransactWriteItems")

    assert allows(policy, marker('e*?$#["x"]'))
    assert not allows(policy, marker('exx$#["x"]'))
    assert not allows(policy, marker('Other.one#["x"]'))


def test_a_shared_table_is_limited_to_the_indexes_that_models_are_in() -> None:
    """A model's policy names the indexes that can hold its items; that of the table, all that hold any."""

    def queried(*targets: type | Table) -> set[str]:
        found = pairs(iam_policy(*targets, access="read", **PLACE))
        return {resource for action, resource in found if action == "Query"}

    assert queried(Customer) == {"shop", "shop/index/gsi2"}
    assert queried(BigOrder) == {"shop", "shop/index/gsi1", "shop/index/lsi1"}
    assert queried(Order) == queried(BigOrder)  # reads of a model return its variants
    assert queried(SHOP) == queried(Customer, Order) == {"shop", *(f"shop/index/{n}" for n in ("gsi1", "gsi2", "lsi1"))}


@pytest.mark.anyio
async def test_searches_are_allowed_where_there_is_what_to_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the index and its table; under leading keys, which do not bind a search, there are none."""
    lane = record(monkeypatch)
    async with Database(region="eu-west-1") as db:
        with suppress(DynamormError):  # the answers are empty
            await db.search(Essay.embedding, [1.0, 0.0])
    assert [request.operation for request in lane.requests] == ["SearchVectors"]
    search = {("SearchVectors", "essays"), ("SearchVectors", "essays/index/by_meaning")}
    reading = {("BatchGetItem", "essays"), ("GetItem", "essays"), ("Query", "essays")}
    assert pairs(iam_policy(Essay, access="read", **PLACE)) == search | reading
    assert pairs(iam_policy(Essay, access="read", leading_keys="a", **PLACE)) == reading
    assert not search & pairs(iam_policy(Essay, access="write", **PLACE))
    assert pairs(iam_policy(Plain, access="read", **PLACE)) == {(one, "essays") for one, _ in reading}


@model("essays")
class Essay:
    essay_id: Attr[str] = partition_key()
    embedding: Attr[list[float] | None] = attr(default=None)
    by_meaning = vector_index("embedding", dimensions=2, distance="cosine")


@model("essays")
class Plain:
    """Of the same table, by another program, without vectors."""

    essay_id: Attr[str] = partition_key()


def test_a_table_without_time_to_live_is_managed_without_it() -> None:
    """What is never sent for a table is not allowed on it."""
    managed = {(one, "notes") for one in ("CreateTable", "DeleteTable", "DescribeTable")}
    assert pairs(iam_policy(Note, access="manage", **PLACE)) == managed


def test_a_policy_has_the_prefix_and_every_place_by_default() -> None:
    """The names are those that a database with the prefix uses; a policy for China names its own partition."""
    policy = iam_policy(Note, access="read", table_prefix="staging-", partition="aws-cn")
    assert {resource for one in policy["Statement"] for resource in one["Resource"]} == {
        "arn:aws-cn:dynamodb:*:*:table/staging-notes"
    }
    policy = iam_policy(Note, access="read", region="${AWS::Region}", account="${AWS::AccountId}")
    assert policy["Statement"][0]["Resource"] == ["arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/notes"]


def test_a_policy_is_in_order_and_its_sids_are_valid() -> None:
    """The same models give the same text whatever their order, and IAM takes every name in it."""
    whole: dict[str, Any] = {"access": ("manage", "read-write"), "partiql": True, "scan": True}
    one, other = iam_policy(User, Note, SHOP, **whole), iam_policy(SHOP, Note, Customer, User, User, **whole)
    assert json.dumps(one) == json.dumps(other)
    sids = [statement["Sid"] for statement in one["Statement"]]
    assert len({*sids}) == len(sids)
    assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids)
    assert one["Version"] == "2012-10-17"  # the one with policy variables
    for statement in one["Statement"]:
        for part in ("Action", "Resource"):
            assert statement[part] == sorted({*statement[part]}) != []


def test_a_policy_is_its_callers_to_change() -> None:
    """Nothing that is added to one policy, or to one statement, is in another."""
    first = iam_policy(User, access="write", leading_keys="a", **PLACE)
    before = json.dumps(first)
    for statement in first["Statement"]:
        for part in (statement["Action"], statement["Resource"]):
            part.append("*")
        for condition in statement["Condition"].values():
            assert "added" not in condition
            condition["added"] = "x"
    assert json.dumps(iam_policy(User, access="write", leading_keys="a", **PLACE)) == before


@pytest.mark.parametrize(
    ("targets", "options", "words"),
    [
        ([], {"access": "read"}, "without models"),
        ([int], {"access": "read"}, "is not a model"),
        ([Table("nobody", partition_key="pk")], {"access": "read"}, "import the modules that declare them"),
        ([Note], {"access": "all"}, 'write one of "read", "write", "read-write", "manage"'),
        ([Note], {"access": []}, "or several of them in a list"),
        ([Note], {"access": "read", "region": "europe"}, 'no region: write one such as "eu-west-1"'),
        ([Note], {"access": "read", "account": "1234"}, 'no account: write one such as "123456789012"'),
        ([Note], {"access": "read", "partition": "*"}, "no partition"),
        ([Note], {"access": "read", "table_prefix": "*"}, "no table prefix"),
        ([Note], {"access": "write", "scan": True}, "which read"),
        ([Note], {"access": "manage", "partiql": True}, "give access for that"),
        ([Note], {"access": "read", "leading_keys": []}, "binds to no key"),
        ([Note], {"access": "read", "leading_keys": ["a", ""]}, "binds to no key"),
        ([Note], {"access": "read", "leading_keys": "a", "scan": True}, "scan=True: DynamoDB does not bind that"),
        ([Note], {"access": ["read", "manage"], "leading_keys": "a"}, 'access="manage": DynamoDB does not bind that'),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(targets: list[Any], options: dict[str, Any], words: str) -> None:
    """A policy is never wider or narrower than its words: what has no effect, or more than it seems, is an error."""
    with pytest.raises(UsageError, match=re.escape(words)):
        iam_policy(*targets, **options)
