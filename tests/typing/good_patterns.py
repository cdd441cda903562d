"""Access patterns and policies that must be clean in mypy and pyright, both strict; the types of all results are fixed."""

from __future__ import annotations

import json
from typing import Any, Literal, assert_type

from dynamorm_async import (
    AccessPattern,
    AccessPatterns,
    Attr,
    ItemCollection,
    Table,
    UniqueValues,
    access_patterns,
    attr,
    iam_policy,
    index,
    model,
    partition_key,
    unique,
)

SHOP = Table("shop", partition_key="pk", sort_key="sk")


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    email: Attr[str] = attr(default="x")

    by_email = index(partition="email")
    one_email = unique("email")


@model(SHOP, type="order", pk="CUSTOMER#{customer}", sk="ORDER#{order_id}")
class Order:
    customer: Attr[str] = attr()
    order_id: Attr[str] = attr()


def reports() -> None:
    report = access_patterns(User, SHOP)
    assert_type(report, AccessPatterns)
    assert_type(report.markdown(), str)
    assert_type(report.patterns, tuple[AccessPattern, ...])
    assert_type(report.collections, tuple[ItemCollection, ...])
    assert_type(report.unique, tuple[UniqueValues, ...])
    first, *_ = report.patterns
    assert_type(first.model, type)
    assert_type(first.index, str | None)
    assert_type(first.operation, Literal["get", "query"])
    assert_type(first.then, tuple[str, ...])
    if first.projection != "all":
        assert_type(first.projection, tuple[str, ...])


def policies() -> None:
    policy = iam_policy(User, SHOP, access="read-write", scan=True, region="eu-west-1", account="123456789012")
    assert_type(policy, dict[str, Any])
    json.dumps(policy)
    iam_policy(Order, access=["read", "write"], leading_keys=["CUSTOMER#${aws:PrincipalTag/customer}"], partiql=True)
    iam_policy(Order, access=("read", "manage"), table_prefix="t-", partition="aws-cn")
    iam_policy(Order, access={"write"}, leading_keys="CUSTOMER#7")
