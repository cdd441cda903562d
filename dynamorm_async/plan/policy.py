"""IAM policies for models: what this library sends for them, and nothing else.

Source: "Actions, resources, and condition keys for Amazon DynamoDB" in the Service Authorization Reference; "Using IAM with
DynamoDB transactions", "IAM security policies with PartiQL for DynamoDB" and "Using IAM policy conditions for fine-grained
access control" in DynamoDB's developer guide; "Multivalued context keys" in the IAM user guide.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from copy import deepcopy
from typing import Any, Final, Literal, TypeAlias, get_args

import msgspec

from dynamorm_async.errors import UsageError
from dynamorm_async.model.registry import with_variants
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.table import Table
from dynamorm_async.plan.membership import memberships, specs_of

Access: TypeAlias = Literal["read", "write", "read-write", "manage"]
"""What a policy allows: reading items, writing them, both, or making and deleting their tables."""

_LEADING: Final = "dynamodb:LeadingKeys"
_FORMS: Final = {
    "partition": (re.compile(r"aws(-[a-z]+)*"), "aws"),
    "region": (re.compile(r"\*|[a-z]{2,4}(-[a-z]+)+-\d+"), "eu-west-1"),
    "account": (re.compile(r"\*|\d{12}"), "123456789012"),
    "table_prefix": (re.compile(r"[\w.-]*", re.ASCII), "staging-"),
}
_VARIABLE: Final = re.compile(r"\$\{[\w:]+\}")  # of a template that is filled in later, such as ${AWS::Region}
_MOVING: Final = ("ConditionCheckItem", "DeleteItem", "PutItem")
_WITHIN_TRANSACTION: Final = {"StringEquals": {"dynamodb:EnclosingOperation": "TransactWriteItems"}}


def iam_policy(
    *targets: type | Table,
    access: Access | Collection[Access],
    scan: bool = False,
    partiql: bool = False,
    leading_keys: str | Sequence[str] | None = None,
    region: str = "*",
    account: str = "*",
    partition: str = "aws",
    table_prefix: str = "",
) -> dict[str, Any]:
    """The IAM policy that lets a principal do with models what this library does, and nothing else.

    What the models' keys and indexes do not need is left out: an index that holds none of their items, the tables of
    unique values where there are none. Transactions have no actions of their own: DynamoDB asks for those of their parts.
    Nothing is sent. The same arguments give the same policy, with everything in order.

    Args:
        targets: model classes, and tables for all models that live in them.
        access: ``read`` (get, query, search, batches), ``write`` (put, update, save, delete, batches, transactions),
            ``read-write``, ``manage`` (all of ``db.tables``, deleting tables included), or several of these. ``modify``
            reads and writes.
        scan: scans, too: with ``read``, also of PartiQL.
        partiql: PartiQL statements, too, as far as ``access`` goes. Unless ``scan`` is set, statements that read a whole
            table or index are denied, whatever else the principal is allowed.
        leading_keys: the partition keys that items may have, such as ``"TENANT#${aws:PrincipalTag/tenant}"``; ``*`` and
            ``?`` are wildcards. They bind the partition keys of indexes as well as the table's; ``None`` binds nothing. For
            unique values see below. Searches of vectors, which DynamoDB does not bind to keys, are then not allowed.
        region: the region of the tables. ``*`` is every region.
        account: the account of the tables, 12 digits. ``*`` is any account.
        partition: the partition of AWS: ``aws``, ``aws-cn``, ``aws-us-gov`` …
        table_prefix: the ``table_prefix`` of the database.

    Returns:
        The policy document, for ``json.dumps``.

    Raises:
        UsageError: no models or no access are given, a class is no model, ``region``, ``account``, ``partition`` or
            ``table_prefix`` is none, ``scan`` or ``partiql`` is set where ``access`` leaves nothing of it, ``leading_keys``
            is empty, or is given with ``scan`` or ``manage``, which do not heed it.

    The markers of ``unique()`` values stand in a table of their own, where no key is a tenant's: values are unique over all
    tenants. With ``leading_keys``, a policy to write lets the principal write markers of the models' constraints only, and
    inside transactions only; but that of any value, so that one who does not go through this library could take or
    release the values of others.
    """
    specs = specs_of(targets, where="iam_policy()")
    allowed = _allowed(access)
    keys = _checked_keys(leading_keys)
    _check_asked(allowed, scan=scan, partiql=partiql, bound=bool(keys))
    where = (
        f"arn:{_checked('partition', partition)}:dynamodb:{_checked('region', region)}:{_checked('account', account)}"
    )
    prefix = f"{where}:table/{_checked('table_prefix', table_prefix)}"
    resources = _resources(with_variants(specs), prefix)
    statements: list[dict[str, Any]] = []
    if "read" in allowed:
        statements += _reading(resources, scan=scan, partiql=partiql, keys=keys)
    if "write" in allowed:
        statements += _writing(resources, partiql=partiql, keys=keys, reads="read" in allowed)
    if "manage" in allowed:
        statements += _managing(resources)
    return {"Version": "2012-10-17", "Statement": [one for one in statements if one["Resource"]]}


class _Resources(msgspec.Struct, frozen=True):
    """What the models live in, as ARNs.

    Attributes:
        tables: their tables.
        indexes: the indexes that hold their items.
        vectors: the vector indexes that hold their items, and the tables of these.
        batched: those of the tables that hold items of models without unique values: others are never in a batch.
        unique: those of the tables that hold items of models with unique values.
        markers: the tables of these values.
        constraints: what the markers begin with.
        expiring: those of the tables that have a time to live.
    """

    tables: frozenset[str]
    indexes: frozenset[str]
    vectors: frozenset[str]
    batched: frozenset[str]
    unique: frozenset[str]
    markers: frozenset[str]
    constraints: frozenset[str]
    expiring: frozenset[str]


def _resources(specs: Sequence[ModelSpec[Any]], prefix: str) -> _Resources:
    return _Resources(
        tables=frozenset(prefix + spec.table.name for spec in specs),
        indexes=frozenset(
            f"{prefix}{spec.table.name}/index/{membership.index.name}"
            for spec in specs
            for membership in memberships(spec)
            if membership.index is not None
        ),
        vectors=frozenset(
            resource
            for spec in specs
            for index in spec.table.vector_indexes
            if any(member.wire == index.attribute for member in spec.attributes.values())
            for resource in (prefix + spec.table.name, f"{prefix}{spec.table.name}/index/{index.name}")
        ),
        batched=frozenset(prefix + spec.table.name for spec in specs if not spec.unique),
        unique=frozenset(prefix + spec.table.name for spec in specs if spec.unique),
        markers=frozenset(prefix + spec.marker_table.name for spec in specs if spec.marker_table is not None),
        constraints=frozenset(constraint.name for spec in specs for constraint in spec.unique),
        expiring=frozenset(prefix + spec.table.name for spec in specs if spec.table.ttl is not None),
    )


def _reading(resources: _Resources, *, scan: bool, partiql: bool, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    bound, everywhere = _bound(keys), resources.tables | resources.indexes
    yield _statement("ReadItems", ("BatchGetItem", "GetItem"), resources.tables, bound)
    yield _statement("QueryItems", ("Query",), everywhere, bound)
    if not bound:  # searches cannot be bound to keys, and would reach the items of all
        yield _statement("SearchItems", ("SearchVectors",), resources.vectors)
    if scan:
        yield _statement("ScanItems", ("Scan",), everywhere)
    if partiql:
        yield _statement("SelectItems", ("PartiQLSelect",), everywhere, bound)
        if not scan:
            # Leading keys are not asked about in a statement that names no key, so this has to be said either way.
            whole = {"Bool": {"dynamodb:FullTableScan": "true"}}
            yield _statement("DenySelectingAllItems", ("PartiQLSelect",), everywhere, whole, effect="Deny")


def _writing(resources: _Resources, *, partiql: bool, keys: Sequence[str], reads: bool) -> Iterator[dict[str, Any]]:
    bound = _bound(keys)
    yield _statement("WriteItems", (*_MOVING, "UpdateItem"), resources.tables, bound)
    yield _statement("WriteBatches", ("BatchWriteItem",), resources.batched, bound)
    if partiql:
        statements = ("PartiQLDelete", "PartiQLInsert", "PartiQLUpdate")
        yield _statement("ChangeItems", statements, resources.tables, bound)
    if not reads:  # a write that changes unique values looks at those that the item has
        yield _statement("ReadUniqueValues", ("GetItem",), resources.unique, bound)
    named = _bound([f"{_literally(name)}#*" for name in sorted(resources.constraints)] if keys else ())
    yield _statement("WriteUniqueMarkers", _MOVING, resources.markers, {**_WITHIN_TRANSACTION, **named})


def _managing(resources: _Resources) -> Iterator[dict[str, Any]]:
    everything = resources.tables | resources.markers
    yield _statement("ManageTables", ("CreateTable", "DeleteTable", "DescribeTable"), everything)
    yield _statement("ManageTimeToLive", ("DescribeTimeToLive", "UpdateTimeToLive"), resources.expiring)


def _statement(
    sid: str,
    actions: Sequence[str],
    resources: frozenset[str],
    condition: dict[str, Any] | None = None,
    *,
    effect: Literal["Allow", "Deny"] = "Allow",
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "Sid": sid,
        "Effect": effect,
        "Action": [f"dynamodb:{action}" for action in sorted(actions)],
        "Resource": sorted(resources),
    }
    # A copy: what one statement has is nobody else's to see changed.
    return {**made, "Condition": deepcopy(condition)} if condition else made


def _bound(keys: Sequence[str]) -> dict[str, Any]:
    """The condition that binds a statement to partition keys."""
    if not keys:
        return {}
    # ForAllValues holds of a request that names no key at all, so that one has to be there is said apart.
    return {"ForAllValues:StringLike": {_LEADING: sorted(keys)}, "Null": {_LEADING: "false"}}


def _literally(text: str) -> str:
    """A text in which nothing is a wildcard or a policy variable."""
    return re.sub(r"[*?$]", lambda found: f"${{{found[0]}}}", text)


def _allowed(access: Access | Collection[Access]) -> set[str]:
    given = {access} if isinstance(access, str) else {*access}
    unknown = sorted(given - set(get_args(Access)))
    if unknown or not given:
        known = ", ".join(f'"{one}"' for one in get_args(Access))
        raise UsageError(f"iam_policy(access={access!r}): write one of {known}, or several of them in a list")
    return {part for one in given for part in one.split("-")}


def _check_asked(allowed: set[str], *, scan: bool, partiql: bool, bound: bool) -> None:
    """Refuse what would have no effect, and what would have more than it seems."""
    if scan and "read" not in allowed:
        raise UsageError('iam_policy(scan=True) allows scans, which read: write access="read" or access="read-write"')
    if partiql and allowed == {"manage"}:
        raise UsageError("iam_policy(partiql=True) allows statements that read or write items: give access for that")
    if bound and (scan or "manage" in allowed):
        what = "scan=True" if scan else 'access="manage"'
        raise UsageError(
            f"iam_policy(leading_keys=...) with {what}: DynamoDB does not bind that to keys, so it would reach the items of "
            "all; make a policy of its own for it"
        )


def _checked_keys(given: str | Sequence[str] | None) -> tuple[str, ...]:
    keys = () if given is None else (given,) if isinstance(given, str) else tuple(given)
    if given is not None and (not keys or "" in keys):
        raise UsageError(
            f"iam_policy(leading_keys={given!r}) binds to no key: give the keys that items may have, or None for all"
        )
    return keys


def _checked(name: str, given: str) -> str:
    form, example = _FORMS[name]
    if form.fullmatch(given) or _VARIABLE.fullmatch(given):
        return given
    raise UsageError(
        f'iam_policy({name}={given!r}): that is no {name.replace("_", " ")}: write one such as "{example}"'
    )
